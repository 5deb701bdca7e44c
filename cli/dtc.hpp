// Device tree source -> a blob, by the program dtc.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace carveout::cli {

/// Runs dtc on a file, without a shell. Its warnings go to standard error; where it fails, its first
/// error is in the Refusal, as is a dtc that is not installed.
///
/// @param symbols  keep labels in the blob, for overlays to find.
[[nodiscard]] std::vector<std::byte> compile_source(std::string_view path, bool symbols);

}  // namespace carveout::cli
