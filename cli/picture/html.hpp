// A picture as a page: the same SVG, the same facts as tables, search and highlights.
#pragma once

#include <string>

#include "picture/layout.hpp"
#include "picture/scene.hpp"

namespace carveout::cli::picture {

/// One HTML file that needs no other and no network: its Content-Security-Policy allows its own
/// script and style, and nothing to be loaded. The same input gives the same bytes.
///
/// Throws Refusal where it would be over kMaxOutputBytes.
/// @param source  the board, for the refusal.
[[nodiscard]] std::string page_of(std::string_view source, const Scene& scene,
                                  const Layout& layout);

}  // namespace carveout::cli::picture
