#include "override_memory.hpp"

#include <fmt/format.h>
#include <libfdt.h>

#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "overlay.hpp"
#include "refusal.hpp"

namespace carveout::cli {
namespace {

using device_tree::kCellBytes;

void check(std::string_view source, int result) {
  if (result < 0) {
    throw Refusal{source, fmt::format("its memory cannot be replaced: {}", fdt_strerror(result)),
                  "--ram"};
  }
}

bool add_number(std::vector<std::byte>& to, std::uint64_t value, std::uint32_t cells) {
  if (cells == 0 || cells > 4 || (cells == 1 && value >> 32 != 0)) return false;
  for (std::uint32_t left = cells * kCellBytes; left > 0; --left) {
    to.push_back(left > 8 ? std::byte{0} : std::byte(value >> (8 * (left - 1)) & 0xff));
  }
  return true;
}

}  // namespace

Board with_memory(Board board, std::span<const PhysRange> ram) {
  const auto cells = board.tree().cells(device_tree::Tree::root());
  std::vector<std::byte> reg;
  for (const PhysRange range : ram) {
    if (!add_number(reg, range.base.raw(), cells.address) ||
        !add_number(reg, range.size_bytes, cells.size)) {
      throw Refusal{board.source, "the root's cells cannot state that memory", "--ram"};
    }
  }
  check_full(board.source, board.blob);
  constexpr std::size_t kRoom = 4096;
  std::vector<std::byte> blob(board.blob.size() + reg.size() + kRoom);
  check(board.source, fdt_open_into(board.blob.data(), blob.data(), static_cast<int>(blob.size())));
  int node = 0;
  fdt_for_each_subnode(node, blob.data(), 0) {
    int length = 0;
    const auto* type =
        static_cast<const char*>(fdt_getprop(blob.data(), node, "device_type", &length));
    if (type == nullptr ||
        std::string_view{type, strnlen(type, static_cast<std::size_t>(length))} != "memory") {
      continue;
    }
    // Taken out in place, so that no other node moves.
    check(board.source, fdt_nop_property(blob.data(), node, "device_type"));
  }
  const int memory = fdt_add_subnode(blob.data(), 0, "memory@carveout-ram");
  check(board.source, memory);
  check(board.source, fdt_setprop_string(blob.data(), memory, "device_type", "memory"));
  check(board.source,
        fdt_setprop(blob.data(), memory, "reg", reg.data(), static_cast<int>(reg.size())));
  blob.resize(fdt_totalsize(blob.data()));
  Index index{board.source, blob};
  return {.source = std::move(board.source),
          .blob = std::move(blob),
          .index = std::move(index),
          .messages = std::move(board.messages)};
}

}  // namespace carveout::cli
