// What the bytes of a property mean: cells, pairs of address and size, lists of strings. A view
// decodes as it is read, byte by byte, so that neither alignment nor the host's byte order matters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "carveout/core/address.hpp"

namespace carveout::device_tree {

/// The value of a property, in the blob.
using Bytes = std::span<const std::byte>;

inline constexpr std::size_t kCellBytes = 4;

/// The cell that starts at byte `at`; all four bytes of it are there.
[[nodiscard]] constexpr std::uint32_t load_cell(Bytes bytes, std::size_t at) {
  return std::to_integer<std::uint32_t>(bytes[at]) << 24 |
         std::to_integer<std::uint32_t>(bytes[at + 1]) << 16 |
         std::to_integer<std::uint32_t>(bytes[at + 2]) << 8 |
         std::to_integer<std::uint32_t>(bytes[at + 3]);
}

/// The number that `cells` cells from byte `at` on make. More than two count with their low 64
/// bits: the first cell of a PCI address holds flags. No cells make 0.
[[nodiscard]] constexpr std::uint64_t load_number(Bytes bytes, std::size_t at, std::size_t cells) {
  if (cells == 0) return 0;
  const std::size_t last = at + (cells - 1) * kCellBytes;
  const std::uint64_t low = load_cell(bytes, last);
  return cells == 1 ? low : std::uint64_t{load_cell(bytes, last - kCellBytes)} << 32 | low;
}

/// How many cells an address and a size take on a bus.
struct CellCounts {
  std::uint32_t address;
  std::uint32_t size;

  constexpr bool operator==(const CellCounts&) const = default;
};

/// The bytes of an entry of `first` + `second` + `third` cells; 0 where it has no cells or does not
/// fit into `available_bytes`. A hostile tree may state 2^32 - 1 cells, which must not wrap.
[[nodiscard]] constexpr std::size_t entry_bytes(std::size_t available_bytes, std::uint32_t first,
                                                std::uint32_t second, std::uint32_t third = 0) {
  std::size_t left = available_bytes / kCellBytes;
  std::size_t cells = 0;
  for (const std::size_t part : {first, second, third}) {
    if (part > left) return 0;
    left -= part;
    cells += part;
  }
  return cells * kCellBytes;
}

/// Iterates over a view by index: what a view needs beside size() and operator[].
template <class View>
class IndexIterator {
 public:
  using value_type = decltype(std::declval<const View&>()[0]);
  using difference_type = std::ptrdiff_t;

  constexpr IndexIterator() = default;
  constexpr IndexIterator(const View& view, std::size_t index) : view_{&view}, index_{index} {}

  constexpr value_type operator*() const { return (*view_)[index_]; }
  constexpr IndexIterator& operator++() {
    ++index_;
    return *this;
  }
  constexpr IndexIterator operator++(int) {
    const IndexIterator before = *this;
    ++index_;
    return before;
  }
  constexpr bool operator==(const IndexIterator& other) const { return index_ == other.index_; }

 private:
  const View* view_ = nullptr;
  std::size_t index_ = 0;
};

/// The complete (address, size) pairs of a `reg`-like property, as stated: a pair may be empty and
/// may wrap. Trailing cells that make no pair are not seen; whole() tells that there are some.
class Pairs {
 public:
  constexpr Pairs() = default;
  constexpr Pairs(Bytes bytes, CellCounts cells)
      : bytes_{bytes},
        cells_{cells},
        pair_bytes_{entry_bytes(bytes.size(), cells.address, cells.size)} {}

  [[nodiscard]] constexpr std::size_t size() const {
    return pair_bytes_ == 0 ? 0 : bytes_.size() / pair_bytes_;
  }
  [[nodiscard]] constexpr bool empty() const { return pair_bytes_ == 0; }
  /// Whether the bytes are a whole number of pairs, at least one.
  [[nodiscard]] constexpr bool whole() const {
    return pair_bytes_ != 0 && bytes_.size() % pair_bytes_ == 0;
  }

  [[nodiscard]] constexpr PhysRange operator[](std::size_t index) const {
    const std::size_t at = index * pair_bytes_;
    return {PhysAddr{load_number(bytes_, at, cells_.address)},
            load_number(bytes_, at + cells_.address * kCellBytes, cells_.size)};
  }

  [[nodiscard]] constexpr auto begin() const { return IndexIterator{*this, 0}; }
  [[nodiscard]] constexpr auto end() const { return IndexIterator{*this, size()}; }

 private:
  Bytes bytes_;
  CellCounts cells_{0, 0};
  std::size_t pair_bytes_ = 0;  // 0: not one complete pair
};

/// The cells of a list of numbers or phandles; trailing bytes that make no cell are not seen.
class CellList {
 public:
  constexpr CellList() = default;
  constexpr explicit CellList(Bytes bytes) : bytes_{bytes} {}

  [[nodiscard]] constexpr std::size_t size() const { return bytes_.size() / kCellBytes; }
  [[nodiscard]] constexpr std::uint32_t operator[](std::size_t index) const {
    return load_cell(bytes_, index * kCellBytes);
  }
  [[nodiscard]] constexpr auto begin() const { return IndexIterator{*this, 0}; }
  [[nodiscard]] constexpr auto end() const { return IndexIterator{*this, size()}; }

 private:
  Bytes bytes_;
};

/// The part of `text` before the first `end`; all of it where there is none. In place of substr(),
/// whose range check refers to the exceptions' half of the standard library.
[[nodiscard]] constexpr std::string_view before(std::string_view text, char end) {
  std::size_t size = 0;
  while (size < text.size() && text[size] != end) ++size;
  return {text.data(), size};
}

/// A list of strings that end in a zero byte. A last one without its zero counts; the bytes are the
/// tree's and need not be UTF-8.
class Strings {
 public:
  class Iterator {
   public:
    using value_type = std::string_view;
    using difference_type = std::ptrdiff_t;

    constexpr Iterator() = default;
    constexpr explicit Iterator(std::string_view rest) : rest_{rest} {}

    constexpr std::string_view operator*() const { return before(rest_, '\0'); }
    constexpr Iterator& operator++() {
      const std::size_t size = (**this).size();
      rest_.remove_prefix(size == rest_.size() ? size : size + 1);
      return *this;
    }
    constexpr Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    constexpr bool operator==(const Iterator& other) const {
      return rest_.size() == other.rest_.size();
    }

   private:
    std::string_view rest_;
  };

  constexpr Strings() = default;
  explicit Strings(Bytes bytes)
      : text_{reinterpret_cast<const char*>(bytes.data()), bytes.size()} {}

  [[nodiscard]] constexpr Iterator begin() const { return Iterator{text_}; }
  [[nodiscard]] constexpr Iterator end() const { return Iterator{}; }
  [[nodiscard]] constexpr bool empty() const { return text_.empty(); }

  /// The first string; nothing where the list is empty.
  [[nodiscard]] constexpr std::optional<std::string_view> first() const {
    return empty() ? std::nullopt : std::optional{*begin()};
  }

  [[nodiscard]] constexpr bool contains(std::string_view word) const {
    for (const std::string_view each : *this) {
      if (each == word) return true;
    }
    return false;
  }

 private:
  std::string_view text_;
};

}  // namespace carveout::device_tree
