#include "machine.hpp"

namespace carveout::cli {

Machine machine_of(const device_tree::Tree& tree) {
  for (const device_tree::Node node : tree.nodes()) {
    if (tree.strings(node, "compatible").contains("arm,armv7m-nvic")) return {.armv7m = true};
  }
  return {.armv7m = false};
}

}  // namespace carveout::cli
