// A flattened device tree that has been checked once and can then be asked cheaply.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

#include "carveout/core/address.hpp"
#include "carveout/core/text.hpp"
#include "carveout/device_tree/bytes.hpp"

namespace carveout::device_tree {

/// Below the root, which is at depth 0. Deeper trees are refused.
inline constexpr unsigned kMaxDepth = 64;
/// The longest full path of a node, without a terminating zero. A tree with a longer one is
/// refused.
inline constexpr std::size_t kMaxPathBytes = 4096;

/// Why a blob cannot be read, or not be answered about. The text is for people; the codes are a
/// closed list.
struct TreeError {
  enum class Code : std::uint8_t {
    not_a_tree,             ///< the first four bytes are not a flattened device tree's
    misaligned,             ///< the blob does not start at a multiple of 8 bytes
    truncated,              ///< fewer bytes than the header says
    bad_header,             ///< offsets or sizes in the header contradict each other
    unsupported_version,    ///< a version of the format that libfdt does not read
    bad_structure,          ///< no node where one must begin or end, or an unknown token
    bad_property,           ///< a property runs past the structure block
    bad_property_name,      ///< a property's name lies outside the strings block
    bad_reservations,       ///< the memory reservation block has no end
    too_deep,               ///< a node more than kMaxDepth below the root
    path_too_long,          ///< a node whose path has more than kMaxPathBytes
    scratch_too_small,      ///< the caller gave less scratch than measure() said
    too_many_translations,  ///< dma-ranges whose composition passes DmaRanges' limit of work
    too_much_output,        ///< more output than the limit (the command line's 64 MiB)
  };

  Code code;
  std::uint32_t offset_bytes = 0;  ///< where in the blob, from its first byte

  /// Half a sentence, static.
  [[nodiscard]] std::string_view what() const;
  /// "byte 0x1c4"; of what no single byte is to blame for, "limit of carveout".
  void where(Text& text) const;
};

/// A node of one tree: its place in tree order, the root being 0. A handle without a pointer; it
/// means nothing to another tree.
class Node {
 public:
  constexpr explicit Node(std::uint32_t index) : index_{index} {}
  [[nodiscard]] constexpr std::uint32_t index() const { return index_; }
  constexpr auto operator<=>(const Node&) const = default;

 private:
  std::uint32_t index_;
};

/// The name of a property. It compares in the time of the shorter side: in a hostile blob the names
/// of all properties can share one tail of megabytes, so that measuring each is quadratic.
class PropertyName {
 public:
  constexpr explicit PropertyName(std::string_view text_and_beyond) : text_{text_and_beyond} {}

  [[nodiscard]] constexpr bool operator==(std::string_view name) const {
    return text_.size() > name.size() && text_[name.size()] == '\0' && text_.starts_with(name);
  }
  /// Cost: linear in the name.
  [[nodiscard]] constexpr std::string_view text() const { return before(text_, '\0'); }
  /// The name, or the beginning of a longer one. Cost: linear in `most_bytes`.
  [[nodiscard]] constexpr std::string_view text(std::size_t most_bytes) const {
    const std::size_t size = text_.size() < most_bytes ? text_.size() : most_bytes;
    return before({text_.data(), size}, '\0');
  }

 private:
  std::string_view text_;  // to the end of the strings block; a zero is in it
};

/// A device tree: the blob, and an index of its nodes in memory of the caller. A view, cheap to
/// copy; both outlive it.
///
/// The blob is not trusted. After open() every read is inside of it, and no question below but
/// find() costs more than the node's own properties: a walk over all nodes is linear in the blob.
/// Of two properties of one name in a node the first counts, and of properties after a child node
/// none (as for libfdt).
class Tree {
 public:
  /// How much scratch open() needs for this blob, in bytes: about 50 a node.
  ///
  /// Fails with the codes of open() but scratch_too_small. Cost: linear.
  [[nodiscard]] static std::expected<std::size_t, TreeError> measure(Bytes blob);

  /// Checks the blob and builds the index.
  ///
  /// @param blob     starts at a multiple of 8 bytes; may be longer than the tree.
  /// @param scratch  as many bytes as measure() said, of any alignment.
  ///
  /// Fails with one of not_a_tree, misaligned, truncated, bad_header, unsupported_version,
  /// bad_structure, bad_property, bad_property_name, bad_reservations, too_deep, path_too_long,
  /// scratch_too_small.
  /// Cost: linear in the blob, plus sorting the phandles. No heap.
  [[nodiscard]] static std::expected<Tree, TreeError> open(Bytes blob,
                                                           std::span<std::byte> scratch);

  // ---- nodes

  [[nodiscard]] std::uint32_t node_count() const {
    return static_cast<std::uint32_t>(records_.size());
  }
  [[nodiscard]] static constexpr Node root() { return Node{0}; }
  /// Nothing for the root.
  [[nodiscard]] std::optional<Node> parent(Node node) const;

  class Iterator;
  class Nodes;
  /// Every node, in tree order, the root first.
  [[nodiscard]] Nodes nodes() const;
  [[nodiscard]] Nodes children(Node node) const;

  /// The last part of the node's path, with its unit address; empty for the root.
  [[nodiscard]] std::string_view name(Node node) const;
  /// Writes the full path: into `buffer` as far as it has room (kMaxPathBytes always suffice).
  /// @return the written part of the buffer.
  std::string_view path(Node node, std::span<char> buffer) const;
  /// The node of a full path. A part without `@` also finds the first node that has that name and a
  /// unit address, as everywhere in this field.
  [[nodiscard]] std::optional<Node> find(std::string_view path) const;
  /// The node with this phandle; of two that have one phandle the first.
  [[nodiscard]] std::optional<Node> by_phandle(std::uint32_t phandle) const;

  // ---- properties

  [[nodiscard]] std::optional<Bytes> property(Node node, std::string_view name) const;
  [[nodiscard]] bool has(Node node, std::string_view name) const {
    return property(node, name).has_value();
  }
  /// The strings of a property; empty where it is absent.
  [[nodiscard]] Strings strings(Node node, std::string_view name) const;
  /// Calls `visit(PropertyName, Bytes)` for each property, in order. One pass, where property()
  /// would be one pass a name.
  template <class Visit>
  void for_each_property(Node node, Visit&& visit) const {
    Cursor cursor = before_properties(node);
    while (next_property(cursor)) visit(cursor.name, cursor.bytes);
  }

  /// The cells of a bus: the nearest of the node and its ancestors that states each; 2 and 1 where
  /// none does.
  [[nodiscard]] CellCounts cells(Node bus) const;
  /// Whether the node states `#address-cells` (`#size-cells`) by itself, in at least four bytes.
  [[nodiscard]] bool states_address_cells(Node node) const;
  [[nodiscard]] bool states_size_cells(Node node) const;

  /// No `status`, or its first string is "okay" or "ok". An empty status is not.
  [[nodiscard]] bool okay(Node node) const;
  /// okay(), and every ancestor's too.
  [[nodiscard]] bool enabled(Node node) const;
  [[nodiscard]] bool has_memory_region(Node node) const;

  // ---- DMA

  /// The node that says how this node's DMA addresses are made: the provider of its `dma-mem`
  /// interconnect if that can be resolved, else the tree parent. Nothing for the root.
  [[nodiscard]] std::optional<Node> dma_parent(Node node) const;
  /// What the nearest of the node and its DMA parents says; nothing where none does. `dma-coherent`
  /// is asked before `dma-noncoherent`.
  [[nodiscard]] std::optional<bool> coherent(Node node) const;
  /// Whether the node is reached again by going up its DMA parents. Only a broken tree has such.
  [[nodiscard]] bool on_dma_cycle(Node node) const;
  /// The node's `dma-ranges`; absent and empty are different answers.
  [[nodiscard]] std::optional<Bytes> dma_ranges(Node node) const;
  /// Whether the node is below the root and has a `dma-ranges` that is not empty.
  [[nodiscard]] bool is_translating_bus(Node node) const;
  /// The bus whose `dma-ranges` translates for this device; nothing where that is the identity.
  [[nodiscard]] std::optional<Node> serving_bus(Node device) const;
  /// The same for any device whose DMA parent is `first`.
  [[nodiscard]] std::optional<Node> serving_bus_below(Node first) const;
  /// The next bus with a non-empty `dma-ranges` above this one, among its DMA parents. On a cycle
  /// the answers never end: DmaRanges knows where to stop.
  [[nodiscard]] std::optional<Node> outer_bus(Node bus) const;

  // ---- the memory reservation block

  class Reservations;
  /// Its entries up to the 0/0 that ends it, those of size 0 included.
  [[nodiscard]] Reservations reservations() const;

 private:
  friend class TreeBuilder;

  struct Record {
    std::uint32_t offset;          // of the node, in the structure block
    std::uint32_t properties;      // of the token behind its name
    std::uint32_t parent;          // itself for the root
    std::uint32_t dma_parent;      // itself for the root
    std::uint32_t after = 0;       // the first node in tree order that is not below this one
    std::uint32_t dma_ranges = 0;  // offset of the property
    std::uint32_t serving = 0;     // the bus that serves what comes up to this node; kNone
    std::uint32_t outer = 0;       // the next translating bus strictly above; kNone
    CellCounts cells = {0, 0};
    std::uint32_t flags = 0;
  };
  struct Handle {
    std::uint32_t phandle;
    std::uint32_t node;
    std::uint32_t interconnect_cells;  // here, because only providers need them
  };
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  struct Cursor {
    int offset;  // of the token to read next
    PropertyName name;
    Bytes bytes;
  };
  [[nodiscard]] Cursor before_properties(Node node) const;
  bool next_property(Cursor& cursor) const;

  Tree(const std::byte* blob, std::uint32_t strings_bytes, std::uint32_t reservation_count,
       std::span<const Record> records, std::span<const Handle> handles)
      : blob_{blob},
        strings_bytes_{strings_bytes},
        reservation_count_{reservation_count},
        records_{records},
        handles_{handles} {}

  const std::byte* blob_;
  std::uint32_t strings_bytes_;
  std::uint32_t reservation_count_;
  std::span<const Record> records_;
  std::span<const Handle> handles_;  // ascending by phandle, then by node
};

/// Steps over nodes in tree order, or over the children of one node.
class Tree::Iterator {
 public:
  using value_type = Node;
  using difference_type = std::ptrdiff_t;

  Iterator() = default;
  Iterator(std::span<const Record> records, std::uint32_t index, bool skip_subtrees)
      : records_{records}, index_{index}, skip_subtrees_{skip_subtrees} {}

  Node operator*() const { return Node{index_}; }
  Iterator& operator++() {
    index_ = skip_subtrees_ ? records_[index_].after : index_ + 1;
    return *this;
  }
  Iterator operator++(int) {
    const Iterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Iterator& other) const { return index_ == other.index_; }

 private:
  std::span<const Record> records_;
  std::uint32_t index_ = 0;
  bool skip_subtrees_ = false;
};

class Tree::Nodes {
 public:
  Nodes(Iterator begin, Iterator end) : begin_{begin}, end_{end} {}
  [[nodiscard]] Iterator begin() const { return begin_; }
  [[nodiscard]] Iterator end() const { return end_; }

 private:
  Iterator begin_;
  Iterator end_;
};

inline Tree::Nodes Tree::nodes() const {
  return {Iterator{records_, 0, false}, Iterator{records_, node_count(), false}};
}

inline Tree::Nodes Tree::children(Node node) const {
  return {Iterator{records_, node.index() + 1, true},
          Iterator{records_, records_[node.index()].after, true}};
}

class Tree::Reservations {
 public:
  Reservations(const std::byte* blob, std::uint32_t count) : blob_{blob}, count_{count} {}
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] PhysRange operator[](std::size_t index) const;
  [[nodiscard]] auto begin() const { return IndexIterator{*this, 0}; }
  [[nodiscard]] auto end() const { return IndexIterator{*this, size()}; }

 private:
  const std::byte* blob_;
  std::uint32_t count_;
};

inline Tree::Reservations Tree::reservations() const { return {blob_, reservation_count_}; }

}  // namespace carveout::device_tree
