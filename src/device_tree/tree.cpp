#include "carveout/device_tree/tree.hpp"

#include <libfdt.h>

#include <array>

#include "blob.hpp"
#include "sort.hpp"
#include "two_ends.hpp"

namespace carveout::device_tree {
namespace {

using Code = TreeError::Code;

enum Flag : std::uint32_t {
  kStatesAddressCells = 1U << 0,
  kStatesSizeCells = 1U << 1,
  kOkay = 1U << 2,
  kEnabled = 1U << 3,
  kHasMemoryRegion = 1U << 4,
  kHasInterconnects = 1U << 5,
  kHasDmaRanges = 1U << 6,
  kTranslates = 1U << 7,  // the property is not empty
  kSaysCoherent =
      1U << 8,  // the node itself, or, once the chains are known, its nearest DMA parent
  kSaysNonCoherent = 1U << 9,
  kOnDmaCycle = 1U << 10,
  kOnTheWay = 1U << 11,  // while the chains are worked out
  kKnown = 1U << 12,
};

constexpr std::uint32_t kCoherence = kSaysCoherent | kSaysNonCoherent;

bool is_okay(Bytes status) {
  const std::string_view first = Strings{status}.first().value_or("");
  return first == "okay" || first == "ok";
}

}  // namespace

std::string_view TreeError::what() const {
  switch (code) {
    case Code::not_a_tree:
      return "not a flattened device tree";
    case Code::misaligned:
      return "the blob does not start at a multiple of 8 bytes";
    case Code::truncated:
      return "the blob is shorter than its header says";
    case Code::bad_header:
      return "the header contradicts itself";
    case Code::unsupported_version:
      return "a version of the format that cannot be read";
    case Code::bad_structure:
      return "malformed structure";
    case Code::bad_property:
      return "a property runs past the end";
    case Code::bad_property_name:
      return "the name of a property lies outside the strings";
    case Code::bad_reservations:
      return "the memory reservations have no end";
    case Code::too_deep:
      return "nodes nested more than 64 deep";
    case Code::path_too_long:
      return "a path of more than 4096 bytes";
    case Code::scratch_too_small:
      return "not enough scratch memory for the tree";
    case Code::too_many_translations:
      return "the dma-ranges combine to more translations than can be worked out";
    case Code::too_much_output:
      return "makes more than 64 MiB of output";
  }
  return "";
}

void TreeError::where(Text& text) const {
  switch (code) {
    case Code::scratch_too_small:
    case Code::too_many_translations:
    case Code::too_much_output:
      text.add("limit of carveout");
      break;
    default:
      text.add("byte ").add_hex(offset_bytes);
      break;
  }
}

/// Makes the index in one pass over the structure block, then works out the DMA parents.
class TreeBuilder {
 public:
  using Index = TwoEnds<Tree::Record, Tree::Handle>;

  struct Counts {
    std::uint32_t nodes = 0;
    std::uint32_t handles = 0;

    [[nodiscard]] std::size_t scratch_bytes() const {
      return nodes * sizeof(Tree::Record) + handles * sizeof(Tree::Handle) + Index::lost_bytes();
    }
  };

  explicit TreeBuilder(const Blob& blob) : blob_{blob} {}

  /// Checks everything and counts; stores nothing.
  std::expected<Counts, TreeError> count() {
    if (const auto reservations = blob_.count_reservations(); !reservations) {
      return std::unexpected{reservations.error()};
    }
    if (const auto error = walk()) return std::unexpected{*error};
    return counts_;
  }

  std::expected<Tree, TreeError> build(std::span<std::byte> scratch) {
    const auto reservations = blob_.count_reservations();
    if (!reservations) return std::unexpected{reservations.error()};
    index_.emplace(scratch);
    if (const auto error = walk()) return std::unexpected{*error};
    if (!index_) return std::unexpected{TreeError{Code::scratch_too_small}};
    const std::span<Tree::Handle> handles = index_->back();
    sort(handles, [](const Tree::Handle& a, const Tree::Handle& b) {
      return a.phandle != b.phandle ? a.phandle < b.phandle : a.node < b.node;
    });

    handles_ = handles;
    const Tree tree{blob_.data(), blob_.strings_bytes(), *reservations, records_, handles_};
    for (std::uint32_t i = 1; i < records_.size(); ++i) {
      if (has(i, kHasInterconnects)) {
        records_[i].dma_parent =
            interconnect_parent(tree, Node{i}).value_or(Node{records_[i].parent}).index();
      }
    }
    for (std::uint32_t i = 0; i < records_.size(); ++i) work_out_chain(i);
    return tree;
  }

 private:
  /// What the properties of the node that is being read say.
  struct Reading {
    std::uint32_t seen = 0;  // a bit a known property, because only the first of a name counts
    std::uint32_t flags = kOkay;
    CellCounts cells{0, 0};
    std::uint32_t dma_ranges = Tree::kNone;
    std::uint32_t phandle = 0;
    std::uint32_t old_phandle = 0;
    std::uint32_t interconnect_cells = Tree::kNone;
  };

  [[nodiscard]] bool has(std::uint32_t node, std::uint32_t flag) const {
    return (records_[node].flags & flag) != 0;
  }

  void add_record(int offset, int properties, std::uint32_t parent) {
    if (!index_) return;
    const Tree::Record record{.offset = static_cast<std::uint32_t>(offset),
                              .properties = static_cast<std::uint32_t>(properties),
                              .parent = parent,
                              .dma_parent = parent};
    if (index_->add_front(record)) {
      records_ = index_->front();
    } else {
      index_.reset();
    }
  }

  std::optional<TreeError> walk() {
    counts_ = {};
    std::array<std::uint32_t, kMaxDepth + 1> open{};      // the nodes from the root to here
    std::array<std::size_t, kMaxDepth + 1> path_bytes{};  // of each of them
    unsigned depth = 0;                                   // nodes open
    bool in_properties = false;
    bool root_closed = false;

    for (int offset = 0;;) {
      const auto token = blob_.token(offset);
      if (!token) return token.error();
      const auto fail = [&](Code code) { return blob_.error_at(code, token->offset); };

      switch (token->tag) {
        case FDT_BEGIN_NODE: {
          if (in_properties) close_properties(open[depth - 1]);
          if (root_closed) return fail(Code::bad_structure);
          if (depth > kMaxDepth) return fail(Code::too_deep);
          const std::size_t name_bytes = blob_.known_node_name(offset).size();
          if (depth == 0 && name_bytes != 0) return fail(Code::bad_structure);
          if (depth > 0) {
            path_bytes[depth] = path_bytes[depth - 1] + 1 + name_bytes;
            if (path_bytes[depth] > kMaxPathBytes) return fail(Code::path_too_long);
          }
          open[depth] = counts_.nodes++;
          add_record(offset, token->next, depth == 0 ? 0 : open[depth - 1]);
          ++depth;
          in_properties = true;
          reading_ = {};
          break;
        }
        case FDT_END_NODE:
          if (depth == 0) return fail(Code::bad_structure);
          --depth;
          if (in_properties) close_properties(open[depth]);
          in_properties = false;
          if (index_) records_[open[depth]].after = counts_.nodes;
          root_closed = depth == 0;
          break;
        case FDT_PROP:
          if (depth == 0) return fail(Code::bad_structure);
          if (in_properties) read_property(*token);
          break;
        case FDT_NOP:
          break;
        default:  // FDT_END: libfdt's fdt_next_tag() knows no other
          if (!root_closed) return fail(Code::bad_structure);
          return std::nullopt;
      }
      offset = token->next;
    }
  }

  void read_property(const Token& property) {
    // The value is read only if no property of this name came before.
    std::uint32_t bit = 1;
    const auto is = [&](std::string_view name) {
      bit <<= 1;
      if (!(property.name == name) || (reading_.seen & bit) != 0) return false;
      reading_.seen |= bit;
      return true;
    };
    const Bytes bytes = property.bytes;
    const bool has_cell = bytes.size() >= kCellBytes;
    if (is("#address-cells")) {
      if (has_cell) {
        reading_.cells.address = load_cell(bytes, 0);
        reading_.flags |= kStatesAddressCells;
      }
    } else if (is("#size-cells")) {
      if (has_cell) {
        reading_.cells.size = load_cell(bytes, 0);
        reading_.flags |= kStatesSizeCells;
      }
    } else if (is("#interconnect-cells")) {
      if (has_cell) reading_.interconnect_cells = load_cell(bytes, 0);
    } else if (is("phandle")) {
      if (bytes.size() == kCellBytes) reading_.phandle = load_cell(bytes, 0);
    } else if (is("linux,phandle")) {
      if (bytes.size() == kCellBytes) reading_.old_phandle = load_cell(bytes, 0);
    } else if (is("status")) {
      if (!is_okay(bytes)) reading_.flags &= ~std::uint32_t{kOkay};
    } else if (is("dma-ranges")) {
      reading_.dma_ranges = static_cast<std::uint32_t>(property.offset);
      reading_.flags |= bytes.empty() ? kHasDmaRanges : kHasDmaRanges | kTranslates;
    } else if (is("dma-coherent")) {
      reading_.flags |= kSaysCoherent;
    } else if (is("dma-noncoherent")) {
      reading_.flags |= kSaysNonCoherent;
    } else if (is("interconnects")) {
      reading_.flags |= kHasInterconnects;
    } else if (is("memory-region")) {
      reading_.flags |= kHasMemoryRegion;
    }
  }

  void close_properties(std::uint32_t node) {
    std::uint32_t phandle = reading_.phandle;
    if (phandle == 0 || phandle == 0xffff'ffff) phandle = reading_.old_phandle;
    const bool is_handle = phandle != 0 && phandle != 0xffff'ffff;
    if (is_handle) ++counts_.handles;
    if (!index_) return;

    Tree::Record& record = records_[node];
    const bool is_root = node == 0;
    const Tree::Record& parent = records_[record.parent];
    record.dma_ranges = reading_.dma_ranges;
    record.flags = reading_.flags;
    record.cells = is_root ? CellCounts{2, 1} : parent.cells;
    if (has(node, kStatesAddressCells)) record.cells.address = reading_.cells.address;
    if (has(node, kStatesSizeCells)) record.cells.size = reading_.cells.size;
    if (has(node, kOkay) && (is_root || (parent.flags & kEnabled) != 0)) record.flags |= kEnabled;
    if (has(node, kSaysCoherent)) record.flags &= ~std::uint32_t{kSaysNonCoherent};
    // The root's own dma-ranges is never used.
    if (is_root) record.flags &= ~std::uint32_t{kTranslates};
    if (is_handle && !index_->add_back({phandle, node, reading_.interconnect_cells})) {
      index_.reset();
    }
  }

  /// The provider of the interconnect that `interconnect-names` calls dma-mem.
  [[nodiscard]] std::optional<Node> interconnect_parent(const Tree& tree, Node node) const {
    std::size_t wanted = 0;
    bool found = false;
    for (const std::string_view name : tree.strings(node, "interconnect-names")) {
      found = name == "dma-mem";
      if (found) break;
      ++wanted;
    }
    if (!found) return std::nullopt;

    const CellList cells{*tree.property(node, "interconnects")};
    for (std::size_t at = 0; at < cells.size(); --wanted) {
      const std::uint32_t phandle = cells[at++];
      if (phandle == 0) {  // an entry that is left out: it has no cells
        if (wanted == 0) return std::nullopt;
        continue;
      }
      const Tree::Handle* provider = find_handle(handles_, phandle);
      if (provider == nullptr || provider->interconnect_cells > cells.size() - at)
        return std::nullopt;
      if (wanted == 0) return Node{provider->node};
      at += provider->interconnect_cells;
    }
    return std::nullopt;
  }

 public:
  static const Tree::Handle* find_handle(std::span<const Tree::Handle> handles,
                                         std::uint32_t phandle) {
    std::size_t low = 0;
    std::size_t high = handles.size();
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      if (handles[middle].phandle < phandle) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < handles.size() && handles[low].phandle == phandle ? &handles[low] : nullptr;
  }

 private:
  // ---- DMA chains: each node's answer from its DMA parent's, without recursion, because a chain
  // through interconnects may be as long as the tree has nodes.

  /// What a node passes down to the nodes whose DMA parent it is.
  struct Answers {
    std::uint32_t coherence;
    std::uint32_t serving;
    std::uint32_t translating;  // the nearest translating bus, this node included
  };

  [[nodiscard]] Answers answers_of(std::uint32_t node) const {
    const Tree::Record& record = records_[node];
    return {record.flags & kCoherence, record.serving,
            has(node, kTranslates) ? node : record.outer};
  }

  void settle(std::uint32_t node, const Answers& above) {
    Tree::Record& record = records_[node];
    if ((record.flags & kCoherence) == 0) record.flags |= above.coherence;
    if (has(node, kTranslates)) {
      record.serving = node;
    } else {
      record.serving = has(node, kHasDmaRanges) ? above.serving : Tree::kNone;
    }
    record.outer = above.translating;
    record.flags = (record.flags & ~std::uint32_t{kOnTheWay}) | kKnown;
  }

  void work_out_chain(std::uint32_t start) {
    // Up, leaving the way back in `outer`, which is not known yet.
    std::uint32_t node = start;
    std::uint32_t came_from = Tree::kNone;
    while (node != 0 && !has(node, kKnown | kOnTheWay)) {
      records_[node].flags |= kOnTheWay;
      records_[node].outer = came_from;
      came_from = node;
      node = records_[node].dma_parent;
    }
    Answers above{records_[0].flags & kCoherence, Tree::kNone, Tree::kNone};
    if (node == 0) {
      settle(0, above);
      records_[0].serving = Tree::kNone;
    } else if (has(node, kKnown)) {
      above = answers_of(node);
    } else {
      above = answers_around(node, above);
    }
    // And down again.
    for (node = came_from; node != Tree::kNone;) {
      const std::uint32_t below = records_[node].outer;
      settle(node, above);
      above = answers_of(node);
      node = below;
    }
  }

  /// What `entry`, a node of a cycle, passes to the last node of it: one round, and at the end of
  /// the round the node that was already visited counts as the root.
  Answers answers_around(std::uint32_t entry, const Answers& root) {
    Answers answers{0, Tree::kNone, Tree::kNone};
    bool passes = true;  // every node so far has an empty dma-ranges
    std::uint32_t node = entry;
    do {
      records_[node].flags |= kOnDmaCycle;
      if (answers.coherence == 0) answers.coherence = records_[node].flags & kCoherence;
      if (has(node, kTranslates)) {
        if (passes && answers.serving == Tree::kNone) answers.serving = node;
        if (answers.translating == Tree::kNone) answers.translating = node;
      }
      passes = passes && has(node, kHasDmaRanges) && !has(node, kTranslates);
      node = records_[node].dma_parent;
    } while (node != entry);
    if (answers.coherence == 0) answers.coherence = root.coherence;
    return answers;
  }

  Blob blob_;
  Counts counts_;
  // Absent where it is only counted, and once the scratch is full: what is wrong with the blob is
  // said all the same.
  std::optional<Index> index_;
  std::span<Tree::Record> records_;
  std::span<const Tree::Handle> handles_;
  Reading reading_;
};

// ---- Tree

std::expected<std::size_t, TreeError> Tree::measure(Bytes blob) {
  const auto checked = Blob::check(blob);
  if (!checked) return std::unexpected{checked.error()};
  const auto counts = TreeBuilder{*checked}.count();
  if (!counts) return std::unexpected{counts.error()};
  return counts->scratch_bytes();
}

std::expected<Tree, TreeError> Tree::open(Bytes blob, std::span<std::byte> scratch) {
  const auto checked = Blob::check(blob);
  if (!checked) return std::unexpected{checked.error()};
  return TreeBuilder{*checked}.build(scratch);
}

std::optional<Node> Tree::parent(Node node) const {
  if (node == root()) return std::nullopt;
  return Node{records_[node.index()].parent};
}

std::string_view Tree::name(Node node) const {
  const Blob blob = Blob::checked(blob_, strings_bytes_);
  return blob.known_node_name(static_cast<int>(records_[node.index()].offset));
}

std::string_view Tree::path(Node node, std::span<char> buffer) const {
  Text text{buffer};
  if (node == root()) {
    text.add("/");
    return text.view();
  }
  std::array<std::uint32_t, kMaxDepth> parts{};
  std::size_t count = 0;
  for (std::uint32_t at = node.index(); at != 0; at = records_[at].parent) parts[count++] = at;
  while (count > 0) text.add("/").add(name(Node{parts[--count]}));
  return text.view();
}

std::optional<Node> Tree::find(std::string_view path) const {
  if (!path.starts_with('/')) return std::nullopt;
  Node node = root();
  while (true) {
    while (path.starts_with('/')) path.remove_prefix(1);
    if (path.empty()) return node;
    const std::string_view part = before(path, '/');
    std::optional<Node> exact;
    std::optional<Node> without_unit;
    for (const Node child : children(node)) {
      const std::string_view name = this->name(child);
      if (name == part) {
        exact = child;
        break;
      }
      if (!without_unit && before(name, '@') == part) without_unit = child;
    }
    if (!exact) exact = without_unit;
    if (!exact) return std::nullopt;
    node = *exact;
    path.remove_prefix(part.size());
  }
}

std::optional<Node> Tree::by_phandle(std::uint32_t phandle) const {
  const Handle* handle = TreeBuilder::find_handle(handles_, phandle);
  if (handle == nullptr) return std::nullopt;
  return Node{handle->node};
}

Tree::Cursor Tree::before_properties(Node node) const {
  return {static_cast<int>(records_[node.index()].properties), PropertyName{{}}, {}};
}

bool Tree::next_property(Cursor& cursor) const {
  const Blob blob = Blob::checked(blob_, strings_bytes_);
  std::uint32_t tag = blob.known_tag(cursor.offset);
  for (; tag == FDT_NOP; tag = blob.known_tag(cursor.offset))
    cursor.offset += static_cast<int>(FDT_TAGSIZE);
  if (tag != FDT_PROP) return false;
  const Token property = blob.known_property(cursor.offset);
  cursor = {property.next, property.name, property.bytes};
  return true;
}

std::optional<Bytes> Tree::property(Node node, std::string_view name) const {
  for (Cursor cursor = before_properties(node); next_property(cursor);) {
    if (cursor.name == name) return cursor.bytes;
  }
  return std::nullopt;
}

Strings Tree::strings(Node node, std::string_view name) const {
  return Strings{property(node, name).value_or(Bytes{})};
}

CellCounts Tree::cells(Node bus) const { return records_[bus.index()].cells; }

bool Tree::states_address_cells(Node node) const {
  return (records_[node.index()].flags & kStatesAddressCells) != 0;
}

bool Tree::states_size_cells(Node node) const {
  return (records_[node.index()].flags & kStatesSizeCells) != 0;
}

bool Tree::okay(Node node) const { return (records_[node.index()].flags & kOkay) != 0; }

bool Tree::enabled(Node node) const { return (records_[node.index()].flags & kEnabled) != 0; }

bool Tree::has_memory_region(Node node) const {
  return (records_[node.index()].flags & kHasMemoryRegion) != 0;
}

std::optional<Node> Tree::dma_parent(Node node) const {
  if (node == root()) return std::nullopt;
  return Node{records_[node.index()].dma_parent};
}

std::optional<bool> Tree::coherent(Node node) const {
  const std::uint32_t flags = records_[node.index()].flags;
  if ((flags & kSaysCoherent) != 0) return true;
  if ((flags & kSaysNonCoherent) != 0) return false;
  return std::nullopt;
}

bool Tree::on_dma_cycle(Node node) const {
  return (records_[node.index()].flags & kOnDmaCycle) != 0;
}

std::optional<Bytes> Tree::dma_ranges(Node node) const {
  const Record& record = records_[node.index()];
  if (record.dma_ranges == kNone) return std::nullopt;
  const Blob blob = Blob::checked(blob_, strings_bytes_);
  return blob.known_property(static_cast<int>(record.dma_ranges)).bytes;
}

bool Tree::is_translating_bus(Node node) const {
  return (records_[node.index()].flags & kTranslates) != 0;
}

std::optional<Node> Tree::serving_bus(Node device) const {
  if (device == root()) return std::nullopt;
  const auto serving = serving_bus_below(Node{records_[device.index()].dma_parent});
  // Back at the device: it was visited, so it counts as the root.
  return serving == device ? std::nullopt : serving;
}

std::optional<Node> Tree::serving_bus_below(Node first) const {
  // A first node without the property passes on too; any later one ends the search.
  const Record& later =
      records_[is_translating_bus(first) ? first.index() : records_[first.index()].dma_parent];
  if (first == root() || later.serving == kNone) return std::nullopt;
  return Node{later.serving};
}

std::optional<Node> Tree::outer_bus(Node bus) const {
  const std::uint32_t outer = records_[bus.index()].outer;
  if (outer == kNone) return std::nullopt;
  return Node{outer};
}

PhysRange Tree::Reservations::operator[](std::size_t index) const {
  std::uint64_t base = 0;
  std::uint64_t size = 0;
  fdt_get_mem_rsv(blob_, static_cast<int>(index), &base, &size);
  return {PhysAddr{base}, size};
}

}  // namespace carveout::device_tree
