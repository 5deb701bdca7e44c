// Numbers as a device has them in memory: a byte order that is stated, and a width that is checked.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>

#include "carveout/core/address.hpp"
#include "carveout/core/assert.hpp"

namespace carveout {

/// A number whose bytes lie in memory in `order`, whatever the CPU's own is: a field of a
/// descriptor. Without a value of its own at first, as everything that a device may write.
///
/// It is made from a number as it stands, and read by value(): who reads a field says so.
template <std::unsigned_integral T, std::endian order>
class Ordered {
 public:
  Ordered() = default;
  constexpr explicit(false) Ordered(T value) : raw_{swapped(value)} {}  // {address, length}

  [[nodiscard]] constexpr T value() const { return swapped(raw_); }
  constexpr bool operator==(const Ordered&) const = default;

 private:
  static constexpr T swapped(T value) {
    if constexpr (order == std::endian::native) {
      return value;
    } else {
      return std::byteswap(value);
    }
  }

  T raw_;
};

template <std::unsigned_integral T>
using LittleEndian = Ordered<T, std::endian::little>;
template <std::unsigned_integral T>
using BigEndian = Ordered<T, std::endian::big>;

/// A device address in a field of fewer bits. It fits: the mask that the driver stated for the
/// device says how many bits such a field has, and nothing is handed out over the mask. So one that
/// does not fit is a mask that promises more than the descriptor holds, and an assertion.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T narrow(DmaAddr address) {
  CARVEOUT_ASSERT(address.raw() <= std::numeric_limits<T>::max());
  return static_cast<T>(address.raw());
}

}  // namespace carveout
