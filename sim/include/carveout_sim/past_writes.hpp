// What memory held before its last writes: a load that the CPU satisfies early returns that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "carveout/core/address.hpp"

namespace carveout::sim {

/// The last `depth` writes to RAM, each with a time: 1 for the first, and so on.
class PastWrites {
 public:
  explicit PastWrites(std::size_t depth) : depth_{depth} {}

  [[nodiscard]] bool kept() const { return depth_ != 0; }
  /// The time of the last write; 0 before the first.
  [[nodiscard]] std::uint64_t now() const { return now_; }

  /// Notes a write that is about to happen over `before`.
  void note(PhysAddr at, std::span<const std::byte> before);

  /// As at construction.
  void reset();

  /// Turns `bytes`, which memory holds from `at` on, into what it held at `since`. Does nothing and
  /// returns false where no write after `since` was there, or one after `until` was.
  [[nodiscard]] bool undo(PhysAddr at, std::span<std::byte> bytes, std::uint64_t since,
                          std::uint64_t until) const;

 private:
  struct Write {
    std::uint64_t time;
    PhysAddr at;
    std::vector<std::byte> before;
  };

  std::size_t depth_;
  std::uint64_t now_ = 0;
  std::deque<Write> writes_;
};

}  // namespace carveout::sim
