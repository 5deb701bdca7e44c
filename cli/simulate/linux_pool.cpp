#include "linux_pool.hpp"

#include <algorithm>
#include <bit>

namespace carveout::cli {

LinuxPool::LinuxPool(std::uint64_t size_bytes)
    : pages_{size_bytes / kPageBytes},
      height_{static_cast<unsigned>(std::bit_width(std::max<std::uint64_t>(pages_, 1) - 1))},
      free_(std::size_t{2} << height_) {
  const std::size_t leaves = std::size_t{1} << height_;
  for (std::size_t page = 0; page < pages_; ++page) free_[leaves + page] = 1;
  for (std::size_t node = leaves - 1; node > 0; --node) {
    free_[node] = settled(node, height_ + 1 - static_cast<unsigned>(std::bit_width(node)));
  }
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

std::optional<std::uint64_t> LinuxPool::take(std::uint64_t size_bytes) {
  const auto order = order_of(size_bytes);
  if (!order || free_[1] <= *order) return std::nullopt;
  std::size_t node = 1;
  for (unsigned level = height_; level > *order; --level) {
    node *= 2;
    if (free_[node] <= *order) ++node;  // the lower half first
  }
  const std::uint64_t first = (node << *order) - (std::uint64_t{1} << height_);
  set(node, *order, 0);
  used_ += std::uint64_t{1} << *order;
  return first * kPageBytes;
}

void LinuxPool::give_back(std::uint64_t offset, std::uint64_t size_bytes) {
  const unsigned order = order_of(size_bytes).value_or(0);
  set(((std::size_t{1} << height_) + offset / kPageBytes) >> order, order,
      static_cast<std::uint8_t>(order + 1));
  used_ -= std::uint64_t{1} << order;
}

std::uint64_t LinuxPool::largest_grant_bytes() const {
  return free_[1] == 0 ? 0 : kPageBytes << (free_[1] - 1);
}

}  // namespace carveout::cli
