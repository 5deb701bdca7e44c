// Firmware that links the installed archive and nothing else: no C library, no start files. It is
// linked, not run: the images under tests/boards run.
#include <carveout/core/error.hpp>
#include <cstddef>

// What the core needs from a board.
extern "C" void* memcpy(void* to, const void* from, std::size_t bytes) {
  auto* out = static_cast<volatile std::byte*>(to);
  const auto* in = static_cast<const std::byte*>(from);
  for (std::size_t i = 0; i < bytes; ++i) out[i] = in[i];
  return to;
}

std::size_t length_of_a_name;

extern "C" [[noreturn]] void reset() {
  length_of_a_name = carveout::name_of(carveout::Error::exhausted).size();
  for (;;) {
  }
}
