#include "tree_directory.hpp"

#include <fmt/format.h>
#include <libfdt.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "carveout/device_tree/tree.hpp"
#include "input.hpp"
#include "refusal.hpp"

namespace carveout::cli {
namespace {

/// Writes the parts of a flattened tree one after the other. libfdt's own writer looks through all
/// names that it has for every property, which is quadratic.
class Blob {
 public:
  void begin_node(std::string_view name) {
    cell(FDT_BEGIN_NODE);
    text(structure_, name);
    pad(structure_);
  }

  void property(const std::string& name, std::span<const std::byte> value) {
    const auto [entry, is_new] =
        names_.try_emplace(name, static_cast<std::uint32_t>(strings_.size()));
    if (is_new) text(strings_, name);
    cell(FDT_PROP);
    cell(static_cast<std::uint32_t>(value.size()));
    cell(entry->second);
    structure_.insert(structure_.end(), value.begin(), value.end());
    pad(structure_);
  }

  void end_node() { cell(FDT_END_NODE); }

  [[nodiscard]] std::size_t size() const { return structure_.size() + strings_.size(); }

  [[nodiscard]] std::vector<std::byte> finish() {
    cell(FDT_END);
    constexpr std::uint32_t kHeader = 40;
    constexpr std::uint32_t kReservations = 16;  // the entry of zeros that ends an empty list
    const std::uint32_t structure = kHeader + kReservations;
    const auto structure_bytes = static_cast<std::uint32_t>(structure_.size());
    const auto strings_bytes = static_cast<std::uint32_t>(strings_.size());
    const std::uint32_t strings = structure + structure_bytes;
    std::vector<std::byte> body;
    body.swap(structure_);
    for (const std::uint32_t word :
         {std::uint32_t{FDT_MAGIC}, strings + strings_bytes, structure, strings, kHeader,
          std::uint32_t{17}, std::uint32_t{16}, std::uint32_t{0}, strings_bytes, structure_bytes}) {
      cell(word);
    }
    structure_.resize(structure);
    structure_.insert(structure_.end(), body.begin(), body.end());
    structure_.insert(structure_.end(), strings_.begin(), strings_.end());
    return std::move(structure_);
  }

 private:
  void cell(std::uint32_t value) {
    for (const int shift : {24, 16, 8, 0}) structure_.push_back(std::byte(value >> shift & 0xffU));
  }

  static void text(std::vector<std::byte>& to, std::string_view characters) {
    const auto bytes = std::as_bytes(std::span{characters});
    to.insert(to.end(), bytes.begin(), bytes.end());
    to.push_back(std::byte{0});
  }

  static void pad(std::vector<std::byte>& to) {
    while (to.size() % device_tree::kCellBytes != 0) to.push_back(std::byte{0});
  }

  std::vector<std::byte> structure_;
  std::vector<std::byte> strings_;
  std::unordered_map<std::string, std::uint32_t> names_;
};

class Reader {
 public:
  explicit Reader(std::string_view source) : source_{source} {}

  /// @param path  of the node in the tree; empty for the root.
  /// @param name  of the node; empty for the root.
  void node(const File& directory, const std::string& path, std::string_view name, unsigned depth) {
    if (depth > device_tree::kMaxDepth) {
      refuse(fmt::format("has nodes more than {} levels deep", device_tree::kMaxDepth), path);
    }
    blob_.begin_node(name);
    std::vector<std::string> children;
    for (std::string& entry : directory.names()) {
      const std::string entry_path = fmt::format("{}/{}", path, entry);
      if (entry_path.size() > device_tree::kMaxPathBytes) {
        refuse(fmt::format("has a path of more than {} bytes", device_tree::kMaxPathBytes), path);
      }
      const auto file = File::open_at(directory, entry, on_disk(entry_path));
      if (!file) {
        // Linux keeps the contents of such properties (keys) for root; none is about memory.
        if (entry.starts_with("security-")) continue;
        refuse("may not be read", entry_path);
      }
      if (file->is_directory()) {
        children.push_back(std::move(entry));
      } else if (file->is_regular()) {
        property(*file, entry, entry_path);
      } else {
        refuse("has what is neither a node (directory) nor a property (file)", entry_path);
      }
    }
    for (const std::string& child : children) {
      const std::string child_path = fmt::format("{}/{}", path, child);
      const auto open = File::open_at(directory, child, on_disk(child_path));
      if (!open) refuse("may not be read", child_path);
      node(*open, child_path, child, depth + 1);
    }
    blob_.end_node();
  }

  [[nodiscard]] std::vector<std::byte> finish() { return blob_.finish(); }

 private:
  void property(const File& file, const std::string& name, const std::string& path) {
    std::vector<std::byte> value(std::min<std::size_t>(file.size().value_or(0), kMaxBlobBytes));
    // A file of sysfs may be longer or shorter than it says.
    std::size_t length = 0;
    while (true) {
      length += file.read(std::span{value}.subspan(length));
      if (length < value.size()) break;
      if (blob_.size() + length >= kMaxBlobBytes) {
        refuse(fmt::format("holds more than {} bytes", kMaxBlobBytes), path);
      }
      value.resize(std::max<std::size_t>(64, 2 * length));
    }
    blob_.property(name, std::span{value}.first(length));
  }

  [[nodiscard]] std::string on_disk(std::string_view path) const {
    return fmt::format("{}{}", source_, path);
  }

  [[noreturn]] void refuse(std::string_view what, std::string_view path) const {
    throw Refusal{source_, what, path.empty() ? "/" : path};
  }

  std::string_view source_;
  Blob blob_;
};

/// Whether the top of a directory looks like a root node. Any directory has the form of a tree; the
/// root of one states at least one of these.
bool is_root(const std::vector<std::string>& names) {
  constexpr std::array<std::string_view, 10> kOfRoots{
      "compatible", "model",  "name", "#address-cells",  "#size-cells",
      "aliases",    "chosen", "cpus", "reserved-memory", "memory"};
  return std::ranges::any_of(names, [&](const std::string& name) {
    return std::ranges::count(kOfRoots, name) != 0 || name.starts_with("memory@");
  });
}

}  // namespace

std::vector<std::byte> read_tree_directory(std::string_view source, const File& directory) {
  const std::vector<std::string> names = directory.names();
  if (names.empty()) throw Refusal{source, "is an empty directory, and no device tree", "/"};
  if (!is_root(names)) {
    throw Refusal{source, "is a directory, and no device tree: nothing in it is of a root node",
                  "compatible, model, #address-cells, memory"};
  }
  Reader reader{source};
  reader.node(directory, "", "", 0);
  return reader.finish();
}

}  // namespace carveout::cli
