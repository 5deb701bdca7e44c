// Streaming, the raw layer: ordinary memory lent to a device and taken back, as plain values.
// Owners over it: stream_buffer.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "carveout/core/address.hpp"
#include "carveout/core/attributes.hpp"
#include "carveout/core/direction.hpp"
#include "carveout/core/error.hpp"
#include "carveout/map/device.hpp"
#include "carveout/pool/pool.hpp"

namespace carveout {

/// Bytes of the CPU's that are to be lent to a device.
struct CpuBytes {
  std::byte* cpu;  ///< the first byte, as the CPU uses it
  PhysAddr phys;   ///< the same byte, by the address that the CPU emits for that pointer
  std::uint64_t size_bytes;
  /// How the CPU uses them. Nothing: it is made out by the address, and what is not used through
  /// the cache is refused. Of `uncached` bytes no cache ever knows anything.
  std::optional<View> view = std::nullopt;
  /// How many bytes behind them are nobody else's: padding of the last cache line.
  std::uint64_t padding_bytes = 0;
};

struct MapOptions {
  Attributes attributes = Attributes::none;
  Context context = Context::may_wait;
};

/// Bytes lent to a device: a plain value, like Block. Copies of it are the same mapping, which ends
/// once.
struct MappedBytes {
  CpuBytes bytes;
  DmaAddr dma;  ///< what the device is told: of the first byte, or of its copy
  Direction direction;
  std::optional<Block> copy = std::nullopt;  ///< where the device finds them, if it is bounced
};

/// A part of a mapping.
struct Part {
  std::uint64_t offset_bytes;
  std::uint64_t size_bytes;  ///< 1 or more
};

/// Lends bytes to a device. Until unmap(), or a sync, the CPU must touch no byte of theirs, nor of
/// a cache line that they begin or end in, and whoever wrote them has finished.
///
/// The CPU's caches are brought into the state that the port's sync_table() says; a coherent device
/// needs none of that. Where a device cannot use the bytes as they lie, it is given a copy in its
/// bounce pool: its own one if it has one, which is then all that it may reach, or the board's. Of
/// a from_device mapping, too, the copy is made at map: a device that writes less than was promised
/// leaves bare what an earlier user had there.
///
/// Fails with exactly one of; where a copy could help, the error says why none was made:
///   zero_size, wraps
///   bad_attributes    require_coherent together with non_coherent
///   needs_iommu       the device's addresses are an IOMMU's choice, and none is driven here
///   too_long          longer than the device's largest segment, or than what is bounced; `stated`
///   wrong_view        not memory that the CPU uses through its cache: an alias's uncached side, or
///                     a coherent pool's. Its device address serves without any map
///   needs_copy        require_coherent, and cache work or a copy would be needed
///   not_in_window, unreachable
///   partial_line      the device may write, does not see the caches, and the bytes begin or end
///                     in a line with others
///   crosses_boundary  of the device's segments; `stated`
///   exhausted, table_full, would_wait  of the bounce pool: how full it is
///   any error that refused the device's own bounce pool when it was bound
///   unknown_memory    the board is only described: there are no bytes
///
/// Cost: linear in the size for cache work and a copy; else in the board's aliases and pools. At
/// most one lock, of the bounce pool, and not during that work. Context: any, as the port's lock
/// lets it.
/// Source: Linux v6.6 kernel/dma/direct.h, dma_direct_map_page(), and kernel/dma/swiotlb.c.
[[nodiscard]] Result<MappedBytes> map(const Device& device, const CpuBytes& bytes,
                                      Direction direction, const MapOptions& options = {});

/// Gives the bytes, or a part of them, to the CPU for a while; the mapping goes on. Reads of the
/// CPU see what the device wrote. The device leaves them alone until they are given back, and what
/// else lies in their cache lines, too: whole_lines().
///
/// Fails with: outside_mapping, zero_size (an empty part).
/// Cost: linear in the size, for cache work and a copy. Context: any.
Result<void> sync_for_cpu(const Device& device, const MappedBytes& mapped);
Result<void> sync_for_cpu(const Device& device, const MappedBytes& mapped, Part part);

/// Gives them back to the device, which sees what the CPU wrote. Where it may write, what the CPU
/// read is read before that.
///
/// Fails like sync_for_cpu().
Result<void> sync_for_device(const Device& device, const MappedBytes& mapped);
Result<void> sync_for_device(const Device& device, const MappedBytes& mapped, Part part);

/// A part widened to the whole cache lines that it touches where the device finds it, but never
/// beyond the mapping: what a sync of the part passes in fact, where caches stand between.
///
/// @param part  inside the mapping; what is not is returned as it is.
[[nodiscard]] Part whole_lines(const Device& device, const MappedBytes& mapped, Part part);

/// Ends a mapping: the bytes are the CPU's again. Once; the device must be quiet.
///
/// @param attributes  skip_cpu_sync leaves the caches alone, as it does at map(). A copy is copied
///                    back all the same.
/// Fails with what Pool::give_back() of the bounce pool fails with; of a direct mapping never.
Result<void> unmap(const Device& device, const MappedBytes& mapped,
                   Attributes attributes = Attributes::none);

/// A mapping that the device was never told of: ends it without cache work and without copying
/// back.
Result<void> abandon(const Device& device, const MappedBytes& mapped);

/// Maps a list, entry by entry: `mapped[i]` is that of `bytes[i]`. Nothing is merged, so there are
/// as many mappings as entries. All or nothing: if an entry fails, those before it are abandoned.
///
/// @param mapped  as long as `bytes`, and empty, as it is left on failure.
/// Fails like map(). Context: where the port's lock may be waited for, so that copies can be given
/// back.
Result<void> map_each(const Device& device, std::span<const CpuBytes> bytes, Direction direction,
                      std::span<std::optional<MappedBytes>> mapped, const MapOptions& options = {});

/// Ends all of them and empties the list. Of several failures the first is told.
Result<void> unmap_each(const Device& device, std::span<std::optional<MappedBytes>> mapped,
                        Attributes attributes = Attributes::none);

/// The device address of what is no memory: another device's registers, say. No cache work, and
/// nothing to end.
///
/// Fails with exactly one of: empty_range, wraps, needs_iommu, overlaps (`other`: the pool whose
/// memory it is), not_in_window, unreachable (by the windows and the streaming mask; a restricted
/// device reaches nothing).
/// Cost: linear in the board's pools. Context: any.
[[nodiscard]] Result<DmaAddr> map_resource(const Device& device, PhysRange range);

/// The longest mapping that map() makes of bytes wherever they lie and however they begin, in
/// bytes; UINT64_MAX: any. What needs no copy may be longer, up to StreamingLimits. 0 where every
/// map is refused: the device's own bounce pool was, when it was bound. Of a pool, the part that
/// the device reaches counts; a board's of which it reaches nothing is none.
[[nodiscard]] std::uint64_t largest_mapping_bytes(const Device& device);

/// Bytes by the CPU's pointer alone, if the port can say where they lie.
///
/// Fails with: zero_size, unknown_memory.
[[nodiscard]] Result<CpuBytes> bytes_at(const Device& device, std::byte* at,
                                        std::uint64_t size_bytes);

/// The bytes of a block, the way in which its owner uses it.
///
/// @param size_bytes  those that are used, at most the block's; the rest is padding.
[[nodiscard]] CpuBytes bytes_of(const Block& block, std::uint64_t size_bytes);

}  // namespace carveout
