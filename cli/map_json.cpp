#include "map_json.hpp"

#include <array>
#include <memory>

#include "board_map.hpp"
#include "carveout/device_tree/memory_region.hpp"
#include "json_text.hpp"

namespace carveout::cli {
namespace {

using namespace device_tree;

class Map {
 public:
  Map(const Tree& tree, std::size_t max_bytes) : tree_{tree}, map_{tree}, json_{max_bytes} {}

  std::expected<std::string, TreeError> write(const MapJsonOptions& options) {
    json_.open('{');
    if (options.source) json_.key("source").string(*options.source);
    json_.key("schema").string("carveout.map/1");
    head();
    memory();
    regions();
    buses();
    devices();
    json_.close('}');
    if (json_.full()) return std::unexpected{TreeError{TreeError::Code::too_much_output}};
    if (map_.error()) return std::unexpected{*map_.error()};
    return json_.take();
  }

 private:
  [[nodiscard]] bool stop() const { return json_.full() || map_.error(); }

  void path(Node node) { json_.string(tree_.path(node, path_)); }

  void strings(std::string_view name, const Strings& list) {
    json_.key(name).open('[');
    for (const std::string_view each : list) {
      if (stop()) break;
      json_.string(each);
    }
    json_.close(']');
  }

  template <class Ranges>
  void ranges(std::string_view name, const Ranges& list) {
    json_.key(name).open('[');
    for (const PhysRange each : list) {
      if (stop()) break;
      write_range(json_, each);
    }
    json_.close(']');
  }

  void head() {
    json_.key("model");
    const auto model = tree_.strings(Tree::root(), "model").first();
    model ? json_.string(*model) : json_.null();
    strings("compatible", tree_.strings(Tree::root(), "compatible"));
  }

  void memory() {
    json_.key("memory").open('[');
    for_each_memory(tree_, [&](Node, PhysRange each) {
      if (!stop()) write_range(json_, each);
    });
    json_.close(']');
    ranges("memreserve", tree_.reservations());
  }

  void regions() {
    json_.key("regions").open('[');
    for (const MapRegion& each : map_.regions()) {
      if (stop()) break;
      region(each);
    }
    json_.close(']');
  }

  void region(const MapRegion& region) {
    const ReservedRegion& facts = region.facts;
    const bool placed = facts.placement == RegionPlacement::dynamic && !region.places.empty();
    json_.open('{').key("node");
    path(facts.node);
    json_.key("kind").string(cli::name_of(facts.kind));
    strings("compatible", facts.compatible);
    json_.key("enabled").boolean(facts.enabled);
    json_.key("placement").string(name_of(facts.placement));
    ranges("chunks", facts.chunks);
    hex_or_null(json_, "size", facts.size_bytes);
    hex_or_null(json_, "alignment", facts.alignment_value());
    ranges("alloc_ranges", facts.alloc_ranges);
    json_.key("placed");
    placed ? write_range(json_, region.places.front().range) : static_cast<void>(json_.null());
    json_.key("no_map").boolean(facts.no_map);
    json_.key("reusable").boolean(facts.reusable);
    json_.key("default");
    const auto role = facts.default_of();
    role ? json_.string(cli::name_of(*role)) : json_.null();
    json_.close('}');
  }

  void windows(std::span<const Window> windows) {
    json_.key("windows").open('[');
    for (const Window& window : windows) {
      if (stop()) break;
      write_window(json_, window);
    }
    json_.close(']');
  }

  void buses() {
    json_.key("buses").open('[');
    for (const Node node : tree_.nodes()) {
      if (stop()) break;
      if (!tree_.is_translating_bus(node)) continue;
      const MapView& view = map_.of_bus(node);
      json_.open('{').key("node");
      path(node);
      json_.key("translation").string(name_of(view.kind));
      windows(view.windows);
      json_.close('}');
    }
    json_.close(']');
  }

  void devices() {
    json_.key("devices").open('[');
    for (const Node node : tree_.nodes()) {
      if (stop()) break;
      if (tree_.has_memory_region(node)) device(node);
    }
    json_.close(']');
  }

  void device(Node device) {
    const MapView& view = map_.of_device(device);
    json_.open('{').key("node");
    path(device);
    json_.key("enabled").boolean(tree_.enabled(device));
    json_.key("coherent");
    const auto coherent = tree_.coherent(device);
    coherent ? json_.boolean(*coherent) : json_.null();
    json_.key("translation").string(name_of(view.kind));
    windows(view.windows);
    const auto limit = view.translation().limit();
    hex_or_null(json_, "limit", limit ? std::optional{limit->raw()} : std::nullopt);
    json_.key("pools").open('[');
    for (const Binding& binding : MemoryRegions{tree_, device}) {
      if (stop()) break;
      pool(binding, view);
    }
    json_.close(']').close('}');
  }

  void pool(const Binding& binding, const MapView& view) {
    json_.open('{').key("index").number(binding.index);
    json_.key("region");
    binding.region ? path(*binding.region) : static_cast<void>(json_.null());
    json_.key("name");
    binding.name ? json_.string(*binding.name) : json_.null();
    const auto dma = binding.region ? map_.pool_address(*binding.region, view) : std::nullopt;
    hex_or_null(json_, "dma", dma ? std::optional{dma->raw()} : std::nullopt);
    json_.close('}');
  }

  const Tree& tree_;
  BoardMap map_;
  JsonText json_;
  std::array<char, kMaxPathBytes> path_{};
};

}  // namespace

void write_range(JsonText& json, PhysRange range) {
  json.open('{').key("base").hex(range.base.raw()).key("size").hex(range.size_bytes).close('}');
}

void write_window(JsonText& json, const Window& window) {
  json.open('{').key("dma").hex(window.dma.raw()).key("cpu").hex(window.cpu.raw());
  json.key("size").hex(window.size_bytes).close('}');
}

std::expected<std::string, TreeError> map_json(const Tree& tree, const MapJsonOptions& options) {
  return std::make_unique<Map>(tree, options.max_bytes)->write(options);
}

}  // namespace carveout::cli
