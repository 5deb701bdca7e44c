// Sorting without a heap, a stack of its own or recursion, in n log n for every input.
#pragma once

#include <cstddef>
#include <span>
#include <utility>

namespace carveout::device_tree {

/// Moves `items[root]` down until no child in the first `size` items is greater: the order of a
/// heap whose greatest item is the first.
template <class T, class Less>
constexpr void sift_down(std::span<T> items, std::size_t root, std::size_t size, Less less) {
  while (true) {
    std::size_t child = 2 * root + 1;
    if (child >= size) return;
    if (child + 1 < size && less(items[child], items[child + 1])) ++child;
    if (!less(items[root], items[child])) return;
    std::swap(items[root], items[child]);
    root = child;
  }
}

/// Heap sort, ascending. Not stable: `less` says the whole order.
template <class T, class Less>
constexpr void sort(std::span<T> items, Less less) {
  for (std::size_t root = items.size() / 2; root-- > 0;) sift_down(items, root, items.size(), less);
  for (std::size_t size = items.size(); size > 1;) {
    --size;
    std::swap(items[0], items[size]);
    sift_down(items, 0, size, less);
  }
}

}  // namespace carveout::device_tree
