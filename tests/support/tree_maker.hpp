// Blobs for tests, by libfdt's functions that write in sequence.
#pragma once

#include <libfdt.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carveout/device_tree/tree.hpp"

namespace carveout::test {

/// Writes a tree node by node. Reservations come first, then the root, which is begun already.
class TreeMaker {
 public:
  explicit TreeMaker(
      std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> reservations = {},
      std::size_t capacity_bytes = std::size_t{8} << 20)
      : TreeMaker(std::vector<std::pair<std::uint64_t, std::uint64_t>>{reservations},
                  capacity_bytes) {}

  explicit TreeMaker(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& reservations,
                     std::size_t capacity_bytes = std::size_t{8} << 20)
      : blob_(capacity_bytes) {
    check(fdt_create(blob_.data(), static_cast<int>(blob_.size())));
    for (const auto& [base, size] : reservations) {
      check(fdt_add_reservemap_entry(blob_.data(), base, size));
    }
    check(fdt_finish_reservemap(blob_.data()));
    begin("");
  }

  TreeMaker& begin(const std::string& name) {
    check(fdt_begin_node(blob_.data(), name.c_str()));
    return *this;
  }
  TreeMaker& end() {
    check(fdt_end_node(blob_.data()));
    return *this;
  }
  TreeMaker& cells(const std::string& name, std::span<const std::uint32_t> values) {
    std::vector<std::uint8_t> bytes;
    bytes.reserve(values.size() * 4);
    for (const std::uint32_t value : values) {
      for (int shift = 24; shift >= 0; shift -= 8) {
        bytes.push_back(static_cast<std::uint8_t>(value >> shift));
      }
    }
    return put(name, bytes.data(), bytes.size());
  }
  TreeMaker& cells(const std::string& name, std::initializer_list<std::uint32_t> values) {
    return cells(name, std::span{values.begin(), values.size()});
  }
  /// Each as two cells.
  TreeMaker& wide(const std::string& name, std::initializer_list<std::uint64_t> values) {
    std::vector<std::uint32_t> halves;
    for (const std::uint64_t value : values) {
      halves.push_back(static_cast<std::uint32_t>(value >> 32));
      halves.push_back(static_cast<std::uint32_t>(value));
    }
    return cells(name, halves);
  }
  TreeMaker& string(const std::string& name, const std::string& value) {
    return put(name, value.c_str(), value.size() + 1);
  }
  TreeMaker& bytes(const std::string& name, std::string_view value) {
    return put(name, value.data(), value.size());
  }
  TreeMaker& empty(const std::string& name) { return put(name, nullptr, 0); }
  TreeMaker& phandle(std::uint32_t value) { return cells("phandle", {value}); }
  /// What a node states about the cells of its children.
  TreeMaker& counts(std::uint32_t address, std::uint32_t size) {
    return cells("#address-cells", {address}).cells("#size-cells", {size});
  }

  /// Ends the root. The maker is used up.
  std::vector<std::byte> finish() {
    end();
    check(fdt_finish(blob_.data()));
    blob_.resize(fdt_totalsize(blob_.data()));
    return std::move(blob_);
  }

 private:
  TreeMaker& put(const std::string& name, const void* value, std::size_t size) {
    check(fdt_property(blob_.data(), name.c_str(), value, static_cast<int>(size)));
    return *this;
  }
  static void check(int error) {
    if (error != 0) throw std::runtime_error(fdt_strerror(error));
  }

  std::vector<std::byte> blob_;
};

/// A tree with the memory that it looks into.
class OpenTree {
 public:
  explicit OpenTree(std::vector<std::byte> blob)
      : blob_{std::move(blob)}, scratch_(measure(blob_)), tree_{open(blob_, scratch_)} {}
  OpenTree(const OpenTree&) = delete;
  OpenTree& operator=(const OpenTree&) = delete;

  [[nodiscard]] const device_tree::Tree& tree() const { return tree_; }
  explicit(false) operator const device_tree::Tree&() const { return tree_; }
  const device_tree::Tree* operator->() const { return &tree_; }

  /// The node at a path that is there.
  [[nodiscard]] device_tree::Node at(std::string_view path) const {
    const auto node = tree_.find(path);
    if (!node) throw std::runtime_error("no such node: " + std::string{path});
    return *node;
  }
  [[nodiscard]] std::string path(device_tree::Node node) const {
    std::string buffer(device_tree::kMaxPathBytes, ' ');
    return std::string{tree_.path(node, buffer)};
  }

 private:
  static std::size_t measure(const std::vector<std::byte>& blob) {
    const auto bytes = device_tree::Tree::measure(blob);
    if (!bytes) throw std::runtime_error(std::string{bytes.error().what()});
    return *bytes;
  }
  static device_tree::Tree open(const std::vector<std::byte>& blob,
                                std::vector<std::byte>& scratch) {
    const auto tree = device_tree::Tree::open(blob, scratch);
    if (!tree) throw std::runtime_error(std::string{tree.error().what()});
    return *tree;
  }

  std::vector<std::byte> blob_;
  std::vector<std::byte> scratch_;
  device_tree::Tree tree_;
};

}  // namespace carveout::test
