// A laid out picture as SVG.
#pragma once

#include <string>

#include "picture/layout.hpp"
#include "picture/scene.hpp"

namespace carveout::cli::picture {

/// One `<svg>` element, with an end of line. Light or dark as the reader's system says, by CSS;
/// light where CSS is not read. Each thing has a tooltip, and `data-ids` with the places (p0, p1,
/// ...), those who ask (a0, ...), the memory (m0, ...) and the views (v0, ...) that it is about.
/// The same input gives the same bytes.
[[nodiscard]] std::string svg_of(const Scene& scene, const Layout& layout);

/// What a place is, in a line or two: for tooltips.
[[nodiscard]] std::string sentence_of(const Place& place);

}  // namespace carveout::cli::picture
