// Addresses, places and calls as the checker's reports write them.
#pragma once

#include <source_location>
#include <string>
#include <string_view>

#include "carveout/core/address.hpp"
#include "carveout/core/direction.hpp"
#include "text.hpp"

namespace carveout::sim {

inline std::string text_of(PhysRange range) {
  return hex(range.base.raw()) + " (" + std::to_string(range.size_bytes) + " bytes)";
}

inline std::string text_of(const std::source_location& where) {
  std::string_view file = where.file_name();
  if (const auto slash = file.rfind('/'); slash != file.npos) file.remove_prefix(slash + 1);
  return joined({file, ":", std::to_string(where.line()), " (", where.function_name(), ")"});
}

inline std::string with_direction(std::string_view verb, Direction direction,
                                  const std::source_location& where) {
  return joined({verb, " ", name_of(direction), " at ", text_of(where)});
}

}  // namespace carveout::sim
