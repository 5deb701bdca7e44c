// BOARD on the command line -> a tree that can be asked.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carveout/device_tree/tree.hpp"
#include "refusal.hpp"

namespace carveout::cli {

/// The largest blob that is read, and the most that a directory of properties may hold.
inline constexpr std::size_t kMaxBlobBytes = std::size_t{64} << 20;

/// The index of a blob that was checked. The blob stays where it is as long as this exists.
struct Index {
  /// Throws Refusal.
  ///
  /// @param source  what to call the blob.
  Index(std::string_view source, std::span<const std::byte> blob);
  Index(Index&&) = default;
  Index& operator=(Index&&) = default;
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  std::vector<std::byte> scratch;  ///< may be moved: a moved vector keeps its bytes where they are
  device_tree::Tree tree;
};

/// A board as the user named it, with its overlays applied: read, checked and indexed.
struct Board {
  std::string source;           ///< as typed
  std::vector<std::byte> blob;  ///< the tree looks into it
  Index index;
  std::string messages;    ///< of dtc, for standard error
  bool is_source = false;  ///< the board itself was compiled from device tree source

  [[nodiscard]] const device_tree::Tree& tree() const { return index.tree; }
};

/// Reads a board: a blob in a file or on standard input (`-`), a directory in the form of
/// /proc/device-tree, or device tree source through dtc. What it is, is seen by its content; only
/// source is known by its name.
///
/// Reads no more of a file than the header says, and nothing after the header of a file that is no
/// tree. Throws Refusal; a MalformedBlob where a blob is no well-formed tree.
[[nodiscard]] Board read_board(std::string_view source, std::span<const std::string> overlays);

/// A board without and with its overlays, read once. Of source, both have the symbols that overlays
/// need. Throws Refusal as read_board().
[[nodiscard]] std::pair<Board, Board> read_board_before_and_after(
    std::string_view source, std::span<const std::string> overlays);

/// Refuses a command line that names standard input more than once.
void check_standard_input(std::string_view verb, std::span<const std::string> sources,
                          std::span<const std::string> overlays);

/// A tree's mistake as the line that ends the program.
[[nodiscard]] Refusal refusal(std::string_view source, const device_tree::TreeError& error);

}  // namespace carveout::cli
