// Arrays out of scratch memory of the caller, one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <optional>
#include <span>

namespace carveout::device_tree {

class Arena {
 public:
  explicit Arena(std::span<std::byte> memory) : rest_{memory} {}

  /// `count` copies of `value`; nothing where they do not fit. Nothing is ever given back.
  template <class T>
  std::optional<std::span<T>> array(std::size_t count, const T& value = T{}) {
    const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(rest_.data()) % alignof(T);
    const std::size_t skipped = misaligned == 0 ? 0 : alignof(T) - misaligned;
    if (skipped > rest_.size() || count > (rest_.size() - skipped) / sizeof(T)) return std::nullopt;
    std::byte* at = rest_.data() + skipped;
    rest_ = rest_.subspan(skipped + count * sizeof(T));
    if (count == 0) return std::span<T>{};
    T* first = nullptr;
    for (std::size_t i = 0; i < count; ++i) {
      T* made = new (at + i * sizeof(T)) T{value};
      if (i == 0) first = made;
    }
    return std::span<T>{first, count};
  }

  [[nodiscard]] std::span<std::byte> rest() const { return rest_; }

 private:
  std::span<std::byte> rest_;
};

/// Adds up what arrays of an Arena take, alignment included. Saturates, so that a 32-bit target is
/// told that it has too little and not that it needs almost nothing.
class ArenaSize {
 public:
  template <class T>
  constexpr ArenaSize& array(std::uint64_t count) {
    constexpr auto kTop = std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t bytes =
        count > (kTop - alignof(T)) / sizeof(T) ? kTop : count * sizeof(T) + alignof(T) - 1;
    total_ = total_ > kTop - bytes ? kTop : total_ + bytes;
    return *this;
  }

  [[nodiscard]] constexpr std::size_t bytes() const {
    constexpr std::uint64_t kMost = std::numeric_limits<std::size_t>::max();
    return static_cast<std::size_t>(total_ < kMost ? total_ : kMost);
  }

 private:
  std::uint64_t total_ = 0;
};

}  // namespace carveout::device_tree
