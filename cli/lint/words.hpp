// Words that messages of lint share.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "survey.hpp"

namespace carveout::cli {

/// "0x80000000 to 0x800fffff (1 MiB)".
[[nodiscard]] std::string range_text(PhysRange range);

/// `reg = <0x0 0x80000000 0x0 0x100000>;` in the cells of the regions.
[[nodiscard]] std::string reg_line(const Survey& survey, PhysRange range);
/// `PROPERTY = <...>;` with one number of so many cells.
[[nodiscard]] std::string number_line(std::string_view property, std::uint64_t value,
                                      std::uint32_t cells);

/// The property that says how large the region is.
[[nodiscard]] std::string_view size_property(const device_tree::ReservedRegion& region);

}  // namespace carveout::cli
