// What a processor's caches need when bytes pass to a device that does not see them, and back: a
// table by direction, and a choice of the port.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "carveout/core/direction.hpp"

namespace carveout {

/// What is done to every line of a range.
enum class CacheWork : std::uint8_t {
  nothing = 0,
  clean = 1,
  invalidate = 2,
  clean_invalidate = clean | invalidate,
};

/// What has the effect of both.
[[nodiscard]] constexpr CacheWork operator|(CacheWork a, CacheWork b) {
  return static_cast<CacheWork>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

/// The work of one direction.
struct SyncRow {
  CacheWork before;  ///< when the device gets the bytes
  CacheWork after;   ///< when the CPU gets them back

  constexpr bool operator==(const SyncRow&) const = default;
};

/// One row for each Direction, in its order.
///
/// Before: a dirty line must not be written back over what the device wrote, and the device must
/// read what the CPU wrote. After: what the CPU fetched meanwhile, by speculation too, is stale.
struct SyncTable {
  std::array<SyncRow, kDirections> rows;

  [[nodiscard]] constexpr const SyncRow& of(Direction direction) const {
    return rows[static_cast<std::size_t>(direction)];
  }
  constexpr bool operator==(const SyncTable&) const = default;
};

/// The tables of Linux v6.6, arch/*/mm and arch/*/kernel, arch_sync_dma_for_device() and _cpu().
/// Where Linux treats lines that a buffer shares with others in another way than whole ones, that
/// part is not here: such buffers are refused or bounced.
namespace sync_tables {

using enum CacheWork;

/// Right on every processor: at least what any table below does, for every direction. What a port
/// gets that states none.
inline constexpr SyncTable safe{
    {{{clean, nothing}, {clean_invalidate, invalidate}, {clean_invalidate, invalidate}}}};
/// ARMv7-M and 32-bit Arm.
inline constexpr SyncTable arm{{{{clean, nothing}, {invalidate, invalidate}, {clean, invalidate}}}};
/// Since v5.19 clean and not invalidate before from_device (c50f11c6196f): a device that writes
/// less than it was asked to must not leave bare what an earlier owner had in memory.
inline constexpr SyncTable arm64{{{{clean, nothing}, {clean, invalidate}, {clean, invalidate}}}};
inline constexpr SyncTable riscv = arm64;
/// A MIPS core that does not fetch by speculation. (Not `mips`: to GCC that is a macro.)
inline constexpr SyncTable mips_not_speculating{
    {{{clean, nothing}, {invalidate, nothing}, {clean_invalidate, nothing}}}};
/// One that does: R10000 and its kin, BMIPS5000, ...
inline constexpr SyncTable mips_speculating{
    {{{clean, nothing}, {invalidate, invalidate}, {clean_invalidate, invalidate}}}};
inline constexpr SyncTable nios2{
    {{{clean_invalidate, nothing}, {invalidate, invalidate}, {clean_invalidate, invalidate}}}};
inline constexpr SyncTable csky{
    {{{clean, nothing}, {clean_invalidate, invalidate}, {clean_invalidate, invalidate}}}};
/// Does nothing before from_device, so a line that is dirty then may be written over what the
/// device wrote: for memory that the CPU does not write while it is its own.
inline constexpr SyncTable xtensa{{{{clean, nothing}, {nothing, invalidate}, {clean, invalidate}}}};
inline constexpr SyncTable hexagon{
    {{{clean, nothing}, {invalidate, nothing}, {clean_invalidate, nothing}}}};
/// Does nothing for bidirectional, which is how Linux has it: use another direction there.
inline constexpr SyncTable openrisc{
    {{{clean_invalidate, nothing}, {invalidate, nothing}, {nothing, nothing}}}};

}  // namespace sync_tables

}  // namespace carveout
