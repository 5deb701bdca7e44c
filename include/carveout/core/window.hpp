// What a device sees of memory, and where: the only crossing between DmaAddr and PhysAddr.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "carveout/core/address.hpp"

namespace carveout {

/// One entry of a bus's `dma-ranges`: device addresses from `dma` on are the memory from `cpu` on.
/// Neither side passes 2^64.
struct Window {
  DmaAddr dma;
  PhysAddr cpu;
  std::uint64_t size_bytes;

  constexpr bool operator==(const Window&) const = default;

  [[nodiscard]] constexpr PhysRange cpu_range() const { return {cpu, size_bytes}; }
  [[nodiscard]] constexpr DmaRange dma_range() const { return {dma, size_bytes}; }
  [[nodiscard]] constexpr DmaAddr to_dma(PhysAddr inside) const {
    return DmaAddr{inside.raw() - cpu.raw() + dma.raw()};
  }
  [[nodiscard]] constexpr PhysAddr to_phys(DmaAddr inside) const {
    return PhysAddr{inside.raw() - dma.raw() + cpu.raw()};
  }
};

/// A stretch of memory that one device reaches, and the device address that it has there: a window
/// cut by the device's mask. Both ends are included, so that it can be all of 2^64.
struct Reach {
  PhysAddr first;
  PhysAddr last;
  DmaAddr dma;  ///< of `first`

  constexpr bool operator==(const Reach&) const = default;

  /// All that there is, at device addresses equal to the physical ones.
  [[nodiscard]] static constexpr Reach everything() {
    return {PhysAddr{0}, PhysAddr{std::numeric_limits<std::uint64_t>::max()}, DmaAddr{0}};
  }

  /// Whether it has a byte of a range that is not empty.
  [[nodiscard]] constexpr bool touches(const PhysRange& range) const {
    return first <= range.last() && range.base <= last;
  }
  [[nodiscard]] constexpr bool contains(PhysRange range) const {
    return !range.empty() && !range.wraps() && first <= range.base && range.last() <= last;
  }
  [[nodiscard]] constexpr DmaAddr to_dma(PhysAddr inside) const {
    return DmaAddr{inside.raw() - first.raw() + dma.raw()};
  }

  /// As far as its device addresses stay below 2^64. For one whose `last` is not before `first`.
  [[nodiscard]] constexpr Reach on_the_bus() const {
    const std::uint64_t room = ~dma.raw();
    const std::uint64_t span = last.raw() - first.raw();
    return {first, PhysAddr{first.raw() + (span < room ? span : room)}, dma};
  }
};

/// How a device's addresses are made: either they are physical addresses, or they come out of an
/// ordered list of windows, or the tree's statement is unusable and the device reaches nothing.
///
/// Identity is no window, because a window of 2^64 bytes has no size and a bus without
/// `dma-ranges` has no limit of its own.
class Translation {
 public:
  enum class Kind : std::uint8_t { identity, windows, invalid };

  [[nodiscard]] static constexpr Translation identity() { return Translation{Kind::identity, {}}; }
  [[nodiscard]] static constexpr Translation invalid() { return Translation{Kind::invalid, {}}; }
  /// `windows` outlives the translation. An empty list reaches nothing: that is invalid().
  [[nodiscard]] static constexpr Translation through(std::span<const Window> windows) {
    return windows.empty() ? invalid() : Translation{Kind::windows, windows};
  }

  [[nodiscard]] constexpr Kind kind() const { return kind_; }
  [[nodiscard]] constexpr std::span<const Window> windows() const { return windows_; }

  /// The device address of the first byte of `range`, by the first window that holds it whole.
  /// A range that spans two windows has no device address, even where the windows touch.
  [[nodiscard]] constexpr std::optional<DmaAddr> to_dma(PhysRange range) const {
    return translate(range, &Window::cpu, &Window::dma);
  }

  /// The memory behind device addresses; the inverse of to_dma(), with the same rule.
  [[nodiscard]] constexpr std::optional<PhysAddr> to_phys(DmaRange range) const {
    return translate(range, &Window::dma, &Window::cpu);
  }

  /// The highest device address that the bus carries; nothing where no window limits it.
  [[nodiscard]] constexpr std::optional<DmaAddr> limit() const {
    std::optional<DmaAddr> highest;
    for (const Window& window : windows_) {
      const DmaAddr last = window.dma_range().last();
      if (!highest || last > *highest) highest = last;
    }
    return highest;
  }

 private:
  constexpr Translation(Kind kind, std::span<const Window> windows)
      : windows_{windows}, kind_{kind} {}

  template <class To, class From>
  [[nodiscard]] constexpr std::optional<Address<To>> translate(Range<From> range,
                                                               Address<From> Window::* from,
                                                               Address<To> Window::* to) const {
    if (range.empty()) return std::nullopt;
    if (kind_ == Kind::identity) {
      if (range.wraps()) return std::nullopt;
      return Address<To>{range.base.raw()};
    }
    for (const Window& window : windows_) {
      // Of what begins below the window more than its size, because no window passes 2^64.
      const std::uint64_t offset = range.base.raw() - (window.*from).raw();
      if (offset < window.size_bytes && range.size_bytes <= window.size_bytes - offset)
        return Address<To>{(window.*to).raw() + offset};
    }
    return std::nullopt;
  }

  std::span<const Window> windows_;
  Kind kind_;
};

}  // namespace carveout
