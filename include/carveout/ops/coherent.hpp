// The verbs of coherent memory. Step 1, 5 and 6 of docs/tour.md are here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "carveout/core/attributes.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/function_ref.hpp"
#include "carveout/map/device.hpp"
#include "carveout/map/route.hpp"
#include "carveout/pool/block_pool.hpp"
#include "carveout/pool/pool.hpp"

namespace carveout {

/// Allocates memory that `device` and the CPU both see without cache maintenance.
///
/// The device's own pool is used if it has one, and then no other, even when it is empty;
/// otherwise see route(). The block is zeroed and owns whole cache lines at both ends. A refusal is
/// told to the board's log (Platform::log), unless Attributes::no_warn says that it is expected.
///
/// @param size_bytes  1 or more; rounded up to the pool's granule.
/// @return the block: CPU pointer and device address of the same first byte. The pointer is null
///         under Attributes::no_cpu_mapping.
///
/// Fails with exactly one of:
///   zero_size, bad_alignment, bad_boundary
///   bad_attributes    some contradict each other; `stated` says which
///   crosses_boundary  the request is larger than the boundary it must not cross
///   size_overflow     size_bytes, rounded up to granules, passes 2^64
///   exhausted         nothing free of that length, alignment and boundary in the reachable part
///   table_full        the pool's tables have no room for another block
///   not_in_window     a chunk of the device's own pool lies whole in none of its windows
///   unreachable       the pool lies over the device's mask or limit
///   no_uncached_view  the CPU could reach the pool only through its cache
///   unknown_pool      the request names a pool that is not bound to the device
///   needs_iommu       the device's addresses are an IOMMU's choice, and none is driven here
///   no_pool           no role applies, or a restricted pool bars the one that was asked for
///   would_wait        the port does not let this context wait for the pool's lock
///   any error that refused the device's own pool when it was bound
///
/// Cost: linear in size for cache work and zeroing, constant in the state of the pool: see
/// RangeAllocator::take() for the requests of which that holds.
/// Context: any, interrupts too. Thread-safe; takes each tried pool's lock once.
/// Source: Linux v6.6 kernel/dma/mapping.c, dma_alloc_attrs(), for the idea of the route; its order
/// is Carveout's own.
[[nodiscard]] Result<Block> alloc_coherent(const Device& device, std::uint64_t size_bytes,
                                           const Options& options = {});

/// The same from the device's own coherent pools and from nothing else: no_pool where it has none,
/// and unknown_pool for a request that names one of another kind.
[[nodiscard]] Result<Block> alloc_from_device_pool(const Device& device, std::uint64_t size_bytes,
                                                   const Options& options = {});

/// The same from the board's default pool and from nothing else, for architecture code: it is what
/// alloc_coherent() itself uses when its route comes to that pool. The device translates the
/// address. Its own coherent pools do not matter here, but a restricted one does: it is all that
/// the device may reach, so that there is no_pool for it.
[[nodiscard]] Result<Block> alloc_from_default_pool(const Device& device, std::uint64_t size_bytes,
                                                    const Options& options = {});

/// The twin of alloc_from_default_pool() for the board's default contiguous memory.
[[nodiscard]] Result<Block> alloc_from_default_contiguous(const Device& device,
                                                          std::uint64_t size_bytes,
                                                          const Options& options = {});

/// Gives a block back to the pool that it names; nothing is searched. The device must be quiet: a
/// block that it may still write belongs to it. A refusal is told to the board's log.
///
/// Fails with exactly what Pool::give_back() fails with; a refused call changes nothing.
/// Context: any, interrupts too.
Result<void> free_coherent(const Block& block);

/// Blocks of one size for `device`, with the attributes of alloc_coherent(), cut from pages of the
/// first pool that its route names as open, and of no other: unlike one block, a page is never
/// taken from a second own pool or a fallback when that pool is exhausted, and no lent memory is
/// had back for it. A page is zeroed when it is taken; a block is then as its last owner left it.
///
/// @param settings  `holder` and `prepare_page` are set here.
/// @param storage   BlockPool::storage_bytes(), aligned to BlockPool::kStorageAlign; outlives it.
/// Fails like alloc_coherent() for a page where the pool is not asked yet, with what
/// BlockPool::create() fails with, and bad_attributes (no_cpu_mapping).
[[nodiscard]] Result<BlockPool> create_block_pool(const Device& device,
                                                  BlockPool::Settings settings,
                                                  std::span<std::byte> storage,
                                                  const Options& options = {});

/// What a request got: a block, or ordinary memory that Carveout does not manage.
struct Taken {
  Role role;
  std::optional<Block> block;  ///< nothing for ordinary memory elsewhere
};

/// Walks the route and takes from the first candidate that serves, without touching the memory: no
/// cache work, no zeroing. alloc_coherent() is this and prepare(); a tool that has no memory to
/// touch calls it alone. `log` hears of every candidate with its final verdict.
///
/// Fails like alloc_coherent(), but for needs_iommu; the failure is the last refusal's, and no_pool
/// only where every candidate was skipped.
[[nodiscard]] Result<Taken> take_by_route(const Device& device, std::uint64_t size_bytes,
                                          const Options& options,
                                          FunctionRef<void(const Candidate&)> log);

}  // namespace carveout
