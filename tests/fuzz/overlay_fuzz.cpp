// An overlay of any bytes on a sound board: a tree that can be read, or a refusal.
#include <libfdt.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "input.hpp"
#include "overlay.hpp"
#include "refusal.hpp"
#include "tests/support/tree_maker.hpp"

namespace {

std::vector<std::byte> board() {
  carveout::test::TreeMaker maker;
  maker.counts(1, 1);
  maker.begin("__symbols__")
      .string("reserved", "/reserved-memory")
      .string("camera", "/camera@1000")
      .end();
  maker.begin("reserved-memory").phandle(1).counts(1, 1).empty("ranges").end();
  maker.begin("camera@1000").phandle(2).cells("reg", {0x1000, 0x100}).end();
  return maker.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::byte> base = board();
  // What read_board() sees to before: a header, and the whole blob and no more behind it.
  if (size < 40) return 0;
  std::vector<std::byte> overlay(size);
  std::memcpy(overlay.data(), data, size);
  fdt_set_magic(overlay.data(), FDT_MAGIC);
  fdt_set_totalsize(overlay.data(), static_cast<std::uint32_t>(size));
  try {
    const auto merged = carveout::cli::apply_overlay("board", base, "overlay", overlay);
    const carveout::cli::Index index{"board", merged};
  } catch (const carveout::cli::Refusal&) {
  }
  return 0;
}
