// Firmware on tables that the build machine's program made of a board before this was compiled. It
// is linked, not run: the images under tests/boards run.
#include <carveout_mpu.hpp>
#include <carveout_tables.hpp>

#include <array>
#include <carveout/ops/coherent.hpp>
#include <carveout/port/no_machine.hpp>
#include <cstddef>

namespace {

alignas(8) std::array<std::byte, board::kStorageBytes> storage;

}  // namespace

extern "C" [[noreturn]] void reset() {
  carveout::NoMachine port;
  const auto system =
      carveout::setup::build(board::kTables, {.port = port, .aliases = board::kAliases}, storage,
                             [](const carveout::Failure&) {});
  if (system) {
    static_cast<void>(carveout::alloc_coherent(*(*system)->device(board::device_ethernet0), 1536));
  }
  for (;;) {
  }
}
