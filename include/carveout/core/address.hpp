// Addresses and ranges. Three address spaces meet in DMA; two of them are types here, and the
// third, the CPU's view, is an ordinary pointer.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace carveout {

/// An address in one address space. Spaces do not mix: only a Window crosses between them.
/// There is no invalid value; "no address" is an error or a missing object, because 0 is a
/// legal device address on any bus whose dma-ranges has an offset.
template <class Space>
class Address {
 public:
  constexpr explicit Address(std::uint64_t raw) : raw_{raw} {}
  [[nodiscard]] constexpr std::uint64_t raw() const { return raw_; }
  [[gnu::always_inline]] constexpr auto operator<=>(const Address&) const = default;

 private:
  std::uint64_t raw_;
};

using PhysAddr = Address<struct PhysSpace>;  ///< what the CPU's bus matrix emits
using DmaAddr = Address<struct DmaSpace>;    ///< what the device puts on its bus

/// `size_bytes` bytes from `base` on. An empty range is a fact that a device tree can state, so it
/// is representable; it contains nothing and overlaps nothing.
///
/// A range may end exactly at 2^64. One that would go beyond wraps(): ask before trusting a range
/// that came from outside. Every other function below takes the part up to 2^64.
template <class Space>
struct Range {
  Address<Space> base;
  std::uint64_t size_bytes;

  constexpr bool operator==(const Range&) const = default;

  [[nodiscard]] constexpr bool empty() const { return size_bytes == 0; }

  [[nodiscard]] constexpr bool wraps() const {
    return size_bytes != 0 && base.raw() + (size_bytes - 1) < base.raw();
  }

  /// The last byte: inclusive, because one past it need not have an address. Not for an empty
  /// range.
  [[nodiscard]] constexpr Address<Space> last() const {
    constexpr auto kTop = std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t last = base.raw() + (size_bytes - 1);
    return Address<Space>{last < base.raw() ? kTop : last};
  }

  [[nodiscard]] constexpr bool contains(Address<Space> address) const {
    return !empty() && base <= address && address <= last();
  }

  /// Whether every byte of `inner`, which is not empty, is in this range.
  [[nodiscard]] constexpr bool contains(const Range& inner) const {
    return !empty() && !inner.empty() && base <= inner.base && inner.last() <= last();
  }

  [[nodiscard]] constexpr bool overlaps(const Range& other) const {
    return !empty() && !other.empty() && base <= other.last() && other.base <= last();
  }

  /// The bytes that both ranges have; empty where they have none.
  [[nodiscard]] constexpr Range intersection(const Range& other) const {
    if (!overlaps(other)) return {base, 0};
    return from_to(base > other.base ? base : other.base,
                   last() < other.last() ? last() : other.last());
  }

  /// The range from `first` to `last`, both included, at most 2^64 - 1 bytes long.
  [[nodiscard]] static constexpr Range from_to(Address<Space> first, Address<Space> last) {
    constexpr auto kTop = std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t span = last.raw() - first.raw();
    return {first, span == kTop ? kTop : span + 1};
  }
};

using PhysRange = Range<struct PhysSpace>;
using DmaRange = Range<struct DmaSpace>;

}  // namespace carveout
