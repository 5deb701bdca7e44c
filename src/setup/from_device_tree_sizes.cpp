#include "from_device_tree_sizes.hpp"

#include <bit>

#include "../device_tree/arena.hpp"
#include "carveout/device_tree/placement.hpp"

namespace carveout::setup {
namespace {

/// measure() counts a bus's windows on the stack, which on a target is small; a bus with more is
/// given room for the most that there may be.
constexpr std::size_t kFewWindows = 16;

std::size_t path_length(const dt::Tree& tree, dt::Node node) {
  std::size_t length = 1;
  for (std::optional<dt::Node> at = node; at; at = tree.parent(*at))
    length += tree.name(*at).size() + 1;
  return length;
}

/// How many windows a device has, and the bus that a finding about them may name.
struct WindowCount {
  std::size_t windows;
  std::optional<dt::Node> bus;
};

WindowCount windows_of(const dt::Tree& tree, dt::Node node, const DeviceSpec& spec,
                       std::span<std::byte> memo) {
  std::array few = {kNoWindow, kNoWindow, kNoWindow, kNoWindow, kNoWindow, kNoWindow,
                    kNoWindow, kNoWindow, kNoWindow, kNoWindow, kNoWindow, kNoWindow,
                    kNoWindow, kNoWindow, kNoWindow, kNoWindow};
  static_assert(few.size() == kFewWindows);
  const dt::DmaView view = view_of(tree, node, spec, few, memo);
  const bool more = view.fault == dt::DmaFault::no_room;
  return {.windows = more ? dt::kMaxWindows : view.translation.windows().size(), .bus = view.bus};
}

/// How many granules the pool of a region has, at most: a cache line may make them longer.
std::uint64_t granules_at_most(const dt::ReservedRegion& region, const Platform& platform) {
  if (!is_power_of_two(platform.granule_bytes)) return 0;  // which create() refuses
  std::uint64_t bytes = region.size_bytes.value_or(0);
  for (const PhysRange chunk : region.chunks) {
    bytes = checked_add(bytes, chunk.size_bytes).value_or(UINT64_MAX);
  }
  return bytes >> std::countr_zero(platform.granule_bytes);
}

}  // namespace

std::optional<Memory> memory_of(const dt::ReservedRegion& region) {
  if (!region.enabled) return std::nullopt;
  switch (region.kind) {
    case dt::RegionKind::coherent:
    case dt::RegionKind::invalid:
      return Memory::coherent;  // it was meant to be a pool, and bars others
    case dt::RegionKind::contiguous:
      return Memory::contiguous;
    case dt::RegionKind::bounce:
      return Memory::bounce;
    case dt::RegionKind::carveout:
      break;
  }
  return std::nullopt;
}

Result<Sizes> sizes_of(const dt::Tree& tree, std::span<const DeviceSpec> specs,
                       const Platform& platform, Wanted wanted, std::span<std::byte> memo) {
  const dt::ReservedMemory reserved{tree};
  Sizes sizes{.kept_bytes = System::base_storage_bytes()};
  const auto keep = [&](std::size_t bytes) {
    sizes.kept_bytes = saturating_add(sizes.kept_bytes, bytes);
  };
  const auto count_path = [&](dt::Node node) {
    sizes.path_bytes = std::max(sizes.path_bytes, path_length(tree, node));
  };
  const auto count_pool = [&](const dt::ReservedRegion& region) {
    const std::size_t ranges = std::clamp<std::size_t>(region.chunks.size(), 1, kMaxPoolRanges);
    sizes.pool_ranges = std::min(sizes.pool_ranges + ranges, kMaxPoolRanges);
    sizes.most_ranges = std::max(sizes.most_ranges, ranges);
    keep(System::pool_storage_bytes(ranges, platform.store, granules_at_most(region, platform)));
    keep(System::node_default_storage_bytes());
    keep(System::text_storage_bytes(path_length(tree, region.node)));
  };

  for (const DeviceSpec& spec : specs) {
    const auto node = tree.find(spec.node);
    if (!node) return refuse(Error::no_such_node, {}, spec.node);
    const WindowCount count = windows_of(tree, *node, spec, memo);
    sizes.windows = std::max(sizes.windows, count.windows);
    count_path(*node);
    if (count.bus) count_path(*count.bus);
    keep(System::device_storage_bytes(count.windows, spec.quarantine_blocks));
    for_each_entry(tree, *node, spec, [&](const dt::Binding& entry) {
      keep(System::binding_storage_bytes(false));
      keep(System::text_storage_bytes(entry.name.value_or(std::string_view{}).size()));
    });
  }

  std::array<dt::Node, kMaxDefaults> defaults = no_nodes<kMaxDefaults>();
  std::size_t default_count = 0;
  dt::for_each_region(tree, reserved, [&](const dt::ReservedRegion& region) {
    ++sizes.regions;
    count_path(region.node);
    if (wanted == Wanted::all && memory_of(region)) return count_pool(region);
    if (!region.enabled || !region.default_of() || default_count == kMaxDefaults) return;
    defaults[default_count++] = region.node;
    count_pool(region);
  });
  for_each_first_listing(tree, specs, [&](dt::Node node) {
    count_path(node);
    const std::span counted{defaults.data(), default_count};
    if (!reserved.holds(tree, node) || std::ranges::find(counted, node) != counted.end()) return;
    count_pool(dt::ReservedRegion::read(tree, reserved, node));
  });
  sizes.scratch_bytes = dt::ArenaSize{}
                            .array<Region>(sizes.regions)
                            .array<PoolRange>(sizes.pool_ranges)
                            .array<PhysRange>(sizes.most_ranges)
                            .array<Window>(sizes.windows)
                            .array<char>(2 * sizes.path_bytes)
                            .array<std::byte>(dt::Placement::measure(tree, reserved))
                            .bytes();
  return sizes;
}

}  // namespace carveout::setup
