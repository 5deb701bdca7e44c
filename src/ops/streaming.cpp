#include "carveout/ops/streaming.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

#include "carveout/core/assert.hpp"
#include "carveout/core/size.hpp"
#include "carveout/ops/refusal.hpp"
#include "carveout/port/cache_lines.hpp"
#include "carveout/port/sync_table.hpp"

namespace carveout {

using detail::failed;

namespace {

constexpr auto kNoLimit = std::numeric_limits<std::uint64_t>::max();

PortRef port_of(const Device& device) {
  CARVEOUT_ASSERT(device.roles->port.has_value());
  return *device.roles->port;
}

PhysRange range_of(const CpuBytes& bytes) { return {bytes.phys, bytes.size_bytes}; }

/// Where copies for a device are made.
struct BouncePool {
  Pool* pool;  ///< nullptr: nowhere
  std::string_view name;
  std::span<const Reach> reaches;
  std::optional<Error> refused;  ///< when it was bound
  bool restricts;                ///< it is all that the device may reach
};

BouncePool bounce_pool_of(const Device& device) {
  for (const Binding* own = device.bindings; own != nullptr; own = own->next) {
    if (own->memory != Memory::bounce) continue;
    return {.pool = own->pool,
            .name = own->pool_name,
            .reaches = own->reaches,
            .refused = own->refused,
            .restricts = true};
  }
  return {.pool = device.roles->of(Role::bounce),
          .name = {},
          .reaches = device.streaming_reaches,
          .refused = std::nullopt,
          .restricts = false};
}

/// How the CPU uses bytes of which nobody said it. Nothing where it is past the cache, and in what
/// could be a device's at the same time: there the maintenance of a mapping would hit the wrong
/// twin, or another owner's lines.
std::optional<View> view_of(const Device& device, const CpuBytes& bytes) {
  if (bytes.view) return bytes.view;
  const PhysRange range = range_of(bytes);
  const auto is_uncached = [&](const Alias& alias) {
    return PhysRange{alias.uncached, alias.size_bytes}.overlaps(range);
  };
  const Roles& roles = *device.roles;
  if (bytes.cpu == nullptr || std::ranges::any_of(roles.aliases, is_uncached)) return std::nullopt;
  for (const Roles::Member* each = roles.members; each != nullptr; each = each->next) {
    if (each->pool->memory() != Memory::coherent) continue;
    const auto has_bytes = [&](const Chunk& chunk) {
      return share_bytes(roles.aliases, range, chunk.range);
    };
    if (std::ranges::any_of(each->pool->chunks(), has_bytes)) return std::nullopt;
  }
  return View::cached;
}

/// Whether caches stand between these bytes and a device.
bool has_cache_work(const Device& device, const CpuBytes& bytes) {
  return !device.coherent && bytes.view == View::cached;
}

/// Whether a line that the device may write holds bytes of others.
bool shares_a_line(const Device& device, const CpuBytes& bytes, Direction direction) {
  if (!device_writes(direction) || !has_cache_work(device, bytes)) return false;
  const std::size_t line_bytes = port_of(device).cache_line_bytes();
  const auto at = reinterpret_cast<std::uintptr_t>(bytes.cpu);
  const auto behind = static_cast<std::size_t>(0 - bytes.size_bytes - at) & (line_bytes - 1);
  return !owns_whole_lines(at, 0, line_bytes) || behind > bytes.padding_bytes;
}

bool crosses(std::uint64_t boundary_bytes, DmaAddr first, std::uint64_t size_bytes) {
  if (boundary_bytes == 0) return false;
  return ((first.raw() ^ (first.raw() + (size_bytes - 1))) & ~(boundary_bytes - 1)) != 0;
}

/// Where the device finds the bytes as they lie, or why it cannot use them so.
std::expected<DmaAddr, Error> in_place(const Device& device, const CpuBytes& bytes,
                                       Direction direction, const BouncePool& bounce) {
  const PhysRange range = range_of(bytes);
  std::expected<DmaAddr, Error> dma = std::unexpected{Error::unreachable};
  if (!bounce.restricts) {
    dma = streaming_address(device, range);
  } else if (std::ranges::any_of(bounce.pool->chunks(),
                                 [&](const Chunk& chunk) { return chunk.range.contains(range); })) {
    for (const Reach& reach : bounce.reaches) {
      if (!dma && reach.contains(range)) dma = reach.to_dma(range.base);
    }
  }
  if (!dma) return dma;
  if (shares_a_line(device, bytes, direction)) return std::unexpected{Error::partial_line};
  if (crosses(device.streaming.segment_boundary_bytes, *dma, bytes.size_bytes))
    return std::unexpected{Error::crosses_boundary};
  return dma;
}

/// Which low bits of its address a copy has in common with what it is a copy of: those that the
/// device needs, and those by which words can be copied as words. Under a boundary only the former:
/// the others could push a copy over it.
std::uint64_t kept_bits(const StreamingLimits& limits) {
  const std::uint64_t words = limits.segment_boundary_bytes == 0 ? sizeof(std::uintptr_t) - 1 : 0;
  return limits.keep_low_bits | words;
}

/// Takes room for a copy; nothing is copied yet.
///
/// A block begins at a granule of its pool, which is a page on machines with pages: what begins at
/// one there does so in its copy, too, whatever the device keeps.
Result<MappedBytes> take_copy(const Device& device, const CpuBytes& bytes, Direction direction,
                              Context context, const BouncePool& bounce) {
  const std::uint64_t largest = device.roles->largest_bounce_bytes;
  if (bytes.size_bytes > largest) return failed(Error::too_long, bytes.size_bytes, {}, largest);
  const StreamingLimits& limits = device.streaming;
  const std::uint64_t kept = kept_bits(limits);
  const std::uint64_t offset = bytes.phys.raw() & kept;
  const std::uint64_t needed = checked_add(offset, bytes.size_bytes).value_or(kNoLimit);
  const std::uint64_t boundary = limits.segment_boundary_bytes;
  if (boundary != 0 && needed > boundary)
    return failed(Error::crosses_boundary, needed, {}, boundary);
  const View view = bounce.pool->has(View::cached) ? View::cached : View::uncached;
  const auto block = bounce.pool->take(Need{.size_bytes = needed,
                                            .align_bytes = kept + 1,
                                            .boundary_bytes = boundary,
                                            .holder = device.id,
                                            .context = context},
                                       bounce.reaches, view);
  if (!block) return std::unexpected{block.error()};
  return MappedBytes{.bytes = bytes,
                     .dma = DmaAddr{block->dma.raw() + offset},
                     .direction = direction,
                     .copy = *block};
}

/// What the device works on: the bytes themselves, or their copy.
CpuBytes at_device(const MappedBytes& mapped) {
  if (!mapped.copy) return mapped.bytes;
  const std::uint64_t offset = mapped.dma.raw() - mapped.copy->dma.raw();
  CpuBytes copy = bytes_of(*mapped.copy, mapped.copy->size_bytes);
  copy.cpu += offset;
  copy.phys = PhysAddr{copy.phys.raw() + offset};
  copy.size_bytes = mapped.bytes.size_bytes;
  return copy;
}

void work(PortRef port, CacheWork what, std::byte* at, std::size_t size_bytes) {
  switch (what) {
    case CacheWork::nothing:
      break;
    case CacheWork::clean:
      port.clean(at, size_bytes);
      break;
    case CacheWork::invalidate:
      port.invalidate(at, size_bytes);
      break;
    case CacheWork::clean_invalidate:
      port.clean_invalidate(at, size_bytes);
      break;
  }
}

/// What a copy needs beyond a table's work before the device gets it, because the CPU wrote it just
/// now through its cache, whatever the direction: it must go to memory, and where the device
/// writes, no line of it may stay, for a table that does nothing afterwards.
CacheWork extra_for_copy(Direction direction) {
  return device_writes(direction) ? CacheWork::clean_invalidate : CacheWork::clean;
}

/// The bytes, or a part of them, to the device. Who calls publishes.
void to_device(const Device& device, const MappedBytes& mapped, Part part) {
  const PortRef port = port_of(device);
  const CpuBytes there = at_device(mapped);
  const auto size_bytes = static_cast<std::size_t>(part.size_bytes);  // the CPU has a pointer
  std::byte* const at = there.cpu + part.offset_bytes;
  if (mapped.copy) port.copy(at, mapped.bytes.cpu + part.offset_bytes, size_bytes);
  if (!has_cache_work(device, there)) return;
  const CacheWork before = port.sync_table().of(mapped.direction).before;
  work(port, mapped.copy ? before | extra_for_copy(mapped.direction) : before, at, size_bytes);
}

/// The way back. Who calls has observed.
void to_cpu(const Device& device, const MappedBytes& mapped, Part part) {
  const PortRef port = port_of(device);
  const CpuBytes there = at_device(mapped);
  const auto size_bytes = static_cast<std::size_t>(part.size_bytes);
  std::byte* const at = there.cpu + part.offset_bytes;
  if (has_cache_work(device, there))
    work(port, port.sync_table().of(mapped.direction).after, at, size_bytes);
  if (mapped.copy && device_writes(mapped.direction))
    port.copy(mapped.bytes.cpu + part.offset_bytes, at, size_bytes);
}

/// Between the last access of the CPU and the word to the device. Where the device writes, what the
/// CPU read is read by then, too: a late load of an earlier packet would see the next one.
void hand_over(PortRef port, Direction direction) {
  if (device_writes(direction)) {
    port.full_barrier();
  } else {
    port.publish_barrier();
  }
}

/// Whose a part of what the caller lent is: of the bytes themselves, where a copy is made, too.
PhysRange lent(const MappedBytes& mapped, Part part) {
  return {PhysAddr{mapped.bytes.phys.raw() + part.offset_bytes}, part.size_bytes};
}

Part whole(const MappedBytes& mapped) { return {0, mapped.bytes.size_bytes}; }

std::optional<Error> fault_of(Part part, const MappedBytes& mapped) {
  if (part.size_bytes == 0) return Error::zero_size;
  const std::uint64_t all = mapped.bytes.size_bytes;
  if (part.offset_bytes > all || part.size_bytes > all - part.offset_bytes)
    return Error::outside_mapping;
  return std::nullopt;
}

std::unexpected<Failure> refused_part(const Device& device, Error fault, Part part) {
  return refused(device, Attributes::none, {.code = fault, .asked_bytes = part.size_bytes});
}

/// What is wrong with a request before anybody looks at where the bytes lie.
Result<void> check(const Device& device, const CpuBytes& bytes, Attributes attributes) {
  const std::uint64_t size_bytes = bytes.size_bytes;
  if (size_bytes == 0) return failed(Error::zero_size, 0);
  if (range_of(bytes).wraps()) return failed(Error::wraps, size_bytes);
  if (has(attributes, Attributes::require_coherent) && has(attributes, Attributes::non_coherent))
    return failed(Error::bad_attributes, size_bytes);
  if (device.roles->described_only) return failed(Error::unknown_memory, size_bytes);
  if (device.behind_iommu) return failed(Error::needs_iommu, size_bytes);
  const std::uint64_t longest = device.streaming.max_segment_bytes;
  if (longest != 0 && size_bytes > longest) return failed(Error::too_long, size_bytes, {}, longest);
  return {};
}

/// What map() does before anybody is told: the caches' work, or a copy.
Result<MappedBytes> prepare(const Device& device, CpuBytes bytes, Direction direction,
                            const MapOptions& options) {
  if (const auto checked = check(device, bytes, options.attributes); !checked)
    return std::unexpected{checked.error()};
  bytes.view = view_of(device, bytes);
  if (!bytes.view) return failed(Error::wrong_view, bytes.size_bytes);
  const bool no_help = has(options.attributes, Attributes::require_coherent);
  if (no_help && has_cache_work(device, bytes)) return failed(Error::needs_copy, bytes.size_bytes);

  const BouncePool bounce = bounce_pool_of(device);
  if (bounce.refused) return failed(*bounce.refused, bytes.size_bytes, bounce.name);
  const auto dma = in_place(device, bytes, direction, bounce);
  if (dma) {
    const MappedBytes mapped{.bytes = bytes, .dma = *dma, .direction = direction};
    if (!has(options.attributes, Attributes::skip_cpu_sync))
      to_device(device, mapped, whole(mapped));
    return mapped;
  }
  if (no_help) return failed(Error::needs_copy, bytes.size_bytes);
  if (bounce.pool == nullptr || bytes.cpu == nullptr) {
    const std::uint64_t boundary = device.streaming.segment_boundary_bytes;
    return failed(dma.error(), bytes.size_bytes, {},
                  dma.error() == Error::crosses_boundary ? std::optional{boundary} : std::nullopt);
  }
  const auto mapped = take_copy(device, bytes, direction, options.context, bounce);
  // The caller may have seen to the caches where its own bytes lie; nobody else can for the copy.
  if (mapped) to_device(device, *mapped, whole(*mapped));
  return mapped;
}

/// map() without the barrier.
Result<MappedBytes> lend(const Device& device, const CpuBytes& bytes, Direction direction,
                         const MapOptions& options) {
  const auto mapped = prepare(device, bytes, direction, options);
  if (mapped) port_of(device).device_owns(range_of(bytes), direction);
  return mapped;
}

Result<void> give_copy_back(const MappedBytes& mapped) {
  if (!mapped.copy) return {};
  return mapped.copy->pool->give_back(*mapped.copy);
}

/// The bytes are the CPU's, as they lie, and their copy nobody's.
Result<void> take_back(const Device& device, const MappedBytes& mapped) {
  port_of(device).cpu_owns(range_of(mapped.bytes));
  return give_copy_back(mapped);
}

/// unmap() without the barrier.
Result<void> end(const Device& device, const MappedBytes& mapped, Attributes attributes) {
  port_of(device).cpu_owns(range_of(mapped.bytes));  // before the CPU works on them
  if (mapped.copy || !has(attributes, Attributes::skip_cpu_sync))
    to_cpu(device, mapped, whole(mapped));
  const auto ended = give_copy_back(mapped);
  if (!ended) return refused(device, attributes, ended.error());
  return ended;
}

/// What is no memory, as the device sees it.
Result<DmaAddr> address_of(const Device& device, PhysRange range) {
  const std::uint64_t size_bytes = range.size_bytes;
  if (range.empty()) return failed(Error::empty_range, 0);
  if (range.wraps()) return failed(Error::wraps, size_bytes);
  if (device.behind_iommu) return failed(Error::needs_iommu, size_bytes);
  const Roles& roles = *device.roles;
  for (const Roles::Member* each = roles.members; each != nullptr; each = each->next) {
    const bool is_memory = std::ranges::any_of(each->pool->chunks(), [&](const Chunk& chunk) {
      return share_bytes(roles.aliases, range, chunk.range);
    });
    if (is_memory) return refuse(Error::overlaps, {}, each->pool->name());
  }
  if (bounce_pool_of(device).restricts) return failed(Error::unreachable, size_bytes);
  const auto dma = streaming_address(device, range);
  if (!dma) return failed(dma.error(), size_bytes);
  return *dma;
}

/// The most bytes in one piece that a device reaches of the pool where its copies are made.
std::uint64_t longest_copy_bytes(const BouncePool& bounce) {
  if (bounce.pool == nullptr || bounce.refused) return 0;
  std::uint64_t longest = 0;
  for (const Chunk& chunk : bounce.pool->chunks()) {
    for (const Reach& reach : bounce.reaches) {
      const PhysAddr first = std::max(chunk.range.base, reach.first);
      const PhysAddr last = std::min(chunk.range.last(), reach.last);
      if (first <= last) longest = std::max(longest, last.raw() - first.raw() + 1);
    }
  }
  return longest;
}

}  // namespace

Result<MappedBytes> map(const Device& device, const CpuBytes& bytes, Direction direction,
                        const MapOptions& options) {
  const auto mapped = lend(device, bytes, direction, options);
  if (!mapped) return refused(device, options.attributes, mapped.error());
  hand_over(port_of(device), direction);
  return mapped;
}

Result<void> sync_for_cpu(const Device& device, const MappedBytes& mapped, Part part) {
  if (const auto fault = fault_of(part, mapped)) return refused_part(device, *fault, part);
  const PortRef port = port_of(device);
  port.observe_barrier();
  port.cpu_owns(lent(mapped, part));
  to_cpu(device, mapped, part);
  return {};
}

Result<void> sync_for_cpu(const Device& device, const MappedBytes& mapped) {
  return sync_for_cpu(device, mapped, whole(mapped));
}

Result<void> sync_for_device(const Device& device, const MappedBytes& mapped, Part part) {
  if (const auto fault = fault_of(part, mapped)) return refused_part(device, *fault, part);
  to_device(device, mapped, part);
  hand_over(port_of(device), mapped.direction);
  port_of(device).device_owns(lent(mapped, part), mapped.direction);
  return {};
}

Result<void> sync_for_device(const Device& device, const MappedBytes& mapped) {
  return sync_for_device(device, mapped, whole(mapped));
}

Part whole_lines(const Device& device, const MappedBytes& mapped, Part part) {
  // A copy lies in other lines than what it is a copy of.
  const CpuBytes there = at_device(mapped);
  if (fault_of(part, mapped) || !has_cache_work(device, there)) return part;
  const std::uint64_t line_bytes = port_of(device).cache_line_bytes();
  const std::uint64_t lead = reinterpret_cast<std::uintptr_t>(there.cpu) & (line_bytes - 1);
  const std::uint64_t first = align_down(lead + part.offset_bytes, line_bytes);
  const std::uint64_t begin = first > lead ? first - lead : 0;
  const auto end = align_up(lead + part.offset_bytes + part.size_bytes, line_bytes);
  const std::uint64_t all = mapped.bytes.size_bytes;
  const std::uint64_t stop = end ? std::min(*end - lead, all) : all;
  return {.offset_bytes = begin, .size_bytes = stop - begin};
}

Result<void> unmap(const Device& device, const MappedBytes& mapped, Attributes attributes) {
  port_of(device).observe_barrier();
  return end(device, mapped, attributes);
}

Result<void> abandon(const Device& device, const MappedBytes& mapped) {
  const auto ended = take_back(device, mapped);
  if (!ended) return refused(device, Attributes::none, ended.error());
  return ended;
}

Result<void> map_each(const Device& device, std::span<const CpuBytes> bytes, Direction direction,
                      std::span<std::optional<MappedBytes>> mapped, const MapOptions& options) {
  CARVEOUT_ASSERT(bytes.size() == mapped.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto entry = lend(device, bytes[i], direction, options);
    if (!entry) {
      for (std::optional<MappedBytes>& done : mapped.first(i)) {
        std::ignore = take_back(device, *done);  // the failure to tell is the entry's
        done.reset();
      }
      return refused(device, options.attributes, entry.error());
    }
    mapped[i] = *entry;
  }
  if (!bytes.empty()) hand_over(port_of(device), direction);
  return {};
}

Result<void> unmap_each(const Device& device, std::span<std::optional<MappedBytes>> mapped,
                        Attributes attributes) {
  if (!mapped.empty()) port_of(device).observe_barrier();
  Result<void> first;
  for (std::optional<MappedBytes>& entry : mapped) {
    if (!entry) continue;
    const auto ended = end(device, *entry, attributes);
    if (!ended && first) first = ended;
    entry.reset();
  }
  return first;
}

Result<DmaAddr> map_resource(const Device& device, PhysRange range) {
  const auto dma = address_of(device, range);
  if (!dma) return refused(device, Attributes::none, dma.error());
  return dma;
}

std::uint64_t largest_mapping_bytes(const Device& device) {
  const StreamingLimits& limits = device.streaming;
  std::uint64_t largest = kNoLimit;
  if (limits.max_segment_bytes != 0) largest = std::min(largest, limits.max_segment_bytes);
  if (limits.segment_boundary_bytes != 0)
    largest = std::min(largest, limits.segment_boundary_bytes);
  const BouncePool bounce = bounce_pool_of(device);
  std::uint64_t room = longest_copy_bytes(bounce);
  if (room == 0) return bounce.restricts ? 0 : largest;
  if (limits.segment_boundary_bytes != 0) room = std::min(room, limits.segment_boundary_bytes);
  // A copy that begins in the middle of what it keeps takes so much more.
  room -= std::min(room, kept_bits(limits));
  return std::min({largest, room, device.roles->largest_bounce_bytes});
}

Result<CpuBytes> bytes_at(const Device& device, std::byte* at, std::uint64_t size_bytes) {
  const auto refuse_it = [&](Error code) {
    return refused(device, Attributes::none, {.code = code, .asked_bytes = size_bytes});
  };
  if (size_bytes == 0) return refuse_it(Error::zero_size);
  if (device.roles->described_only || size_bytes > std::numeric_limits<std::size_t>::max())
    return refuse_it(Error::unknown_memory);
  const auto phys = port_of(device).phys_of(at, static_cast<std::size_t>(size_bytes));
  if (!phys) return refuse_it(Error::unknown_memory);
  return CpuBytes{.cpu = at, .phys = *phys, .size_bytes = size_bytes};
}

CpuBytes bytes_of(const Block& block, std::uint64_t size_bytes) {
  CARVEOUT_ASSERT(size_bytes <= block.size_bytes);
  // Memory that the CPU does not map is in no cache either: it was cleaned when it was handed out.
  const bool uncached = block.cpu == block.pool->pointer(block, View::uncached);
  return {.cpu = block.cpu,
          .phys = block.phys,
          .size_bytes = size_bytes,
          .view = uncached || block.cpu == nullptr ? View::uncached : View::cached,
          .padding_bytes = block.size_bytes - size_bytes};
}

}  // namespace carveout
