// A user of carveout::device_tree, from an installed package or a subdirectory.
#include <carveout/device_tree/tree.hpp>
#include <cstddef>
#include <cstdio>
#include <span>

int main() {
  alignas(8) static const std::byte blob[64] = {};
  const auto measured = carveout::device_tree::Tree::measure(std::span{blob});
  if (measured) return 1;
  const std::string_view why = measured.error().what();
  std::printf("%.*s\n", static_cast<int>(why.size()), why.data());
  return measured.error().code == carveout::device_tree::TreeError::Code::not_a_tree ? 0 : 1;
}
