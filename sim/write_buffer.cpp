#include "carveout_sim/write_buffer.hpp"

#include <algorithm>
#include <cstring>

#include "carveout/core/size.hpp"
#include "lines.hpp"

namespace carveout::sim {
namespace {

/// Stores of one word keep their order, whether they overlap or not; of two words they never do.
PhysRange word_of(const WriteBuffer::Store& store) {
  return {PhysAddr{align_down(store.at.raw(), WriteBuffer::kStoreBytes)}, WriteBuffer::kStoreBytes};
}

}  // namespace

void WriteBuffer::store(PhysAddr to, std::span<const std::byte> from) {
  if (capacity_ == 0) {
    bus_.write(to, from);
    return;
  }
  while (!from.empty()) {
    const std::size_t length =
        std::min<std::size_t>(from.size(), kStoreBytes - to.raw() % kStoreBytes);
    if (waiting_.size() == capacity_) let_go(0);
    Store& store = waiting_.emplace_back(to, static_cast<std::uint8_t>(length),
                                         std::array<std::byte, kStoreBytes>{});
    std::memcpy(store.bytes.data(), from.data(), length);
    from = from.subspan(length);
    to = PhysAddr{to.raw() + length};
  }
}

void WriteBuffer::read(PhysAddr from, std::span<std::byte> into) const {
  bus_.read(from, into);
  for (const Store& store : waiting_) {
    const PhysRange common = store.range().intersection({from, into.size()});
    if (common.empty()) continue;
    std::memcpy(into.data() + bytes_between(from, common.base),
                store.bytes.data() + bytes_between(store.at, common.base), size_of(common));
  }
}

void WriteBuffer::write_back(PhysAddr base, std::span<const std::byte> line) {
  drain({base, line.size()});
  bus_.write(base, line);
}

void WriteBuffer::let_go(std::size_t index) {
  const Store store = waiting_[index];
  waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(index));
  bus_.write(store.at, std::span{store.bytes}.first(store.size_bytes));
}

void WriteBuffer::drain() {
  while (!waiting_.empty()) let_go(0);
}

void WriteBuffer::drain(PhysRange range) {
  for (std::size_t i = 0; i < waiting_.size();) {
    if (word_of(waiting_[i]).overlaps(range)) {
      let_go(i);
    } else {
      ++i;
    }
  }
}

bool WriteBuffer::drain_one(PhysAddr at) {
  const auto found = std::ranges::find(waiting_, at, &Store::at);
  if (found == waiting_.end()) return false;
  const PhysRange word = word_of(*found);
  auto index = static_cast<std::size_t>(found - waiting_.begin());
  for (std::size_t i = 0; i < index;) {
    if (word_of(waiting_[i]) == word) {
      let_go(i);
      --index;
    } else {
      ++i;
    }
  }
  let_go(index);
  return true;
}

}  // namespace carveout::sim
