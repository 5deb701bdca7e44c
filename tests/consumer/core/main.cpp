// A user of carveout::core alone, from an installed package.
#include <carveout/core/error.hpp>
#include <cstdio>

int main() {
  const std::string_view name = carveout::name_of(carveout::Error::exhausted);
  std::printf("%.*s\n", static_cast<int>(name.size()), name.data());
  return name == "exhausted" ? 0 : 1;
}
