#include "map_json.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "carveout/device_tree/dma_ranges.hpp"
#include "carveout/device_tree/memory_region.hpp"
#include "carveout/device_tree/placement.hpp"
#include "carveout/device_tree/reserved_memory.hpp"
#include "json_text.hpp"

namespace carveout::cli {
namespace {

using namespace device_tree;

std::string_view name_of(RegionKind kind) {
  switch (kind) {
    case RegionKind::coherent:
      return "coherent";
    case RegionKind::contiguous:
      return "contiguous";
    case RegionKind::invalid:
      return "invalid";
    case RegionKind::bounce:
      return "bounce";
    case RegionKind::carveout:
      break;
  }
  return "carveout";
}

std::string_view name_of(RegionPlacement placement) {
  switch (placement) {
    case RegionPlacement::fixed:
      return "static";
    case RegionPlacement::dynamic:
      return "dynamic";
    case RegionPlacement::none:
      break;
  }
  return "none";
}

std::string_view name_of(Translation::Kind kind) {
  switch (kind) {
    case Translation::Kind::identity:
      return "identity";
    case Translation::Kind::windows:
      return "windows";
    case Translation::Kind::invalid:
      break;
  }
  return "invalid";
}

/// Memory that nobody writes before it is used: of a memo most is not.
std::unique_ptr<std::byte[]> scratch(std::size_t bytes) {
  return std::make_unique_for_overwrite<std::byte[]>(bytes);
}

constexpr std::size_t kMaxMemoBytes = std::size_t{64} << 20;

class Map {
 public:
  Map(const Tree& tree, std::size_t max_bytes)
      : tree_{tree},
        reserved_{tree},
        memo_bytes_{std::min(DmaRanges::memo_bytes(tree), kMaxMemoBytes)},
        memo_{scratch(memo_bytes_)},
        ranges_{tree, {memo_.get(), memo_bytes_}},
        json_{max_bytes} {}

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
    if (error_) return std::unexpected{*error_};
    return json_.take();
  }

 private:
  struct KnownView {
    Translation::Kind kind;
    std::vector<Window> windows;
    std::uint32_t serial;  // different for each
  };

  /// What a device that is bound to a region needs to know of it.
  struct Region {
    Node node;
    std::optional<PhysRange> first;  // the first chunk or the place, of an enabled region
    // Its last answer: the devices of a bus ask for the same regions, and a search is 1024 windows.
    std::uint32_t asked_by = 0;
    std::optional<std::uint64_t> dma = std::nullopt;
  };

  [[nodiscard]] bool stop() const { return json_.full() || error_; }

  void path(Node node) { json_.string(tree_.path(node, path_)); }

  void strings(std::string_view name, const Strings& list) {
    json_.key(name).open('[');
    for (const std::string_view each : list) {
      if (stop()) break;
      json_.string(each);
    }
    json_.close(']');
  }

  void optional_hex(std::string_view name, std::optional<std::uint64_t> value) {
    json_.key(name);
    value ? json_.hex(*value) : json_.null();
  }

  void range(PhysRange range) {
    json_.open('{').key("base").hex(range.base.raw()).key("size").hex(range.size_bytes).close('}');
  }

  template <class Ranges>
  void ranges(std::string_view name, const Ranges& list) {
    json_.key(name).open('[');
    for (const PhysRange each : list) {
      if (stop()) break;
      range(each);
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
      if (!stop()) range(each);
    });
    json_.close(']');
    ranges("memreserve", tree_.reservations());
  }

  void regions() {
    const std::size_t bytes = Placement::measure(tree_, reserved_);
    const auto storage = scratch(bytes);
    const auto placement = Placement::work_out(tree_, reserved_, {storage.get(), bytes});
    if (!placement) {
      error_ = placement.error();
      return;
    }
    json_.key("regions").open('[');
    for_each_region(tree_, reserved_, [&](const ReservedRegion& region) {
      if (!stop()) this->region(region, *placement);
    });
    json_.close(']');
  }

  void region(const ReservedRegion& region, const Placement& placement) {
    const auto place = placement.of(region.node);
    regions_.push_back({region.node, std::nullopt});
    if (place) regions_.back().first = *place;
    if (region.enabled && !region.chunks.empty()) regions_.back().first = region.chunks[0];

    json_.open('{').key("node");
    path(region.node);
    json_.key("kind").string(name_of(region.kind));
    strings("compatible", region.compatible);
    json_.key("enabled").boolean(region.enabled);
    json_.key("placement").string(name_of(region.placement));
    ranges("chunks", region.chunks);
    optional_hex("size", region.size_bytes);
    optional_hex("alignment", region.alignment_value());
    ranges("alloc_ranges", region.alloc_ranges);
    json_.key("placed");
    place ? range(*place) : static_cast<void>(json_.null());
    json_.key("no_map").boolean(region.no_map);
    json_.key("reusable").boolean(region.reusable);
    json_.key("default");
    const auto role = region.default_of();
    role ? json_.string(name_of(*role)) : json_.null();
    json_.close('}');
  }

  KnownView known(const std::expected<DmaView, TreeError>& view) {
    if (!view) {
      error_ = view.error();
      return {Translation::Kind::invalid, {}, ++serial_};
    }
    const auto windows = view->translation.windows();
    return {view->translation.kind(), {windows.begin(), windows.end()}, ++serial_};
  }

  void windows(std::span<const Window> windows) {
    json_.key("windows").open('[');
    for (const Window& window : windows) {
      if (stop()) break;
      json_.open('{').key("dma").hex(window.dma.raw()).key("cpu").hex(window.cpu.raw());
      json_.key("size").hex(window.size_bytes).close('}');
    }
    json_.close(']');
  }

  void buses() {
    json_.key("buses").open('[');
    for (const Node node : tree_.nodes()) {
      if (stop()) break;
      if (!tree_.is_translating_bus(node)) continue;
      const KnownView& view = views_[node.index()] = known(ranges_.of_bus(node, storage_));
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
    // On a cycle of DMA parents the device itself ends the way, so it sees less than other
    // children.
    const auto bus = tree_.serving_bus(device);
    const bool as_bus = bus && !tree_.on_dma_cycle(device);
    KnownView own{Translation::Kind::identity, {}, 0};
    if (!as_bus) own = known(ranges_.of_device(device, storage_));
    const KnownView& view = as_bus ? views_.at(bus->index()) : own;
    const Translation translation = view.kind == Translation::Kind::identity
                                        ? Translation::identity()
                                        : Translation::through(view.windows);

    json_.open('{').key("node");
    path(device);
    json_.key("enabled").boolean(tree_.enabled(device));
    json_.key("coherent");
    const auto coherent = tree_.coherent(device);
    coherent ? json_.boolean(*coherent) : json_.null();
    json_.key("translation").string(name_of(view.kind));
    windows(view.windows);
    const auto limit = translation.limit();
    optional_hex("limit", limit ? std::optional{limit->raw()} : std::nullopt);
    json_.key("pools").open('[');
    for (const Binding& binding : MemoryRegions{tree_, device}) {
      if (stop()) break;
      pool(binding, view, translation);
    }
    json_.close(']').close('}');
  }

  void pool(const Binding& binding, const KnownView& view, const Translation& translation) {
    json_.open('{').key("index").number(binding.index);
    json_.key("region");
    binding.region ? path(*binding.region) : static_cast<void>(json_.null());
    json_.key("name");
    binding.name ? json_.string(*binding.name) : json_.null();
    optional_hex("dma", binding.region ? dma_of(*binding.region, view, translation) : std::nullopt);
    json_.close('}');
  }

  [[nodiscard]] std::optional<std::uint64_t> dma_of(Node node, const KnownView& view,
                                                    const Translation& translation) {
    if (!reserved_.holds(tree_, node)) return std::nullopt;
    const auto region = std::ranges::lower_bound(regions_, node, {}, &Region::node);
    if (region == regions_.end() || !region->first || region->first->empty()) return std::nullopt;
    // A fact, even of a chunk that passes 2^64.
    if (view.kind == Translation::Kind::identity) return region->first->base.raw();
    if (region->asked_by != view.serial) {
      const auto dma = translation.to_dma(*region->first);
      region->asked_by = view.serial;
      region->dma = dma ? std::optional{dma->raw()} : std::nullopt;
    }
    return region->dma;
  }

  const Tree& tree_;
  ReservedMemory reserved_;
  std::size_t memo_bytes_;
  std::unique_ptr<std::byte[]> memo_;
  DmaRanges ranges_;
  JsonText json_;
  std::optional<TreeError> error_;
  std::array<char, kMaxPathBytes> path_{};
  std::vector<Window> storage_ =
      std::vector<Window>(kMaxWindows, Window{DmaAddr{0}, PhysAddr{0}, 0});
  std::vector<Region> regions_;                         // in tree order
  std::unordered_map<std::uint32_t, KnownView> views_;  // of buses
  std::uint32_t serial_ = 0;
};

}  // namespace

std::expected<std::string, TreeError> map_json(const Tree& tree, const MapJsonOptions& options) {
  return std::make_unique<Map>(tree, options.max_bytes)->write(options);
}

}  // namespace carveout::cli
