// Addresses -> heights of a picture: to scale, with long stretches of nothing collapsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carveout/core/window.hpp"

namespace carveout::cli::picture {

/// What a stretch of addresses is.
enum class Ground : std::uint8_t {
  gap,       ///< nothing that the tree states
  memory,    ///< stated, and not reserved
  reserved,  ///< in a place, in memory or not
};

/// Addresses that are one thing, at a height. Both ends are included.
struct Stretch {
  std::uint64_t first;
  std::uint64_t last;
  Ground ground;
  int top;
  int height;
  bool collapsed;  ///< longer than its height says

  [[nodiscard]] std::uint64_t size_bytes() const { return last - first + 1; }
};

struct ScaleFacts {
  std::span<const PhysRange> memory;
  std::span<const PhysRange> places;
  std::span<const PhysRange> edges;  ///< stretches end where these do, too
};

/// An axis of addresses that ascends downwards from height 0. A pixel is a power of two of bytes,
/// the smallest with which the axis is not longer than wanted. What is reserved is never less than
/// kLeast pixels, and a gap never more than kGap. Where most of what is reserved would be less than
/// kLeast, memory that is not reserved is never more than kFree.
///
/// So heights compare, and addresses that ascend never do so upwards; but a height of kLeast, and
/// one that is collapsed, is no length.
class Scale {
 public:
  static constexpr int kLeast = 4;
  static constexpr int kGap = 26;
  static constexpr int kFree = 44;

  /// Ranges are neither empty nor wrap. Cost: n log n.
  Scale(const ScaleFacts& facts, int wanted_height);

  [[nodiscard]] std::span<const Stretch> stretches() const { return stretches_; }
  [[nodiscard]] int height() const;
  /// Of a pixel, as a power of two of bytes.
  [[nodiscard]] unsigned pixel_log2() const { return pixel_log2_; }
  /// The upper edge of a byte at which a stretch begins.
  [[nodiscard]] int top_of(std::uint64_t first) const;
  /// The lower edge of a byte with which a stretch ends.
  [[nodiscard]] int bottom_of(std::uint64_t last) const;

 private:
  void cut(const ScaleFacts& facts);
  void fit(int wanted_height);
  int stretch_to(unsigned pixel_log2);
  [[nodiscard]] int most_of(Ground ground) const;
  [[nodiscard]] bool is_mostly_too_short() const;
  [[nodiscard]] const Stretch& holding(std::uint64_t address) const;

  std::vector<Stretch> stretches_;  // in order, without the gaps before and behind all
  unsigned pixel_log2_ = 0;
  bool collapses_memory_ = false;
};

}  // namespace carveout::cli::picture
