#include "linux_pool.hpp"

#include <algorithm>
#include <bit>

namespace carveout::cli {
namespace {

/// Of the multiples of 2^order below 64, a bit each.
constexpr std::uint64_t kMultiples[] = {~std::uint64_t{0},
                                        0x5555555555555555U,
                                        0x1111111111111111U,
                                        0x0101010101010101U,
                                        0x0001000100010001U,
                                        0x0000000100000001U,
                                        1};

/// Where 2^order pages of a word are free in a row, by the bits of the first.
std::uint64_t runs(std::uint64_t free, unsigned order) {
  for (unsigned i = 0; i < order; ++i) free &= free >> (1U << i);
  return free;
}

std::uint64_t first_pages(unsigned order) { return (std::uint64_t{1} << (1U << order)) - 1; }

}  // namespace

LinuxPool::LinuxPool(std::uint64_t size_bytes)
    : pages_{size_bytes / kPageBytes},
      words_(std::bit_ceil(static_cast<std::size_t>((pages_ + kWordPages - 1) / kWordPages))),
      free_(2 * words_.size()) {
  const auto whole = static_cast<std::size_t>(pages_ / kWordPages);
  std::fill_n(words_.begin(), whole, ~std::uint64_t{0});
  const std::uint64_t rest = pages_ % kWordPages;
  if (rest != 0) words_[whole] = (std::uint64_t{1} << rest) - 1;
  for (std::size_t word = 0; word < words_.size(); ++word) settle(word);
}

std::uint8_t LinuxPool::settled(std::size_t node, unsigned order) const {
  const std::uint8_t left = free_[2 * node];
  const std::uint8_t right = free_[2 * node + 1];
  // Two whole children are a whole node.
  return left == order && right == order ? static_cast<std::uint8_t>(order + 1)
                                         : std::max(left, right);
}

void LinuxPool::set(std::size_t node, unsigned order, std::uint8_t value) {
  free_[node] = value;
  while ((node /= 2) != 0) {
    const std::uint8_t now = settled(node, ++order);
    if (free_[node] == now) return;
    free_[node] = now;
  }
}

void LinuxPool::settle(std::size_t word) {
  std::uint64_t free = words_[word];
  unsigned orders = 0;
#pragma GCC unroll 8  // the shifts are then constants, and nothing is guessed
  for (unsigned order = 0; order <= kWordOrder; ++order) {
    orders += (free & kMultiples[order]) != 0 ? 1 : 0;
    free &= free >> (1U << order % kWordOrder);
  }
  set(words_.size() + word, kWordOrder, static_cast<std::uint8_t>(orders));
}

std::optional<std::uint64_t> LinuxPool::take(std::uint64_t size_bytes) {
  const auto order = order_of(size_bytes);
  if (!order || free_[1] <= *order) return std::nullopt;
  const unsigned node_order = std::max(*order, kWordOrder);
  const std::size_t nodes = words_.size() >> (node_order - kWordOrder);
  std::size_t node = 1;
  while (node < nodes) {
    node *= 2;
    if (free_[node] <= *order) ++node;  // the lower half first
  }
  std::uint64_t page = (node - nodes) << node_order;
  if (*order >= kWordOrder) {
    set(node, *order, 0);
  } else {
    std::uint64_t& word = words_[node - nodes];
    const int bit = std::countr_zero(runs(word, *order) & kMultiples[*order]);
    word &= ~(first_pages(*order) << bit);
    page += static_cast<unsigned>(bit);
    settle(node - nodes);
  }
  used_ += std::uint64_t{1} << *order;
  return page * kPageBytes;
}

void LinuxPool::give_back(std::uint64_t offset, std::uint64_t size_bytes) {
  const unsigned order = order_of(size_bytes).value_or(0);
  const std::uint64_t page = offset / kPageBytes;
  if (order >= kWordOrder) {
    set(node_at(page, order), order, static_cast<std::uint8_t>(order + 1));
  } else {
    const auto word = static_cast<std::size_t>(page / kWordPages);
    words_[word] |= first_pages(order) << page % kWordPages;
    settle(word);
  }
  used_ -= std::uint64_t{1} << order;
}

std::uint64_t LinuxPool::largest_grant_bytes() const {
  return free_[1] == 0 ? 0 : kPageBytes << (free_[1] - 1);
}

}  // namespace carveout::cli
