// Which regions a device is bound to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "carveout/device_tree/tree.hpp"

namespace carveout::device_tree {

/// One entry of a device's `memory-region`.
struct Binding {
  std::uint32_t index;  ///< its place in the list
  std::uint32_t phandle;
  std::optional<Node> region;  ///< any node of the tree; nothing where the phandle dangles
  std::optional<std::string_view> name;  ///< the string at this place of `memory-region-names`
};

/// The entries of a device's `memory-region`, in order; none where it has no such property.
///
/// That a node is bound does not make it a region: ask ReservedMemory::holds(). The names may be
/// fewer than the entries, and are the tree's bytes.
class MemoryRegions {
 public:
  class Iterator {
   public:
    using value_type = Binding;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    Iterator(const Tree& tree, CellList phandles, Strings names, std::size_t index)
        : tree_{&tree}, phandles_{phandles}, name_{names.begin()}, index_{index} {}

    Binding operator*() const {
      const std::uint32_t phandle = phandles_[index_];
      return {.index = static_cast<std::uint32_t>(index_),
              .phandle = phandle,
              .region = tree_->by_phandle(phandle),
              .name = name_ == Strings::Iterator{} ? std::nullopt : std::optional{*name_}};
    }
    Iterator& operator++() {
      ++index_;
      if (!(name_ == Strings::Iterator{})) ++name_;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const Tree* tree_ = nullptr;
    CellList phandles_;
    Strings::Iterator name_;
    std::size_t index_ = 0;
  };

  /// Cost: one pass over the device's properties. The tree outlives the list.
  MemoryRegions(const Tree& tree, Node device)
      : tree_{&tree},
        phandles_{tree.property(device, "memory-region").value_or(Bytes{})},
        names_{tree.strings(device, "memory-region-names")} {}

  [[nodiscard]] std::size_t size() const { return phandles_.size(); }
  [[nodiscard]] Iterator begin() const { return {*tree_, phandles_, names_, 0}; }
  [[nodiscard]] Iterator end() const { return {*tree_, phandles_, names_, size()}; }

 private:
  const Tree* tree_;
  CellList phandles_;
  Strings names_;
};

}  // namespace carveout::device_tree
