// `diff --json`: schema carveout.diff/1.
#include <optional>

#include "diff/forms.hpp"
#include "json_text.hpp"
#include "map_json.hpp"
#include "page.hpp"

namespace carveout::cli {
namespace {

class Writer {
 public:
  std::string write(const Compared& compared, const Difference& difference) {
    json_.open('{').key("schema").string("carveout.diff/1");
    json_.key("old").string(compared.before);
    json_.key("new").string(compared.after);
    json_.key("overlays").open('[');
    for (const std::string& overlay : compared.overlays) json_.string(overlay);
    json_.close(']');
    ranges("memory", difference.memory);
    ranges("memreserve", difference.reservations);
    changes("regions", difference.regions);
    changes("buses", difference.buses);
    changes("devices", difference.devices);
    json_.close('}');
    if (json_.full()) refuse_too_much(compared.after);
    return json_.take() + '\n';
  }

 private:
  void list(std::string_view name, const std::vector<PhysRange>& ranges) {
    json_.key(name).open('[');
    for (const PhysRange range : ranges) {
      if (json_.full()) break;
      write_range(json_, range);
    }
    json_.close(']');
  }

  void ranges(std::string_view name, const RangeChange& change) {
    json_.key(name).open('{');
    list("added", change.added);
    list("removed", change.removed);
    json_.close('}');
  }

  template <class Facts>
  void changes(std::string_view name, const std::vector<Change<Facts>>& changes) {
    json_.key(name).open('[');
    for (const Change<Facts>& change : changes) {
      if (json_.full()) break;
      json_.open('{').key("node").string(change.node).key("change");
      json_.string(!change.before ? "added" : !change.after ? "removed" : "changed");
      json_.key("what").open('[');
      for (const Aspect aspect : change.what) json_.string(name_of(aspect));
      json_.close(']').key("counterpart");
      if (change.counterpart) {
        json_.open('{').key("node").string(change.counterpart->node);
        json_.key("by").string(name_of(change.counterpart->by)).close('}');
      } else {
        json_.null();
      }
      json_.key("old");
      change.before ? facts(*change.before) : static_cast<void>(json_.null());
      json_.key("new");
      change.after ? facts(*change.after) : static_cast<void>(json_.null());
      json_.close('}');
    }
    json_.close(']');
  }

  void facts(const RegionFacts& region) {
    json_.open('{').key("enabled").boolean(region.enabled);
    json_.key("kind").string(name_of(region.kind));
    json_.key("placement").string(name_of(region.placement));
    list("places", region.places);
    hex_or_null(json_, "size", region.size_bytes);
    hex_or_null(json_, "alignment", region.align_bytes);
    json_.key("no_map").boolean(region.no_map).key("reusable").boolean(region.reusable);
    text_or_null(json_, "default", region.default_of ? name_of(*region.default_of) : "");
    json_.close('}');
  }

  void facts(const AskerFacts& asker) {
    json_.open('{').key("enabled").boolean(asker.enabled).key("coherent");
    asker.coherent ? json_.boolean(*asker.coherent) : json_.null();
    json_.key("iommu").boolean(asker.behind_iommu);
    json_.key("translation").string(name_of(asker.translation));
    json_.key("windows").open('[');
    for (const Window& window : asker.windows) write_window(json_, window);
    json_.close(']').key("pools").open('[');
    for (const PoolFacts& pool : asker.pools) {
      if (json_.full()) break;
      json_.open('{').key("index").number(pool.index);
      text_or_null(json_, "region", pool.region);
      json_.key("name");
      pool.name ? json_.string(*pool.name) : json_.null();
      hex_or_null(json_, "dma", pool.dma ? std::optional{pool.dma->raw()} : std::nullopt);
      text_or_null(json_, "failure", pool.refused ? carveout::name_of(*pool.refused) : "");
      json_.close('}');
    }
    json_.close(']').key("source").open('{');
    const Source& source = asker.source;
    text_or_null(json_, "role", source.role ? carveout::name_of(*source.role) : "");
    text_or_null(json_, "pool", source.pool);
    text_or_null(json_, "failure", source.refused ? carveout::name_of(*source.refused) : "");
    json_.close('}').close('}');
  }

  JsonText json_{kMaxOutputBytes};
};

}  // namespace

std::string diff_json(const Compared& compared, const Difference& difference) {
  return Writer{}.write(compared, difference);
}

}  // namespace carveout::cli
