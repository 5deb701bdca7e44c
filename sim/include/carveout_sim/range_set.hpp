// A set of bytes, kept as the stretches that they make.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "carveout/core/address.hpp"

namespace carveout::sim {

/// Costs of each function: logarithmic in the stretches, and linear in those that it touches.
class RangeSet {
 public:
  [[nodiscard]] bool empty() const { return stretches_.empty(); }
  void clear() { stretches_.clear(); }
  void add(PhysRange range);
  void add(const RangeSet& other);
  void remove(PhysRange range);
  void remove(const RangeSet& other);

  /// All of it, in rising order.
  [[nodiscard]] std::vector<PhysRange> pieces() const;
  /// The first stretch of a range that is in the set.
  [[nodiscard]] std::optional<PhysRange> find(PhysRange range) const;
  [[nodiscard]] bool contains(PhysRange range) const { return find(range) == range; }

 private:
  std::map<std::uint64_t, std::uint64_t> stretches_;  ///< first byte -> last byte, none adjacent
};

}  // namespace carveout::sim
