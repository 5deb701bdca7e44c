// Overlays, applied by libfdt.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace carveout::cli {

/// Refuses a blob that libfdt's own full check refuses, which Carveout's reading does not imply:
/// libfdt writes to trees only after it.
void check_full(std::string_view source, std::span<const std::byte> blob);

/// The tree with an overlay applied. Throws Refusal, with libfdt's reason; also where an overlay is
/// so large that applying it would take seconds, because every change moves the rest of the tree.
///
/// @param source   the board as typed, and
/// @param overlay  the overlay as typed, for the refusal.
[[nodiscard]] std::vector<std::byte> apply_overlay(std::string_view source,
                                                   const std::vector<std::byte>& base,
                                                   std::string_view overlay,
                                                   const std::vector<std::byte>& changes);

}  // namespace carveout::cli
