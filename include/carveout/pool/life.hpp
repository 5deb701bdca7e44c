// What a tag's serial says besides which allocation it is.
#pragma once

#include <cstdint>

namespace carveout::tables {

/// The low two bits of a serial.
enum class Life : std::uint32_t {
  none = 0,    ///< no block
  live = 1,    ///< a block that somebody has
  parked = 2,  ///< one that was given back, and is as it was
};

[[nodiscard]] constexpr bool is(Life life, std::uint32_t serial) {
  return (serial & 3) == static_cast<std::uint32_t>(life);
}

/// The same of a serial that stands in a tag: only of a live block is it odd.
[[nodiscard]] constexpr bool is_live(std::uint32_t serial) { return serial % 2 != 0; }

/// The first serial from `serial` on that says `life`.
[[nodiscard]] constexpr std::uint32_t next(Life life, std::uint32_t serial) {
  return serial + ((static_cast<std::uint32_t>(life) - serial) & 3);
}

/// The same from a serial that is known to say `now`: one addition.
[[nodiscard]] constexpr std::uint32_t next(Life now, Life life, std::uint32_t serial) {
  return serial + ((static_cast<std::uint32_t>(life) - static_cast<std::uint32_t>(now)) & 3);
}

/// A block by what names it.
struct BlockName {
  std::uint32_t tag;
  std::uint32_t serial;  ///< 0: of no block
};

}  // namespace carveout::tables
