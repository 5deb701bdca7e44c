#include "overlay.hpp"

#include <fmt/format.h>
#include <libfdt.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "carveout/device_tree/tree.hpp"
#include "input.hpp"
#include "refusal.hpp"
#include "sizes.hpp"

namespace carveout::cli {
namespace {

using device_tree::Bytes;
using device_tree::Node;
using device_tree::Tree;

/// Changes times bytes of tree; a large overlay on a large board comes to a fifth of it.
constexpr std::uint64_t kMaxWork = 2'000'000'000;

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

bool has_fragment(const Tree& overlay) {
  for (const Node node : overlay.children(Tree::root())) {
    for (const Node content : overlay.children(node)) {
      if (overlay.name(content) == "__overlay__") return true;
    }
  }
  return false;
}

/// Checks the references of an overlay: libfdt 1.6.1 follows an offset in __local_fixups__ or
/// __fixups__ without asking whether it lies inside of the property.
class References {
 public:
  References(std::string_view overlay, const std::vector<std::byte>& blob)
      : overlay_{overlay}, blob_{blob.data()} {}

  void check() const {
    const int local = fdt_path_offset(blob_, "/__local_fixups__");
    if (local >= 0) check_local(0, local);
    const int symbols = fdt_path_offset(blob_, "/__fixups__");
    if (symbols >= 0) check_symbols(symbols);
  }

 private:
  /// @param node    whose properties have the references.
  /// @param fixups  the node of the same path below __local_fixups__.
  void check_local(int node, int fixups) const {
    int property = 0;
    fdt_for_each_property_offset(property, blob_, fixups) {
      const char* name = nullptr;
      int length = 0;
      const auto* offsets =
          static_cast<const std::byte*>(fdt_getprop_by_offset(blob_, property, &name, &length));
      if (offsets == nullptr) refuse();
      const Bytes cells{offsets, static_cast<std::size_t>(length)};
      for (std::size_t at = 0; at + device_tree::kCellBytes <= cells.size();
           at += device_tree::kCellBytes) {
        check_offset(node, name, device_tree::load_cell(cells, at));
      }
    }
    int child = 0;
    fdt_for_each_subnode(child, blob_, fixups) {
      const int target = fdt_subnode_offset(blob_, node, fdt_get_name(blob_, child, nullptr));
      if (target < 0) refuse();
      check_local(target, child);
    }
  }

  /// Each property is a label, with strings `path:property:offset`.
  void check_symbols(int fixups) const {
    int property = 0;
    fdt_for_each_property_offset(property, blob_, fixups) {
      int length = 0;
      const auto* value =
          static_cast<const char*>(fdt_getprop_by_offset(blob_, property, nullptr, &length));
      if (value == nullptr) refuse();
      std::string_view rest{value, static_cast<std::size_t>(length)};
      while (!rest.empty()) {
        const std::string_view reference = rest.substr(0, rest.find('\0'));
        check_reference(reference);
        rest.remove_prefix(std::min(reference.size() + 1, rest.size()));
      }
    }
  }

  void check_reference(std::string_view reference) const {
    const std::size_t colon = reference.find(':');
    const std::size_t second = reference.find(':', colon + 1);
    if (colon == std::string_view::npos || second == std::string_view::npos) refuse();
    const std::string_view path = reference.substr(0, colon);
    const std::string name{reference.substr(colon + 1, second - colon - 1)};
    const auto offset = parse_count(reference.substr(second + 1), 0, kMaxBlobBytes);
    const int node = fdt_path_offset_namelen(blob_, path.data(), static_cast<int>(path.size()));
    if (!offset || node < 0) refuse();
    check_offset(node, name.c_str(), *offset);
  }

  void check_offset(int node, const char* name, std::uint64_t offset) const {
    int length = 0;
    if (fdt_getprop(blob_, node, name, &length) == nullptr ||
        offset + device_tree::kCellBytes > static_cast<std::uint64_t>(length)) {
      refuse();
    }
  }

  [[noreturn]] void refuse() const {
    throw Refusal{overlay_, "is malformed: a reference to no cell of a property",
                  "__fixups__, __local_fixups__"};
  }

  std::string_view overlay_;
  const std::byte* blob_;
};

[[noreturn]] void refuse(std::string_view source, std::string_view overlay,
                         std::string_view reason) {
  throw Refusal{source, fmt::format("overlay {} does not apply: {}", overlay, reason),
                "fdt_overlay_apply"};
}

}  // namespace

void check_full(std::string_view source, Bytes blob) {
  if (const int error = fdt_check_full(blob.data(), blob.size()); error != 0) {
    throw Refusal{source, fmt::format("is malformed: {}", fdt_strerror(error)), "fdt_check_full"};
  }
}

std::vector<std::byte> apply_overlay(std::string_view source, const std::vector<std::byte>& base,
                                     std::string_view overlay,
                                     const std::vector<std::byte>& changes) {
  check_full(source, base);
  check_full(overlay, changes);
  const Index index{overlay, changes};
  if (changes_in(index.tree) * (base.size() + changes.size()) > kMaxWork) {
    refuse(source, overlay, "it is too large for libfdt to apply in reasonable time");
  }
  if (!has_fragment(index.tree)) refuse(source, overlay, "it has no fragment and changes nothing");
  References{overlay, changes}.check();
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
