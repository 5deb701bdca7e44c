// What can go wrong, as one closed list, and what is said about it.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

namespace carveout {

/// Every reason for which the library refuses. The names are part of the interface: the command
/// line prints them as `failure.code`.
enum class Error : std::uint8_t {
  // requests
  zero_size,         ///< a request for 0 bytes
  bad_alignment,     ///< an alignment that is not a power of two
  bad_boundary,      ///< a boundary that is not a power of two
  crosses_boundary,  ///< a request larger than the boundary that it must not cross
  size_overflow,     ///< a request whose bytes, in whole granules or elements, pass 2^64
  exhausted,         ///< nothing free of that length, alignment and boundary in the reachable part
  not_in_window,     ///< a chunk of the device's own pool lies whole in none of its windows
  unreachable,       ///< memory that the device's windows show, over its mask or limit
  no_pool,           ///< no role applies to the request
  unknown_pool,      ///< the request names a pool that is not bound to the device
  needs_iommu,       ///< the device's addresses are an IOMMU's choice, and none is driven here
  table_full,        ///< the board's table for this is full: blocks, pools, devices, bindings, ...
  would_wait,        ///< an interrupt would have to wait for the pool's lock

  bad_attributes,  ///< attributes that contradict each other

  // streaming
  partial_line,     ///< the device would write part of a cache line that others use, too
  too_long,         ///< longer than the largest mapping or segment
  wrong_view,       ///< not memory that the CPU uses through its cache
  unknown_memory,   ///< the port cannot say where the bytes lie
  needs_copy,       ///< `require_coherent`, and caches or a copy would have to help
  outside_mapping,  ///< part of the range to synchronise is not mapped

  // showing a block to a process
  outside_block,  ///< part of what is to be mapped is not in the block
  shared_page,    ///< a page of it may hold bytes of other blocks

  // blocks given back
  double_free,    ///< the block is free already
  stale_block,    ///< its range was handed out again since
  foreign_block,  ///< the pool never gave it
  wrong_address,  ///< not the first byte of a block
  wrong_size,     ///< not the size that was given
  pool_gone,      ///< the block's pool was released

  // declarations
  already_declared,   ///< this name or role is taken, and the first stays
  empty_range,        ///< a range of 0 bytes
  wraps,              ///< a range that passes 2^64
  overlaps,           ///< shares bytes with another pool
  below_granule,      ///< nothing is left of it in whole granules
  bad_granule,        ///< not a power of two, or too small for so much memory
  bad_alias,          ///< an alias that is empty, passes 2^64, or is askew by part of a cache line
  no_uncached_view,   ///< the CPU has no uncached view of it, and no device is coherent there
  wrong_kind,         ///< a pool that cannot serve in this role
  in_use,             ///< blocks of it live
  storage_too_small,  ///< the storage given is less than what measure() said
  malformed,          ///< the tree states it in a way that cannot be read
  not_placed,         ///< a dynamic region that fits nowhere
  no_such_node,       ///< no node of that path
};

/// The name of an error, as it stands in the code.
[[nodiscard]] std::string_view name_of(Error error);

/// What an error means, in half a sentence.
[[nodiscard]] std::string_view meaning_of(Error error);

/// A refusal: the reason, what was asked, and what there was. Fields that do not apply are empty.
struct Failure {
  Error code;
  std::string_view pool = {};     ///< the pool concerned, by name
  std::string_view other = {};    ///< the second party: who was there first, who holds blocks
  std::uint64_t asked_bytes = 0;  ///< what was asked; of a pool, in its whole granules
  std::uint64_t free_bytes = 0;   ///< what the pool had free in all, or the storage that was given
  std::uint64_t largest_run_bytes = 0;  ///< the longest free run of the pool
  std::optional<std::uint64_t> stated =
      {};  ///< the alignment, boundary, index or attributes that are wrong or too small
  /// How many bytes an atomic pool would have had to have, for what is in use and what was asked
  /// together; 0 where it has them, and the free ones lie in pieces.
  std::uint64_t needed_bytes = 0;

  constexpr bool operator==(const Failure&) const = default;
};

template <class T>
using Result = std::expected<T, Failure>;

[[nodiscard]] constexpr std::unexpected<Failure> refuse(Error code, std::string_view pool = {},
                                                        std::string_view other = {}) {
  return std::unexpected{Failure{.code = code, .pool = pool, .other = other}};
}

}  // namespace carveout
