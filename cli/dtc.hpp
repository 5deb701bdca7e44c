// Device tree source -> a blob, by the program dtc.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace carveout::cli {

/// Runs dtc on a file, without a shell. Where it fails, its first error is in the Refusal, as is a
/// dtc that is not installed.
///
/// @param symbols   keep labels in the blob, for overlays to find.
/// @param messages  dtc's warnings are added here, and not printed: where a later step fails,
///                  standard error has one line and no more.
[[nodiscard]] std::vector<std::byte> compile_source(std::string_view path, bool symbols,
                                                    std::string& messages);

/// The tree of a source file as source again, one line a node or property, with a comment at the
/// end that says where it comes from: `/* FILE:LINE */`. Throws Refusal as compile_source() does.
[[nodiscard]] std::string annotate_source(std::string_view path);

}  // namespace carveout::cli
