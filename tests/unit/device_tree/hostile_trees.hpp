// Trees made to be slow: each breaks an implementation that does per device, per window or per
// region what is to be done once. All are below 4 MiB.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace carveout::test {

struct HostileTree {
  std::string name;
  std::function<std::vector<std::byte>()> make;
};

[[nodiscard]] std::vector<HostileTree> hostile_trees();
/// By name; throws where there is none of that name.
[[nodiscard]] std::vector<std::byte> hostile_tree(const std::string& name);

}  // namespace carveout::test
