// Where a verb is to write pictures: `--svg FILE` and `--html FILE`.
#pragma once

#include <string>
#include <string_view>

#include "picture/scene.hpp"

namespace carveout::cli::picture {

/// File names as typed; empty: not asked for; `-`: standard output.
struct Files {
  std::string svg;
  std::string html;

  [[nodiscard]] bool any() const { return !svg.empty() || !html.empty(); }
  [[nodiscard]] bool to_standard_output() const { return svg == "-" || html == "-"; }
  /// Throws Refusal for names that do not end in .svg and .html, so that no board is written over
  /// by a slip, and where both pictures are to be on standard output.
  void check(std::string_view verb) const;
};

/// Writes the files, all or none. Throws Refusal.
/// @return what is for standard output; empty where nothing is.
[[nodiscard]] std::string written(const Files& files, std::string_view source, const Scene& scene);

}  // namespace carveout::cli::picture
