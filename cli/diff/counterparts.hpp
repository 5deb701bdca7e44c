// Which node that is gone may go on under another name: by facts that can be told, never by guess.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "carveout/device_tree/tree.hpp"

namespace carveout::cli {

/// What ties a node that is gone to one that is new. It is told, and the two stay two.
struct Counterpart {
  enum class By : std::uint8_t {
    label,         ///< every label that both trees have for one of them is the other's, too
    unit_address,  ///< same parent and same unit address, where only one of each has it
    name,          ///< same name with its unit address below another parent, likewise
  };

  std::string node;
  By by;
};

[[nodiscard]] std::string_view name_of(Counterpart::By by);

/// The counterparts of removed and of added nodes, by path: by label where both trees have
/// __symbols__, else by unit address, else by name.
[[nodiscard]] std::map<std::string, Counterpart> counterparts(
    const device_tree::Tree& before, const std::vector<std::string>& removed,
    const device_tree::Tree& after, const std::vector<std::string>& added);

}  // namespace carveout::cli
