// `map --json`: one device tree as a JSON object, schema carveout.map/1.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "carveout/core/window.hpp"
#include "carveout/device_tree/tree.hpp"
#include "json_text.hpp"
#include "page.hpp"

namespace carveout::cli {

struct MapJsonOptions {
  /// The board as the user typed it: the key `source`, for several boards at once.
  std::optional<std::string_view> source = std::nullopt;
  std::size_t max_bytes = kMaxOutputBytes;
};

/// `{"base","size"}`, and `{"dma","cpu","size"}`.
void write_range(JsonText& json, PhysRange range);
void write_window(JsonText& json, const Window& window);

/// The map of a tree: one JSON object on one line, without an end of line.
///
/// Text and not a JSON document, because the document of the largest map would take a gigabyte and
/// longer than the two seconds in which every board is answered. Bytes of the tree that are not
/// UTF-8 become U+FFFD.
///
/// Fails with exactly one of too_much_output, too_many_translations.
/// Cost: linear in the tree and in the output; stops where the output passes the limit.
[[nodiscard]] std::expected<std::string, device_tree::TreeError> map_json(
    const device_tree::Tree& tree, const MapJsonOptions& options = {});

}  // namespace carveout::cli
