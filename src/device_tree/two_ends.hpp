// Two arrays of unknown length out of one piece of scratch memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>

namespace carveout::device_tree {

/// One array grows from the front of the scratch and the other from its back, until they meet. So
/// neither has to be counted before.
template <class Front, class Back>
class TwoEnds {
  static_assert(alignof(Front) == alignof(Back), "one alignment for both ends");

 public:
  /// What the alignment of the scratch may cost beside the two arrays.
  [[nodiscard]] static constexpr std::size_t lost_bytes() { return alignof(Front) - 1; }

  explicit TwoEnds(std::span<std::byte> scratch) {
    const auto past = [](const std::byte* at) {
      return reinterpret_cast<std::uintptr_t>(at) % alignof(Front);
    };
    const std::size_t front = (alignof(Front) - past(scratch.data())) % alignof(Front);
    const std::size_t back = past(scratch.data() + scratch.size());
    if (scratch.size() >= front + back) {
      free_ = scratch.subspan(front, scratch.size() - front - back);
    }
  }

  /// Whether there was room.
  [[nodiscard]] bool add_front(const Front& value) {
    if (free_.size() < sizeof(Front)) return false;
    auto* const made = new (free_.data()) Front{value};
    free_ = free_.subspan(sizeof(Front));
    front_ = {front_.empty() ? made : front_.data(), front_.size() + 1};
    return true;
  }
  [[nodiscard]] bool add_back(const Back& value) {
    if (free_.size() < sizeof(Back)) return false;
    free_ = free_.first(free_.size() - sizeof(Back));
    back_ = {new (free_.data() + free_.size()) Back{value}, back_.size() + 1};
    return true;
  }

  [[nodiscard]] std::span<Front> front() const { return front_; }
  /// What was added last comes first.
  [[nodiscard]] std::span<Back> back() const { return back_; }

 private:
  std::span<std::byte> free_;
  std::span<Front> front_;
  std::span<Back> back_;
};

}  // namespace carveout::device_tree
