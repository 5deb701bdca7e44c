#include "words.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "page.hpp"

namespace carveout::cli {
namespace {

std::string cells_of(std::uint64_t value, std::uint32_t cells) {
  std::string text;
  // A line for people and overlays: only hostile trees have numbers of more than four cells.
  for (std::uint32_t left = std::min(cells, 4U); left > 0; --left) {
    const std::uint64_t cell = left > 2 ? 0 : value >> (32 * (left - 1)) & 0xffff'ffff;
    text += fmt::format("{}{:#x}", text.empty() ? "" : " ", cell);
  }
  return text;
}

}  // namespace

std::string range_text(PhysRange range) {
  return fmt::format("{} to {} ({})", hex(range.base.raw()), last_text(range),
                     size_text(range.size_bytes));
}

std::string reg_line(const Survey& survey, PhysRange range) {
  const auto cells = survey.root_cells();
  return fmt::format("reg = <{} {}>;", cells_of(range.base.raw(), cells.address),
                     cells_of(range.size_bytes, cells.size));
}

std::string number_line(std::string_view property, std::uint64_t value, std::uint32_t cells) {
  return fmt::format("{} = <{}>;", property, cells_of(value, cells));
}

std::string_view size_property(const device_tree::ReservedRegion& region) {
  return region.placement == device_tree::RegionPlacement::dynamic ? "size" : "reg";
}

}  // namespace carveout::cli
