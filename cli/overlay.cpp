#include "overlay.hpp"

#include <fmt/format.h>
#include <libfdt.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "carveout/device_tree/tree.hpp"
#include "input.hpp"
#include "refusal.hpp"

namespace carveout::cli {
namespace {

using device_tree::Bytes;
using device_tree::Node;
using device_tree::Tree;

/// Changes times bytes of tree; a large overlay on a large board comes to a tenth of it.
constexpr std::uint64_t kMaxWork = 4'000'000'000;

/// libfdt writes while it applies an overlay, so neither tree may have what its own check refuses;
/// Carveout reads the result as it reads every tree.
void check_full(std::string_view source, Bytes blob) {
  if (const int error = fdt_check_full(blob.data(), blob.size()); error != 0) {
    throw Refusal{source, fmt::format("is malformed: {}", fdt_strerror(error)), "fdt_check_full"};
  }
}

/// How many nodes, properties and references an overlay brings, at least.
std::uint64_t changes_in(const Tree& overlay) {
  std::uint64_t changes = 0;
  bool references = false;
  for (const Node node : overlay.nodes()) {
    ++changes;
    if (overlay.parent(node) == Tree::root()) {
      references = overlay.name(node) == "__fixups__" || overlay.name(node) == "__local_fixups__";
    }
    overlay.for_each_property(node, [&](const auto& /*name*/, Bytes value) {
      // A cell each, or a string of at least as many bytes.
      changes += 1 + (references ? value.size() / device_tree::kCellBytes : 0);
    });
  }
  return changes;
}

[[noreturn]] void refuse(std::string_view source, std::string_view overlay,
                         std::string_view reason) {
  throw Refusal{source, fmt::format("overlay {} does not apply: {}", overlay, reason),
                "fdt_overlay_apply"};
}

}  // namespace

std::vector<std::byte> apply_overlay(std::string_view source, const std::vector<std::byte>& base,
                                     std::string_view overlay,
                                     const std::vector<std::byte>& changes) {
  check_full(source, base);
  check_full(overlay, changes);
  const Index index{overlay, changes};
  if (changes_in(index.tree) * (base.size() + changes.size()) > kMaxWork) {
    refuse(source, overlay, "it is too large for libfdt to apply in reasonable time");
  }
  // What is added is at most the overlay; the symbols that it brings get longer paths on the way.
  std::size_t room = 2 * (base.size() + changes.size()) + 65536;
  while (room <= 4 * kMaxBlobBytes) {
    std::vector<std::byte> merged(room);
    std::vector<std::byte> spent = changes;  // libfdt destroys both, even where it fails
    int error = fdt_open_into(base.data(), merged.data(), static_cast<int>(room));
    if (error == 0) error = fdt_overlay_apply(merged.data(), spent.data());
    if (error == 0) {
      fdt_pack(merged.data());
      merged.resize(fdt_totalsize(merged.data()));
      return merged;
    }
    if (error != -FDT_ERR_NOSPACE) refuse(source, overlay, fdt_strerror(error));
    room *= 2;
  }
  refuse(source, overlay, fdt_strerror(-FDT_ERR_NOSPACE));
}

}  // namespace carveout::cli
