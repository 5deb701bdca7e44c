#include "carveout/setup/from_device_tree.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "../device_tree/arena.hpp"
#include "carveout/core/size.hpp"
#include "carveout/device_tree/dma_ranges.hpp"
#include "carveout/device_tree/memory_region.hpp"
#include "carveout/device_tree/placement.hpp"
#include "carveout/device_tree/reserved_memory.hpp"
#include "carveout/map/alias.hpp"

namespace carveout::setup {
namespace {

namespace dt = device_tree;

/// measure() counts a bus's windows on the stack, which on a target is small; a bus with more is
/// given room for the most that there may be.
constexpr std::size_t kFewWindows = 16;

/// Memory that a region shares with another one.
struct Overlap {
  dt::Node other;
  PhysRange range;
};

/// What becomes of one region while the tree is read.
struct Region {
  dt::Node node{0};
  std::optional<Memory> memory = std::nullopt;  ///< nothing: disabled, or no pool of ours
  bool wanted = false;     ///< a device of ours lists it, or it claims a default
  bool uncounted = false;  ///< its ranges passed kMaxPoolRanges
  std::optional<Overlap> overlap = std::nullopt;
  std::string_view name = {};                   ///< once it is wanted, in the System's storage
  Pool* pool = nullptr;                         ///< once it is declared
  std::optional<Error> refused = std::nullopt;  ///< why it is not
};

/// A range of a region that is to be a pool; every region's ranges are held against these.
struct PoolRange {
  PhysRange range{PhysAddr{0}, 0};
  Region* region = nullptr;
};

std::optional<Memory> memory_of(dt::RegionKind kind) {
  switch (kind) {
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

std::optional<std::uint32_t> numa_node_of(const dt::Tree& tree, dt::Node node) {
  const dt::CellList cells{tree.property(node, "numa-node-id").value_or(dt::Bytes{})};
  return cells.size() == 0 ? std::nullopt : std::optional{cells[0]};
}

std::uint32_t nearest_numa_node(const dt::Tree& tree, dt::Node node) {
  for (std::optional<dt::Node> at = node; at; at = tree.parent(*at)) {
    if (const auto numa_node = numa_node_of(tree, *at)) return *numa_node;
  }
  return 0;
}

std::size_t path_length(const dt::Tree& tree, dt::Node node) {
  std::size_t length = 1;
  for (std::optional<dt::Node> at = node; at; at = tree.parent(*at))
    length += tree.name(*at).size() + 1;
  return length;
}

/// The phandles in a device's `memory-region` that are looked at.
dt::CellList phandles_of(const dt::Tree& tree, dt::Node node, const DeviceSpec& spec) {
  if (spec.any_on_bus) return {};
  const dt::Bytes list = tree.property(node, "memory-region").value_or(dt::Bytes{});
  return dt::CellList{list.first(std::min(list.size(), kMaxOwnPools * dt::kCellBytes))};
}

dt::CellList phandles_of(const dt::Tree& tree, const DeviceSpec& spec) {
  const auto node = tree.find(spec.node);
  return node ? phandles_of(tree, *node, spec) : dt::CellList{};
}

/// The entries of a device's `memory-region` that are looked at.
template <class Visit>
void for_each_entry(const dt::Tree& tree, dt::Node node, const DeviceSpec& spec, Visit visit) {
  if (spec.any_on_bus) return;
  for (const dt::Binding entry : dt::MemoryRegions{tree, node}) {
    if (entry.index >= kMaxOwnPools) return;
    visit(entry);
  }
}

/// Calls `visit(Node)` once for each node that a device lists and no device before it did.
template <class Visit>
void for_each_first_listing(const dt::Tree& tree, std::span<const DeviceSpec> specs, Visit visit) {
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const dt::CellList phandles = phandles_of(tree, specs[i]);
    std::array<bool, kMaxOwnPools> listed{};
    for (std::size_t earlier = 0; earlier <= i && phandles.size() != 0; ++earlier) {
      const dt::CellList others = phandles_of(tree, specs[earlier]);
      for (std::size_t at = 0; at < phandles.size(); ++at) {
        const std::size_t end = earlier < i ? others.size() : at;
        for (std::size_t k = 0; k < end && !listed[at]; ++k) listed[at] = others[k] == phandles[at];
      }
    }
    for (std::size_t at = 0; at < phandles.size(); ++at) {
      const auto node = listed[at] ? std::nullopt : tree.by_phandle(phandles[at]);
      if (node) visit(*node);
    }
  }
}

dt::DmaView view_of(const dt::Tree& tree, dt::Node node, const DeviceSpec& spec,
                    std::span<Window> windows) {
  dt::DmaRanges ranges{tree};
  const auto view =
      spec.any_on_bus ? ranges.of_any_device_on(node, windows) : ranges.of_device(node, windows);
  // A tree that takes too many steps to translate has no translation that anyone could use.
  return view ? *view
              : dt::DmaView{.translation = Translation::invalid(),
                            .fault = dt::DmaFault::too_many_windows,
                            .bus = std::nullopt};
}

constexpr Window kNoWindow{DmaAddr{0}, PhysAddr{0}, 0};

template <std::size_t count>
constexpr std::array<dt::Node, count> no_nodes() {
  return []<std::size_t... each>(std::index_sequence<each...>) {
    return std::array{((void)each, dt::Tree::root())...};
  }(std::make_index_sequence<count>{});
}

/// How many windows a device has, and the bus that a finding about them may name.
struct WindowCount {
  std::size_t windows;
  std::optional<dt::Node> bus;
};

WindowCount windows_of(const dt::Tree& tree, dt::Node node, const DeviceSpec& spec) {
  std::array few = {kNoWindow, kNoWindow, kNoWindow, kNoWindow, kNoWindow, kNoWindow,
                    kNoWindow, kNoWindow, kNoWindow, kNoWindow, kNoWindow, kNoWindow,
                    kNoWindow, kNoWindow, kNoWindow, kNoWindow};
  static_assert(few.size() == kFewWindows);
  const dt::DmaView view = view_of(tree, node, spec, few);
  const bool more = view.fault == dt::DmaFault::no_room;
  return {.windows = more ? dt::kMaxWindows : view.translation.windows().size(), .bus = view.bus};
}

/// What build() needs, in its two parts.
struct Sizes {
  std::size_t kept_bytes = 0;
  std::size_t scratch_bytes = 0;
  std::size_t regions = 0;      ///< of the tree
  std::size_t pool_ranges = 0;  ///< of the regions that are to be pools
  std::size_t most_ranges = 1;  ///< of one of them
  std::size_t windows = 0;      ///< of the device that has most
  std::size_t path_bytes = 0;   ///< of the longest path that a finding may name

  [[nodiscard]] std::size_t total_bytes() const {
    return saturating_add(kept_bytes, scratch_bytes);
  }
};

/// How many granules the pool of a region has, at most: a cache line may make them longer.
std::uint64_t granules_at_most(const dt::ReservedRegion& region, const Platform& platform) {
  if (!is_power_of_two(platform.granule_bytes)) return 0;  // which create() refuses
  std::uint64_t bytes = region.size_bytes.value_or(0);
  for (const PhysRange chunk : region.chunks) {
    bytes = checked_add(bytes, chunk.size_bytes).value_or(UINT64_MAX);
  }
  return bytes >> std::countr_zero(platform.granule_bytes);
}

Result<Sizes> sizes_of(const dt::Tree& tree, std::span<const DeviceSpec> specs,
                       const Platform& platform) {
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
    const WindowCount count = windows_of(tree, *node, spec);
    sizes.windows = std::max(sizes.windows, count.windows);
    count_path(*node);
    if (count.bus) count_path(*count.bus);
    keep(System::device_storage_bytes(count.windows));
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

/// The work of build(): one member function for each kind of fact.
class Builder {
 public:
  Builder(const dt::Tree& tree, const Sizes& sizes, std::span<std::byte> scratch, System& system,
          FindingSink findings)
      : tree_{tree}, reserved_{tree}, system_{system}, findings_{findings} {
    dt::Arena arena{scratch};  // it fits: it was measured
    regions_ = *arena.array<Region>(sizes.regions);
    pool_ranges_ = *arena.array<PoolRange>(sizes.pool_ranges);
    chunks_ = *arena.array<PhysRange>(sizes.most_ranges, PhysRange{PhysAddr{0}, 0});
    windows_ = *arena.array<Window>(sizes.windows, kNoWindow);
    paths_ = *arena.array<char>(2 * sizes.path_bytes);
    placement_ = *dt::Placement::work_out(tree, reserved_, arena.rest());
  }

  Result<void> run(std::span<const DeviceSpec> specs);

 private:
  void collect_regions(std::span<const DeviceSpec> specs);
  void report_reserved_memory();
  [[nodiscard]] bool claims_default(const dt::ReservedRegion& facts);
  void find_overlaps();

  Result<void> make_pool(Region& region);
  [[nodiscard]] std::optional<Finding> mistake_in(const Region& region,
                                                  const dt::ReservedRegion& facts) const;
  [[nodiscard]] Result<Pool*> declare(const Region& region, const dt::ReservedRegion& facts) const;
  void report_warnings(const Region& region, const dt::ReservedRegion& facts) const;
  Result<void> give_default(const dt::ReservedRegion& facts, Pool& pool) const;

  Result<void> add_device(const DeviceSpec& spec);
  Result<void> bind_entry(const dt::Binding& entry, const DeviceSpec& spec, Device& device);
  Result<void> bind_region(const Region& region, const BindingSettings& settings, Device& device);

  [[nodiscard]] Region* region_at(dt::Node node) const;
  [[nodiscard]] dt::ReservedRegion facts_of(const Region& region) const {
    return dt::ReservedRegion::read(tree_, reserved_, region.node);
  }
  /// Paths for one finding: both live until the next is made.
  [[nodiscard]] std::string_view path(dt::Node node) const {
    return tree_.path(node, paths_.first(paths_.size() / 2));
  }
  [[nodiscard]] std::string_view other_path(dt::Node node) const {
    return tree_.path(node, paths_.subspan(paths_.size() / 2));
  }

  dt::Tree tree_;
  dt::ReservedMemory reserved_;
  System& system_;
  FindingSink findings_;

  std::span<Region> regions_;         // in tree order
  std::span<PoolRange> pool_ranges_;  // of the regions that are to be pools
  std::span<PhysRange> chunks_;
  std::span<Window> windows_;
  std::span<char> paths_;
  std::optional<dt::Placement> placement_;
  /// The first default of each role, whatever becomes of it.
  std::array<dt::Node, kMaxDefaults> claims_ = no_nodes<kMaxDefaults>();
  std::size_t claim_count_ = 0;
};

Result<void> Builder::run(std::span<const DeviceSpec> specs) {
  collect_regions(specs);
  find_overlaps();
  for (Region& region : regions_) {
    if (auto made = make_pool(region); !made) return made;
  }
  for (const DeviceSpec& spec : specs) {
    if (auto added = add_device(spec); !added) return added;
  }
  return {};
}

Region* Builder::region_at(dt::Node node) const {
  const auto at = std::ranges::lower_bound(regions_, node, {}, &Region::node);
  return at != regions_.end() && at->node == node ? &*at : nullptr;
}

void Builder::collect_regions(std::span<const DeviceSpec> specs) {
  std::size_t count = 0;
  dt::for_each_region(tree_, reserved_, [&](const dt::ReservedRegion& facts) {
    regions_[count++] = Region{.node = facts.node,
                               .memory = facts.enabled ? memory_of(facts.kind) : std::nullopt,
                               .wanted = facts.enabled && claims_default(facts)};
  });
  for_each_first_listing(tree_, specs, [&](dt::Node node) {
    if (Region* const region = region_at(node)) region->wanted = true;
  });
  if (!regions_.empty()) report_reserved_memory();
}

void Builder::report_reserved_memory() {
  const dt::ReservedMemoryFault fault = reserved_.fault();
  if (fault == dt::ReservedMemoryFault::none || fault == dt::ReservedMemoryFault::disabled) return;
  findings_({.rule = Rule::malformed_reserved_memory,
             .severity = Severity::error,
             .node = path(*reserved_.node()),
             .property = dt::property_of(fault)});
}

/// The role that a default region asks for: one of each kind, and one a NUMA node.
struct DefaultRole {
  Role role;
  std::uint32_t numa_node;

  bool operator==(const DefaultRole&) const = default;
};

std::optional<DefaultRole> default_role_of(const dt::Tree& tree, const dt::ReservedRegion& facts) {
  const auto kind = facts.default_of();
  if (!kind) return std::nullopt;
  if (*kind == dt::RegionKind::coherent) return DefaultRole{Role::default_pool, 0};
  const auto numa_node = numa_node_of(tree, facts.node);
  return numa_node ? DefaultRole{Role::contiguous_node, *numa_node}
                   : DefaultRole{Role::contiguous_default, 0};
}

/// The first default of a role claims it, whatever becomes of the region: a board whose first
/// default is broken must not run on the second in silence.
bool Builder::claims_default(const dt::ReservedRegion& facts) {
  const auto kind = facts.default_of();
  const bool wrong_dma = facts.dma_default && kind != dt::RegionKind::coherent;
  const bool wrong_cma = facts.cma_default && kind != dt::RegionKind::contiguous;
  if (wrong_dma || wrong_cma) {
    findings_({.rule = Rule::default_of_wrong_kind,
               .severity = Severity::error,
               .node = path(facts.node),
               .property = wrong_dma ? "linux,dma-default" : "linux,cma-default"});
  }
  const auto role = default_role_of(tree_, facts);
  if (!role) return false;
  for (const dt::Node claim : std::span{claims_.data(), claim_count_}) {
    if (default_role_of(tree_, dt::ReservedRegion::read(tree_, reserved_, claim)) != role) continue;
    findings_(
        {.rule = Rule::second_default,
         .severity = Severity::error,
         .node = path(facts.node),
         .property = role->role == Role::default_pool ? "linux,dma-default" : "linux,cma-default",
         .other = other_path(claim),
         .error = Error::already_declared});
    return false;
  }
  if (claim_count_ == kMaxDefaults) return false;
  claims_[claim_count_++] = facts.node;
  return true;
}

/// Holds every enabled fixed region, whatever its kind, against those that are to be pools. Dynamic
/// ones are placed where nothing is. Pools are held against each other by all addresses of their
/// memory; a region that only keeps a pool's cached twin free (JH7100) is no second user of it.
void Builder::find_overlaps() {
  std::size_t count = 0;
  for (Region& region : regions_) {
    if (!region.wanted || !region.memory) continue;
    for (const PhysRange range : facts_of(region).chunks) {
      region.uncounted = count == pool_ranges_.size();
      if (region.uncounted) break;
      pool_ranges_[count++] = {.range = range, .region = &region};
    }
  }
  if (count == 0) return;
  for (Region& region : regions_) {
    const auto facts = facts_of(region);
    if (!facts.enabled) continue;
    for (const PhysRange range : facts.chunks) {
      for (const PoolRange& pool : pool_ranges_.first(count)) {
        if (pool.region == &region || pool.region->overlap) continue;
        const PhysRange common = pool.range.intersection(range);
        const bool by_alias = common.empty() && region.wanted && region.memory &&
                              share_bytes(system_.platform().aliases, pool.range, range);
        if (common.empty() && !by_alias) continue;
        pool.region->overlap =
            Overlap{.other = region.node, .range = by_alias ? pool.range : common};
      }
    }
  }
}

/// What keeps a region that is wanted from being a pool, by what the tree alone says.
std::optional<Finding> Builder::mistake_in(const Region& region,
                                           const dt::ReservedRegion& facts) const {
  Finding finding{.rule = Rule::malformed_region, .severity = Severity::error, .node = region.name};
  const auto found = [&](Rule rule, std::string_view property, Error error) {
    finding.rule = rule;
    finding.property = property;
    finding.error = error;
    return std::optional{finding};
  };

  if (facts.kind == dt::RegionKind::invalid)
    return found(Rule::no_map_and_reusable, "reusable", Error::wrong_kind);
  if (facts.kind == dt::RegionKind::bounce &&
      (facts.no_map || facts.reusable || facts.dma_default || facts.cma_default)) {
    return found(Rule::restricted_conflict, "compatible", Error::wrong_kind);
  }
  if (facts.placement == dt::RegionPlacement::none) {
    return found(Rule::malformed_region, dt::property_of(facts.fault), Error::malformed);
  }
  if (region.uncounted) return found(Rule::malformed_region, "reg", Error::table_full);
  for (const PhysRange range : facts.chunks) {
    finding.range = range;
    if (range.empty()) return found(Rule::empty_region, "reg", Error::empty_range);
    if (range.wraps()) return found(Rule::region_wraps, "reg", Error::wraps);
  }
  if (region.overlap) {
    finding.range = region.overlap->range;
    finding.other = other_path(region.overlap->other);
    return found(Rule::overlapping_regions, "reg", Error::overlaps);
  }
  if (facts.placement == dt::RegionPlacement::fixed) return std::nullopt;

  const auto place = placement_->of(region.node);
  if (place) return std::nullopt;
  finding.range = {PhysAddr{0}, facts.size_bytes.value_or(0)};
  switch (place.error()) {
    case dt::PlacementFault::not_applicable:
      return found(Rule::empty_region, "size", Error::empty_range);
    case dt::PlacementFault::malformed_alloc_ranges:
      return found(Rule::malformed_region, "alloc-ranges", Error::malformed);
    case dt::PlacementFault::malformed_alignment:
    case dt::PlacementFault::alignment_no_power_of_two:
      return found(Rule::bad_alignment, "alignment", Error::malformed);
    case dt::PlacementFault::no_memory:
    case dt::PlacementFault::does_not_fit:
      break;
  }
  return found(Rule::cannot_be_placed, "size", Error::not_placed);
}

Result<Pool*> Builder::declare(const Region& region, const dt::ReservedRegion& facts) const {
  std::size_t count = 0;
  for (const PhysRange range : facts.chunks) chunks_[count++] = range;
  if (facts.placement == dt::RegionPlacement::dynamic)
    chunks_[count++] = *placement_->of(region.node);
  return system_.declare(
      {.name = region.name, .memory = *region.memory, .chunks = chunks_.first(count)});
}

Result<void> Builder::make_pool(Region& region) {
  if (!region.wanted || !region.memory) return {};
  const auto facts = facts_of(region);
  const auto name = system_.keep(path(region.node));
  if (!name) return std::unexpected{name.error()};
  region.name = *name;

  if (const auto mistake = mistake_in(region, facts)) {
    findings_(*mistake);
    region.refused = mistake->error;
    return {};
  }
  const auto pool = declare(region, facts);
  if (!pool) {
    // What a tree cannot know and a board can: its granule. And two ranges of one region that
    // overlap: regions were held against each other, not against themselves.
    const Failure& failure = pool.error();
    if (failure.code == Error::storage_too_small) return std::unexpected{failure};
    region.refused = failure.code;
    findings_({.rule = failure.code == Error::overlaps ? Rule::overlapping_regions
                                                       : Rule::not_whole_granules,
               .severity = Severity::error,
               .node = region.name,
               .property = facts.placement == dt::RegionPlacement::fixed ? "reg" : "size",
               .other = failure.other,
               .error = failure.code});
    return {};
  }
  region.pool = *pool;
  report_warnings(region, facts);
  return give_default(facts, **pool);
}

void Builder::report_warnings(const Region& region, const dt::ReservedRegion& facts) const {
  if (facts.kind == dt::RegionKind::coherent && !facts.no_map) {
    findings_({.rule = Rule::neither_no_map_nor_reusable,
               .severity = Severity::warning,
               .node = region.name});
  }
  for (std::size_t i = 0; i < region.pool->chunks().size(); ++i) {
    const std::uint64_t lost = chunks_[i].size_bytes - region.pool->chunks()[i].range.size_bytes;
    if (lost == 0) continue;
    findings_({.rule = Rule::not_whole_granules,
               .severity = Severity::warning,
               .node = region.name,
               .property = facts.placement == dt::RegionPlacement::fixed ? "reg" : "size",
               .range = {chunks_[i].base, lost}});
  }
}

Result<void> Builder::give_default(const dt::ReservedRegion& facts, Pool& pool) const {
  const std::span claims{claims_.data(), claim_count_};
  if (std::ranges::find(claims, facts.node) == claims.end()) return {};
  const DefaultRole role = *default_role_of(tree_, facts);
  auto set = system_.set_default(role.role, pool, role.numa_node);
  if (set || set.error().code == Error::storage_too_small) return set;
  // Roles are claimed once: only the board's views of the memory can stand against it.
  findings_({.rule = Rule::no_uncached_view,
             .severity = Severity::error,
             .node = pool.name(),
             .property = facts.dma_default ? "linux,dma-default" : "linux,cma-default",
             .error = set.error().code});
  return {};
}

Result<void> Builder::add_device(const DeviceSpec& spec) {
  const dt::Node node = *tree_.find(spec.node);  // sizes_of() found it
  const dt::DmaView view = view_of(tree_, node, spec, windows_);
  if (view.translation.kind() == Translation::Kind::invalid) {
    findings_({.rule = Rule::malformed_dma_ranges,
               .severity = Severity::error,
               .node = view.bus ? path(*view.bus) : spec.node,
               .property = "dma-ranges",
               .error = view.fault == dt::DmaFault::too_many_windows
                            ? std::optional{Error::table_full}
                            : std::nullopt});
  }
  const auto added =
      system_.add_device({.name = spec.node,
                          .coherent_mask = spec.coherent_mask,
                          .translation = view.translation,
                          .coherent = tree_.coherent(node),
                          .behind_iommu = !spec.any_on_bus && tree_.has(node, "iommus"),
                          .numa_node = nearest_numa_node(tree_, node)});
  if (!added) return std::unexpected{added.error()};
  Result<void> bound;
  for_each_entry(tree_, node, spec, [&](const dt::Binding& entry) {
    if (bound) bound = bind_entry(entry, spec, **added);
  });
  return bound;
}

Result<void> Builder::bind_entry(const dt::Binding& entry, const DeviceSpec& spec, Device& device) {
  Finding finding{.rule = Rule::no_such_region,
                  .severity = Severity::error,
                  .node = spec.node,
                  .property = "memory-region",
                  .index = entry.index};
  if (!entry.region || !reserved_.holds(tree_, *entry.region)) {
    if (entry.region) finding.other = other_path(*entry.region);
    findings_(finding);
    return {};
  }
  const Region& region = *region_at(*entry.region);
  if (!tree_.okay(region.node) || reserved_.fault() == dt::ReservedMemoryFault::disabled) {
    finding.rule = Rule::disabled_region;
    finding.severity = Severity::warning;
    finding.other = other_path(region.node);
    findings_(finding);
  }
  if (!region.memory) return {};

  BindingSettings settings{.index = entry.index};
  if (entry.name) {
    const auto name = system_.keep(*entry.name);
    if (!name) return std::unexpected{name.error()};
    settings.name = *name;
  }
  auto bound = bind_region(region, settings, device);
  if (!bound && bound.error().code == Error::already_declared) {
    // Two entries of one name: the name means the first, and the second is there by its index.
    settings.name = {};
    bound = bind_region(region, settings, device);
  }
  if (bound || !region.pool) return bound;
  if (bound.error().code == Error::storage_too_small) return bound;
  finding.rule =
      bound.error().code == Error::no_uncached_view ? Rule::no_uncached_view : Rule::out_of_reach;
  finding.other = region.name;
  finding.error = bound.error().code;
  for (const Chunk& chunk : region.pool->chunks()) {
    finding.range = chunk.range;
    if (reach_error(device.translation, device.reaches, chunk.range)) break;
  }
  findings_(finding);
  return {};
}

Result<void> Builder::bind_region(const Region& region, const BindingSettings& settings,
                                  Device& device) {
  if (region.pool != nullptr) return system_.bind(device, *region.pool, settings);
  return system_.bind_refused(device, region.name, *region.memory, *region.refused, settings);
}

}  // namespace

Result<std::size_t> measure(const dt::Tree& tree, std::span<const DeviceSpec> devices,
                            const Platform& platform) {
  const auto sizes = sizes_of(tree, devices, platform);
  if (!sizes) return std::unexpected{sizes.error()};
  return sizes->total_bytes();
}

Result<System*> build(const dt::Tree& tree, std::span<const DeviceSpec> devices,
                      const Platform& platform, std::span<std::byte> storage,
                      FindingSink findings) {
  const auto sizes = sizes_of(tree, devices, platform);
  if (!sizes) return std::unexpected{sizes.error()};
  if (storage.size() < sizes->total_bytes()) {
    return std::unexpected{Failure{.code = Error::storage_too_small,
                                   .asked_bytes = sizes->total_bytes(),
                                   .free_bytes = storage.size()}};
  }
  const auto system =
      System::create(platform, storage.first(storage.size() - sizes->scratch_bytes));
  if (!system) return system;
  if (auto built =
          Builder{tree, *sizes, storage.last(sizes->scratch_bytes), **system, findings}.run(
              devices);
      !built) {
    return std::unexpected{built.error()};
  }
  return system;
}

}  // namespace carveout::setup
