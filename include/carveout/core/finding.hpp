// A mistake in a device tree (or in a board's tables), as setup, why and lint all report it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "carveout/core/address.hpp"
#include "carveout/core/error.hpp"
#include "carveout/core/function_ref.hpp"
#include "carveout/core/text.hpp"

namespace carveout {

enum class Severity : std::uint8_t { note, warning, error };

/// The number of a rule: 18 is DMA018. The list is docs/rules.md.
enum class Rule : std::uint16_t {
  overlapping_regions = 1,           ///< DMA001
  region_wraps = 6,                  ///< DMA006
  malformed_region = 7,              ///< DMA007
  malformed_reserved_memory = 8,     ///< DMA008
  no_map_and_reusable = 10,          ///< DMA010
  neither_no_map_nor_reusable = 11,  ///< DMA011
  not_whole_granules = 13,           ///< DMA013
  bad_alignment = 14,                ///< DMA014
  cannot_be_placed = 15,             ///< DMA015
  second_default = 18,               ///< DMA018
  default_of_wrong_kind = 19,        ///< DMA019
  no_such_region = 21,               ///< DMA021
  disabled_region = 22,              ///< DMA022
  out_of_reach = 27,                 ///< DMA027
  malformed_dma_ranges = 28,         ///< DMA028
  restricted_conflict = 32,          ///< DMA032
  no_uncached_view = 39,             ///< DMA039
  empty_region = 44,                 ///< DMA044
  malformed_blob = 46,               ///< DMA046
};

/// One finding. The views live as long as the callback that receives it.
struct Finding {
  Rule rule;
  Severity severity;
  std::string_view node;               ///< path of the node that is wrong
  std::string_view property = {};      ///< the property that says so
  std::string_view other = {};         ///< the second node, where there are two parties
  std::optional<Error> error = {};     ///< what whoever uses it anyway is told
  PhysRange range = {PhysAddr{0}, 0};  ///< the memory concerned; empty: none
  std::uint32_t index = 0;             ///< the entry of the property that is concerned
};

/// Writes the finding's sentence, the same for setup, why and lint. It names no severity and no
/// rule number: those are the caller's to show.
void describe(const Finding& finding, Text& text);

/// Receives findings one by one.
using FindingSink = FunctionRef<void(const Finding&)>;

}  // namespace carveout
