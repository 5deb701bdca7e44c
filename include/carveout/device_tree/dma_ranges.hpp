// How the addresses that a device puts on its bus become CPU addresses: dma-ranges over all levels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

#include "carveout/core/window.hpp"
#include "carveout/device_tree/tree.hpp"

namespace carveout::device_tree {

/// More windows for one bus make its translation invalid.
inline constexpr std::size_t kMaxWindows = 1024;

/// Why a translation is invalid.
enum class DmaFault : std::uint8_t {
  none,
  malformed,         ///< the length of `dma-ranges` is not a whole number of entries
  nothing_left,      ///< no entry leads anywhere once it is translated
  too_many_windows,  ///< more than kMaxWindows
  no_room,           ///< more than the caller has room for, though not too many
};

/// What a device, or any child of a bus, sees.
struct DmaView {
  Translation translation;
  DmaFault fault = DmaFault::none;  ///< why the translation is invalid
  std::optional<Node> bus;          ///< whose `dma-ranges` translates; nothing for the identity
};

/// One level of translation: addresses from `from` on continue as those from `to` on. Neither side
/// passes 2^64, and it is not empty.
struct DmaSegment {
  std::uint64_t from;
  std::uint64_t to;
  std::uint64_t size_bytes;
};

/// Translates for the buses and devices of one tree.
///
/// A device's windows are the entries of one `dma-ranges`, in order, each translated through all
/// further DMA parents: split where it spans several of their entries, clipped to what they cover,
/// pieces in ascending device address; where entries of a parent overlap, the first wins. A window
/// that continues the one before it on both sides is joined with it.
///
/// With a memo it remembers each bus's way to memory; without, as on a target that asks for a few
/// devices, it walks the levels anew for every window, with the same answers.
class DmaRanges {
 public:
  /// All questions to one object may together take so many steps (one is a look at one entry). A
  /// real board takes some hundred; only trees made to be slow come near.
  static constexpr std::uint64_t kMaxSteps = 30'000'000;

  /// The size of a memo that remembers every bus of this tree that has not too many windows. Of a
  /// hostile tree it may be hundreds of times the tree's: a caller may always give less.
  /// Cost: linear in the nodes.
  [[nodiscard]] static std::size_t memo_bytes(const Tree& tree);

  /// @param memo  0 or more bytes, of any alignment; it outlives the object.
  explicit DmaRanges(const Tree& tree, std::span<std::byte> memo = {});

  /// What a child of `bus` sees, a node with a non-empty `dma-ranges` (Tree::is_translating_bus()).
  ///
  /// @param storage  room for the windows; kMaxWindows always suffice. The view points into it.
  ///
  /// Fails iff kMaxSteps are used up, with too_many_translations.
  [[nodiscard]] std::expected<DmaView, TreeError> of_bus(Node bus, std::span<Window> storage);

  /// What `device` sees; as of_bus().
  [[nodiscard]] std::expected<DmaView, TreeError> of_device(Node device, std::span<Window> storage);

  /// What any device sees whose DMA parent is `parent`, whether or not that node translates; as
  /// of_bus().
  [[nodiscard]] std::expected<DmaView, TreeError> of_any_device_on(Node parent,
                                                                   std::span<Window> storage);

 private:
  enum class State : std::uint32_t { unknown, pending, table, no_table };

  /// What is remembered about one bus: the way through it, and through the levels above it up to,
  /// and without, `then`.
  struct Slot {
    std::uint32_t begin = 0;  // of its segments: disjoint, ascending by `from`
    std::uint32_t count = 0;
    std::uint32_t then = 0;  // while pending: the bus below that waits for this one
    State state = State::unknown;
  };

  /// How one address goes on.
  struct Run {
    bool covered;
    std::uint64_t to;    // where covered
    std::uint64_t more;  // so many bytes after it go the same way
  };

  [[nodiscard]] std::expected<DmaView, TreeError> view(Node bus, std::optional<Node> device,
                                                       std::span<Window> storage);
  class Windows;
  [[nodiscard]] const Slot* whole_way(Node bus);
  [[nodiscard]] bool is_too_many(const Windows& windows, Node bus, const DmaSegment& entry);
  [[nodiscard]] Run run_through_levels(Node bus, std::optional<Node> device, std::uint64_t address,
                                       std::uint64_t more);
  [[nodiscard]] Run run_in_entries(Node bus, std::uint64_t address);
  [[nodiscard]] Run run_in_table(const Slot& slot, std::uint64_t address);

  void remember(Node bus);
  void make_table(Node bus);
  bool flatten(Node bus, Slot& slot);
  void fold(Slot& slot, const Slot& outer, std::uint64_t most);
  bool push(DmaSegment segment, std::size_t begin);
  [[nodiscard]] bool exhausted() const { return steps_ > kMaxSteps; }

  Tree tree_;
  std::span<Slot> slots_;  // one a node; empty without a memo
  std::span<DmaSegment> segments_;
  std::size_t used_ = 0;  // of segments_
  std::size_t hint_ = 0;  // where the last look into a table ended
  std::uint64_t steps_ = 0;
};

}  // namespace carveout::device_tree
