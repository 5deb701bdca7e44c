// From a byte range to the cache lines that it touches: the one loop that every port's maintenance
// by address needs.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace carveout {

/// Calls `each(address)` once for every line of `line_bytes` (a power of two) that the range
/// touches, in rising order. Nothing for an empty range; a range may end at the top of the address
/// space.
///
/// @tparam Address  std::uintptr_t for pointers, std::uint64_t for physical addresses.
template <std::unsigned_integral Address, class Each>
constexpr void for_each_line(Address at, std::type_identity_t<Address> size_bytes,
                             std::size_t line_bytes, Each each) {
  if (size_bytes == 0) return;
  const Address mask = ~(static_cast<Address>(line_bytes) - 1);
  const Address last = (at + (size_bytes - 1)) & mask;
  for (Address line = at & mask;; line += line_bytes) {
    each(line);
    if (line == last) return;
  }
}

/// Whether a range begins and ends on lines of its own, so that maintenance of it touches nobody
/// else's bytes.
[[nodiscard]] constexpr bool owns_whole_lines(std::uintptr_t at, std::size_t size_bytes,
                                              std::size_t line_bytes) {
  return ((at | size_bytes) & (line_bytes - 1)) == 0;
}

}  // namespace carveout
