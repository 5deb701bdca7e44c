#include "carveout/setup/from_device_tree.hpp"

#include "../device_tree/arena.hpp"
#include "carveout/device_tree/placement.hpp"
#include "carveout/map/alias.hpp"
#include "from_device_tree_sizes.hpp"

namespace carveout::setup {
namespace {

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

/// The work of build(): one member function for each kind of fact.
class Builder {
 public:
  Builder(const dt::Tree& tree, const Sizes& sizes, Wanted wanted, std::span<std::byte> scratch,
          System& system, FindingSink findings, std::span<std::byte> memo)
      : tree_{tree},
        reserved_{tree},
        wanted_{wanted},
        system_{system},
        findings_{findings},
        memo_{memo} {
    dt::Arena arena{scratch};  // it fits: it was measured
    regions_ = *arena.array<Region>(sizes.regions);
    pool_ranges_ = *arena.array<PoolRange>(sizes.pool_ranges);
    chunks_ = *arena.array<PhysRange>(sizes.most_ranges, PhysRange{PhysAddr{0}, 0});
    windows_ = *arena.array<Window>(sizes.windows, kNoWindow);
    paths_ = *arena.array<char>(2 * sizes.path_bytes);
    placement_ = *dt::Placement::work_out(tree, reserved_, arena.rest());
  }

  Result<void> run(std::span<const DeviceSpec> specs);
  void tell(RegionSink refused) const;

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
  Wanted wanted_;
  System& system_;
  FindingSink findings_;
  std::span<std::byte> memo_;

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

void Builder::tell(RegionSink refused) const {
  for (const Region& region : regions_) {
    if (region.refused) refused(region.node, *region.refused);
  }
}

Region* Builder::region_at(dt::Node node) const {
  const auto at = std::ranges::lower_bound(regions_, node, {}, &Region::node);
  return at != regions_.end() && at->node == node ? &*at : nullptr;
}

void Builder::collect_regions(std::span<const DeviceSpec> specs) {
  std::size_t count = 0;
  dt::for_each_region(tree_, reserved_, [&](const dt::ReservedRegion& facts) {
    regions_[count++] =
        Region{.node = facts.node,
               .memory = memory_of(facts),
               .wanted = wanted_ == Wanted::all || (facts.enabled && claims_default(facts))};
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

std::string_view property_of(const DefaultRole& role) {
  return role.role == Role::default_pool ? "linux,dma-default" : "linux,cma-default";
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
    findings_({.rule = Rule::second_default,
               .severity = Severity::error,
               .node = path(facts.node),
               .property = property_of(*role),
               .other = other_path(claim),
               .error = Error::already_declared});
    return false;
  }
  if (claim_count_ == kMaxDefaults) {
    findings_({.rule = Rule::second_default,
               .severity = Severity::error,
               .node = path(facts.node),
               .property = property_of(*role),
               .error = Error::table_full});
    return false;
  }
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
  const dt::DmaView view = view_of(tree_, node, spec, windows_, memo_);
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
                          .numa_node = nearest_numa_node(tree_, node),
                          .streaming = spec.streaming,
                          .quarantine_blocks = spec.quarantine_blocks});
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

Result<System*> run(const dt::Tree& tree, std::span<const DeviceSpec> devices,
                    const Platform& platform, Wanted wanted, std::span<std::byte> storage,
                    FindingSink findings, std::span<std::byte> memo, RegionSink refused) {
  const auto sizes = sizes_of(tree, devices, platform, wanted, memo);
  if (!sizes) return std::unexpected{sizes.error()};
  if (storage.size() < sizes->total_bytes()) {
    return std::unexpected{Failure{.code = Error::storage_too_small,
                                   .asked_bytes = sizes->total_bytes(),
                                   .free_bytes = storage.size()}};
  }
  const auto system =
      System::create(platform, storage.first(storage.size() - sizes->scratch_bytes));
  if (!system) return system;
  Builder builder{tree,     *sizes,   wanted, storage.last(sizes->scratch_bytes),
                  **system, findings, memo};
  if (const auto built = builder.run(devices); !built) return std::unexpected{built.error()};
  builder.tell(refused);
  return system;
}

}  // namespace

Result<std::size_t> measure(const dt::Tree& tree, std::span<const DeviceSpec> devices,
                            const Platform& platform, std::span<std::byte> memo) {
  const auto sizes = sizes_of(tree, devices, platform, Wanted::listed, memo);
  if (!sizes) return std::unexpected{sizes.error()};
  return sizes->total_bytes();
}

Result<System*> build(const dt::Tree& tree, std::span<const DeviceSpec> devices,
                      const Platform& platform, std::span<std::byte> storage, FindingSink findings,
                      std::span<std::byte> memo) {
  return run(tree, devices, platform, Wanted::listed, storage, findings, memo,
             [](dt::Node, Error) {});
}

Result<std::size_t> measure_regions(const dt::Tree& tree, const Platform& platform) {
  const auto sizes = sizes_of(tree, {}, platform, Wanted::all, {});
  if (!sizes) return std::unexpected{sizes.error()};
  return sizes->total_bytes();
}

Result<void> check_regions(const dt::Tree& tree, const Platform& platform,
                           std::span<std::byte> storage, RegionSink refused) {
  const auto system =
      run(tree, {}, platform, Wanted::all, storage, [](const Finding&) {}, {}, refused);
  if (!system) return std::unexpected{system.error()};
  return {};
}

}  // namespace carveout::setup
