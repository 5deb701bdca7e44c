// What a device gets of a region: where it sees it, or why it gets nothing. For the table and the
// pictures of `map`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "board_map.hpp"

namespace carveout::cli {

/// Why a place of a region serves nobody, or not this device.
struct Trouble {
  enum class Kind : std::uint8_t { disabled, no_place, empty, wraps, refused, partly, not_reached };

  Kind kind;
  Error error = Error::no_pool;  ///< of those that are refused
};

/// In a few words: "refused: overlaps".
[[nodiscard]] std::string what(const Trouble& trouble);
/// More of it; empty where nothing is to be said.
[[nodiscard]] std::string_view why(const Trouble& trouble);
/// Both.
[[nodiscard]] std::string sentence_of(const Trouble& trouble);

/// How those who look through a view get a region.
enum class UsedAs : std::uint8_t {
  own,             ///< whole or not at all
  default_region,  ///< as much of it as they reach
};

/// What comes of one place of a region.
struct PlaceUse {
  std::optional<DmaAddr> dma;      ///< where its first byte is seen, though it may not be got
  std::optional<Trouble> trouble;  ///< nothing: it is got
};

/// @param at  among its places; of a region without any, 0.
[[nodiscard]] PlaceUse use_of(MapRegion& region, std::size_t at, const MapView& view, UsedAs as);

}  // namespace carveout::cli
