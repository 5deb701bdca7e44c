#include "carveout/device_tree/placement.hpp"

#include <array>
#include <limits>
#include <optional>

#include "arena.hpp"
#include "carveout/core/size.hpp"
#include "sort.hpp"

namespace carveout::device_tree {
namespace {

constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();

/// Both ends included, so that the last byte of the address space has a place. Never empty.
struct Piece {
  std::uint64_t first;
  std::uint64_t last;
};

Piece piece_of(PhysRange range) { return {range.base.raw(), range.last().raw()}; }

/// The largest region that a piece can hold at this alignment. Not for a piece that has byte 0.
std::uint64_t capacity(Piece piece, std::uint64_t align) {
  const auto lowest = align_up(piece.first, align);
  return !lowest || *lowest > piece.last ? 0 : piece.last - *lowest + 1;
}

/// The alignment that a region asks for, or why it cannot be had.
std::expected<std::uint64_t, PlacementFault> alignment_of(const Tree& tree,
                                                          const ReservedRegion& region) {
  if (!region.alignment) return Placement::kMinAlignBytes;
  const CellCounts root = tree.cells(Tree::root());
  const std::size_t bytes = region.alignment->size();
  const std::size_t cells = bytes / kCellBytes;
  if (bytes % kCellBytes != 0 || (cells != root.address && cells != root.size)) {
    return std::unexpected{PlacementFault::malformed_alignment};
  }
  const std::uint64_t value = load_number(*region.alignment, 0, cells);
  if (value != 0 && !is_power_of_two(value)) {
    return std::unexpected{PlacementFault::alignment_no_power_of_two};
  }
  return value > Placement::kMinAlignBytes ? value : Placement::kMinAlignBytes;
}

bool wants_place(const ReservedRegion& region) {
  return region.enabled && region.placement == RegionPlacement::dynamic && region.size_bytes != 0U;
}

/// The different alignments of a tree: powers of two from 4096 on, so there are 52 at most.
class Alignments {
 public:
  void add(std::uint64_t align) {
    if (index_of(align) == size_) values_[size_++] = align;
  }
  [[nodiscard]] std::size_t index_of(std::uint64_t align) const {
    std::size_t index = 0;
    while (index < size_ && values_[index] != align) ++index;
    return index;
  }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t operator[](std::size_t index) const { return values_[index]; }

 private:
  std::array<std::uint64_t, 52> values_{};
  std::size_t size_ = 0;
};

struct Counts {
  std::size_t memory = 0;
  std::size_t taken = 1;  // the first 4096 bytes
  std::size_t dynamic = 0;
  Alignments alignments;

  // A gap gives one piece, or two where a memory pair begins or ends in it; a placed region leaves
  // two in place of those that it touched.
  [[nodiscard]] std::size_t pieces() const { return taken + 1 + 2 * memory + 2 * dynamic; }
};

Counts count(const Tree& tree, const ReservedMemory& reserved) {
  Counts counts;
  for_each_memory(tree, [&](Node, PhysRange) { ++counts.memory; });
  counts.taken += tree.reservations().size();
  for_each_region(tree, reserved, [&](const ReservedRegion& region) {
    if (region.enabled) counts.taken += region.chunks.size();
    if (!wants_place(region)) return;
    ++counts.dynamic;
    if (const auto align = alignment_of(tree, region)) counts.alignments.add(*align);
  });
  return counts;
}

/// The free pieces of memory, of which none lies inside another: so both their first and their last
/// bytes ascend. A piece inside another one never matters, because what it can hold the other holds
/// too, at the same place or higher.
///
/// An AVL tree ordered by address. Its balance depends on no chance that whoever writes the device
/// tree could take away: recursion is never deeper than 46, for 2^32 pieces. Every node knows, for
/// each alignment of the tree, the largest capacity below it: pieces that are long enough and yet
/// cannot hold a region at its alignment must not be looked at one by one.
class FreePieces {
 public:
  using Link = std::uint32_t;
  static constexpr Link kNil = 0xffff'ffff;

  struct Node {
    Piece piece;
    Link left;
    Link right;
    std::uint32_t height;  // 1 for a leaf
  };

  FreePieces(std::span<Node> nodes, std::span<std::uint64_t> largest, const Alignments& alignments)
      : nodes_{nodes}, largest_{largest}, alignments_{alignments} {}

  /// Adds a piece above all others. It counts from build() on.
  void append(Piece piece) { nodes_[used_++].piece = piece; }
  /// Makes the tree out of what was appended, once: linear, where insertions would not be.
  void build() { root_ = built(0, used_); }

  /// The last piece that begins at or above `from`, ends before `before` and holds `size`.
  [[nodiscard]] std::optional<Piece> highest(std::uint64_t from, std::uint64_t before,
                                             std::uint64_t size, std::size_t alignment) const {
    const Link found = highest(root_, from, before, size, alignment);
    return found == kNil ? std::nullopt : std::optional{nodes_[found].piece};
  }
  /// The first piece that ends at or above `address`.
  [[nodiscard]] std::optional<Piece> first_ending_from(std::uint64_t address) const {
    std::optional<Piece> best;
    for (Link at = root_; at != kNil;) {
      const Node& node = nodes_[at];
      const bool fits = node.piece.last >= address;
      if (fits) best = node.piece;
      at = fits ? node.left : node.right;
    }
    return best;
  }
  /// The last piece that begins before `address`.
  [[nodiscard]] std::optional<Piece> last_beginning_before(std::uint64_t address) const {
    std::optional<Piece> best;
    for (Link at = root_; at != kNil;) {
      const Node& node = nodes_[at];
      const bool fits = node.piece.first < address;
      if (fits) best = node.piece;
      at = fits ? node.right : node.left;
    }
    return best;
  }

  /// Takes these bytes out of every piece that has some of them.
  void take(Piece taken) {
    // All that remain of the touched pieces end, or begin, at one point: the longest counts.
    std::uint64_t first = taken.first;
    std::uint64_t last = taken.last;
    for (auto touched = first_ending_from(taken.first); touched && touched->first <= taken.last;
         touched = first_ending_from(taken.first)) {
      root_ = without(root_, touched->first);
      if (touched->first < first) first = touched->first;
      if (touched->last > last) last = touched->last;
    }
    const auto below = last_beginning_before(taken.first);
    const auto above = first_ending_from(taken.last);
    if (first < taken.first && (!below || below->last < taken.first - 1)) {
      insert({first, taken.first - 1});
    }
    if (last > taken.last && (!above || above->first > taken.last + 1)) {
      insert({taken.last + 1, last});
    }
  }

 private:
  [[nodiscard]] std::uint32_t height(Link link) const {
    return link == kNil ? 0 : nodes_[link].height;
  }

  [[nodiscard]] std::uint64_t largest(Link link, std::size_t alignment) const {
    return link == kNil ? 0 : largest_[link * alignments_.size() + alignment];
  }

  /// What a node knows of the nodes below it.
  void update(Link link) {
    Node& node = nodes_[link];
    const std::uint32_t left = height(node.left);
    const std::uint32_t right = height(node.right);
    node.height = 1 + (left > right ? left : right);
    for (std::size_t i = 0; i < alignments_.size(); ++i) {
      std::uint64_t most = capacity(node.piece, alignments_[i]);
      for (const Link child : {node.left, node.right}) {
        if (largest(child, i) > most) most = largest(child, i);
      }
      largest_[link * alignments_.size() + i] = most;
    }
  }

  Link built(Link begin, Link end) {
    if (begin == end) return kNil;
    const Link middle = begin + (end - begin) / 2;
    nodes_[middle].left = built(begin, middle);
    nodes_[middle].right = built(middle + 1, end);
    update(middle);
    return middle;
  }

  // What changes a subtree returns its new root.

  /// Puts a node's child on one side in the node's place, and the node on its other side.
  Link raise(Link link, Link Node::* side, Link Node::* other) {
    const Link child = nodes_[link].*side;
    nodes_[link].*side = nodes_[child].*other;
    nodes_[child].*other = link;
    update(link);
    update(child);
    return child;
  }

  /// For a node whose child on one side is higher by two than the other.
  Link lower(Link link, Link Node::* side, Link Node::* other) {
    const Link child = nodes_[link].*side;
    // The inner grandchild changes sides: where it is the higher one, it must not do so whole.
    if (height(nodes_[child].*other) > height(nodes_[child].*side)) {
      nodes_[link].*side = raise(child, other, side);
    }
    return raise(link, side, other);
  }

  /// For a node of which one side has grown or shrunk by one at most.
  Link balanced(Link link) {
    const Node& node = nodes_[link];
    if (height(node.left) > height(node.right) + 1) return lower(link, &Node::left, &Node::right);
    if (height(node.right) > height(node.left) + 1) return lower(link, &Node::right, &Node::left);
    update(link);
    return link;
  }

  void insert(Piece piece) {
    const Link made = used_++;
    nodes_[made] = {piece, kNil, kNil, 0};
    root_ = with(root_, made);
  }

  Link with(Link link, Link made) {
    if (link == kNil) return balanced(made);
    Node& node = nodes_[link];
    Link& side = nodes_[made].piece.first < node.piece.first ? node.left : node.right;
    side = with(side, made);
    return balanced(link);
  }

  /// @param first  where the piece that goes begins; it is in this subtree.
  Link without(Link link, std::uint64_t first) {
    Node& node = nodes_[link];
    if (first < node.piece.first) {
      node.left = without(node.left, first);
    } else if (first > node.piece.first) {
      node.right = without(node.right, first);
    } else if (node.left == kNil) {
      return node.right;
    } else if (node.right == kNil) {
      return node.left;
    } else {
      node.piece = leftmost(node.right);
      node.right = without(node.right, node.piece.first);
    }
    return balanced(link);
  }

  [[nodiscard]] Link highest(Link link, std::uint64_t from, std::uint64_t before,
                             std::uint64_t size, std::size_t alignment) const {
    if (largest(link, alignment) < size) return kNil;
    const Node& node = nodes_[link];
    if (node.piece.last >= before) return highest(node.left, from, before, size, alignment);
    if (node.piece.first >= from) {
      const Link right = highest(node.right, from, before, size, alignment);
      if (right != kNil) return right;
      if (capacity(node.piece, alignments_[alignment]) >= size) return link;
      return highest(node.left, from, before, size, alignment);
    }
    return highest(node.right, from, before, size, alignment);
  }

  [[nodiscard]] Piece leftmost(Link link) const {
    while (nodes_[link].left != kNil) link = nodes_[link].left;
    return nodes_[link].piece;
  }

  std::span<Node> nodes_;
  std::span<std::uint64_t> largest_;  // one number for each alignment, for each node
  const Alignments& alignments_;
  std::uint32_t used_ = 0;
  Link root_ = kNil;
};

/// Sorts and joins ranges, so that what is left ascends and neither touches nor overlaps.
std::span<Piece> join(std::span<Piece> pieces) {
  sort(pieces, [](const Piece& a, const Piece& b) { return a.first < b.first; });
  std::size_t used = 0;
  for (const Piece& piece : pieces) {
    if (used != 0 && (pieces[used - 1].last == kTop || piece.first <= pieces[used - 1].last + 1)) {
      if (piece.last > pieces[used - 1].last) pieces[used - 1].last = piece.last;
    } else {
      pieces[used++] = piece;
    }
  }
  return pieces.first(used);
}

/// Sorts ranges and drops each that lies inside another.
std::span<Piece> drop_inner(std::span<Piece> pieces) {
  sort(pieces, [](const Piece& a, const Piece& b) {
    return a.first != b.first ? a.first < b.first : a.last > b.last;
  });
  std::size_t used = 0;
  for (const Piece& piece : pieces) {
    if (used == 0 || piece.last > pieces[used - 1].last) pieces[used++] = piece;
  }
  return pieces.first(used);
}

/// What `memory` has without `taken`, each memory pair by itself.
/// @param memory  as drop_inner() left it.
/// @param taken   as join() left it; has byte 0.
void fill(FreePieces& pieces, std::span<const Piece> memory, std::span<const Piece> taken) {
  std::optional<Piece> held;  // the last piece, while the next may still hold it
  std::size_t gap = 0;        // the one above taken[gap]
  for (const Piece& pair : memory) {
    // What ended inside an earlier pair has begun there too: that pair gave the longer piece.
    while (taken[gap].last != kTop) {
      const Piece free{taken[gap].last + 1,
                       gap + 1 == taken.size() ? kTop : taken[gap + 1].first - 1};
      const Piece piece{free.first > pair.first ? free.first : pair.first,
                        free.last < pair.last ? free.last : pair.last};
      if (piece.first <= piece.last && (!held || piece.last > held->last)) {
        if (held && held->first < piece.first) pieces.append(*held);
        held = piece;
      }
      if (free.last >= pair.last) break;
      ++gap;
    }
  }
  if (held) pieces.append(*held);
  pieces.build();
}

/// The place of one region inside `allowed`: below the highest end that has room for it.
std::optional<Piece> find_place(const FreePieces& pieces, Piece allowed, std::uint64_t size,
                                std::uint64_t align, std::size_t alignment) {
  const auto at_top_of = [&](Piece piece) -> std::optional<Piece> {
    if (piece.first > piece.last || capacity(piece, align) < size) return std::nullopt;
    const std::uint64_t base = align_down(piece.last - (size - 1), align);
    return Piece{base, base + (size - 1)};
  };
  // Pieces that end outside are cut to one common end; of them the first is the longest.
  if (const auto piece = pieces.first_ending_from(allowed.last)) {
    const Piece cut{piece->first > allowed.first ? piece->first : allowed.first, allowed.last};
    if (const auto place = at_top_of(cut)) return place;
  }
  if (const auto piece = pieces.highest(allowed.first, allowed.last, size, alignment)) {
    return at_top_of(*piece);
  }
  // Pieces that begin outside are cut to one common start; of them the last is the longest.
  if (const auto piece = pieces.last_beginning_before(allowed.first)) {
    if (piece->last >= allowed.first && piece->last < allowed.last) {
      return at_top_of({allowed.first, piece->last});
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view property_of(PlacementFault fault) {
  switch (fault) {
    case PlacementFault::malformed_alloc_ranges:
      return "alloc-ranges";
    case PlacementFault::malformed_alignment:
    case PlacementFault::alignment_no_power_of_two:
      return "alignment";
    case PlacementFault::no_memory:
    case PlacementFault::does_not_fit:
      return "size";
    case PlacementFault::not_applicable:
      break;
  }
  return "";
}

class Placer {
 public:
  using Answer = Placement::Answer;

  static Answer place(const Tree& tree, const ReservedRegion& region, const Alignments& alignments,
                      FreePieces& pieces, bool has_memory) {
    Answer answer{.region = region.node,
                  .fault = PlacementFault::does_not_fit,
                  .placed = false,
                  .place = {PhysAddr{0}, *region.size_bytes}};
    const auto align = alignment_of(tree, region);
    if (region.has_alloc_ranges && region.alloc_ranges.empty()) {
      answer.fault = PlacementFault::malformed_alloc_ranges;
    } else if (!align) {
      answer.fault = align.error();
    } else if (!has_memory) {
      answer.fault = PlacementFault::no_memory;
    } else {
      const auto try_in = [&](Piece allowed) {
        const auto place =
            find_place(pieces, allowed, *region.size_bytes, *align, alignments.index_of(*align));
        if (!place) return false;
        pieces.take(*place);
        answer.placed = true;
        answer.place.base = PhysAddr{place->first};
        return true;
      };
      if (!region.has_alloc_ranges) {
        try_in({0, kTop});
      } else {
        for (const PhysRange entry : region.alloc_ranges) {
          if (!entry.empty() && try_in(piece_of(entry))) break;
        }
      }
    }
    return answer;
  }

  static std::expected<Placement, TreeError> work_out(const Tree& tree,
                                                      const ReservedMemory& reserved,
                                                      std::span<std::byte> scratch) {
    const Counts counts = count(tree, reserved);
    Arena arena{scratch};
    const auto answers = arena.array<Answer>(counts.dynamic);
    const auto memory = arena.array<Piece>(counts.memory);
    const auto taken = arena.array<Piece>(counts.taken);
    const auto nodes = arena.array<FreePieces::Node>(counts.pieces());
    const auto largest = arena.array<std::uint64_t>(counts.pieces() * counts.alignments.size());
    if (!answers || !memory || !taken || !nodes || !largest) {
      return std::unexpected{TreeError{TreeError::Code::scratch_too_small}};
    }

    std::size_t used = 0;
    for_each_memory(tree, [&](Node, PhysRange range) { (*memory)[used++] = piece_of(range); });
    const std::span<Piece> pairs = drop_inner(memory->first(used));

    used = 0;
    const auto take = [&](PhysRange range) {
      if (!range.empty()) (*taken)[used++] = piece_of(range);
    };
    take({PhysAddr{0}, Placement::kMinAlignBytes});
    for (const PhysRange range : tree.reservations()) take(range);
    for_each_region(tree, reserved, [&](const ReservedRegion& region) {
      if (!region.enabled) return;
      for (const PhysRange chunk : region.chunks) take(chunk);
    });

    FreePieces pieces{*nodes, *largest, counts.alignments};
    fill(pieces, pairs, join(taken->first(used)));

    used = 0;
    for_each_region(tree, reserved, [&](const ReservedRegion& region) {
      if (!wants_place(region)) return;
      (*answers)[used++] = place(tree, region, counts.alignments, pieces, !pairs.empty());
    });
    return Placement{*answers};
  }

  static std::size_t measure(const Tree& tree, const ReservedMemory& reserved) {
    const Counts counts = count(tree, reserved);
    return ArenaSize{}
        .array<Answer>(counts.dynamic)
        .array<Piece>(counts.memory)
        .array<Piece>(counts.taken)
        .array<FreePieces::Node>(counts.pieces())
        .array<std::uint64_t>(counts.pieces() * counts.alignments.size())
        .bytes();
  }
};

std::size_t Placement::measure(const Tree& tree, const ReservedMemory& reserved) {
  return Placer::measure(tree, reserved);
}

std::expected<Placement, TreeError> Placement::work_out(const Tree& tree,
                                                        const ReservedMemory& reserved,
                                                        std::span<std::byte> scratch) {
  return Placer::work_out(tree, reserved, scratch);
}

std::expected<PhysRange, PlacementFault> Placement::of(Node region) const {
  std::size_t low = 0;
  std::size_t high = answers_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (answers_[middle].region < region) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == answers_.size() || answers_[low].region != region) {
    return std::unexpected{PlacementFault::not_applicable};
  }
  if (!answers_[low].placed) return std::unexpected{answers_[low].fault};
  return answers_[low].place;
}

}  // namespace carveout::device_tree
