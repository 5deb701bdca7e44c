// What one CPU's cache may hold that memory does not, and the other way round: a set of marks for
// each byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "carveout/core/address.hpp"

namespace carveout::sim {

/// Marks by byte, line by line. Kept by what the program did, not by what a cache happened to do:
/// a line with marks need not be in any.
class MarkedLines {
 public:
  enum Mark : std::uint8_t {
    kStored = 1,       ///< by the CPU, and not cleaned since
    kDeviceWrote = 2,  ///< and the CPU did not invalidate since
    kLost = 4,         ///< stored by the CPU, and thrown away
    kHeld = 8,         ///< the CPU loaded or stored there, and did not invalidate since
  };

  explicit MarkedLines(std::size_t line_bytes) : line_bytes_{line_bytes} {}

  /// The first stretch of a range whose bytes have one of the marks; nothing where none has.
  [[nodiscard]] std::optional<PhysRange> find(PhysRange range, std::uint8_t marks) const;
  void change(PhysRange range, std::uint8_t set, std::uint8_t clear);
  /// A device writes; of a line that is not held the cache then knows nothing old.
  enum class Which : std::uint8_t { every, held };
  void device_wrote(PhysRange range, Which lines);
  /// Whole lines: what was stored in them is lost.
  void invalidate(PhysRange lines);

 private:
  using Line = std::vector<std::uint8_t>;

  std::size_t line_bytes_;
  std::unordered_map<std::uint64_t, Line> lines_;  ///< by the address of the first byte
};

}  // namespace carveout::sim
