// Small text files of the user's: words on lines, `#` for a comment.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace carveout::cli {

/// A file of at most 64 MiB, whole. Throws Refusal.
[[nodiscard]] std::string read_file(const std::string& file);

/// Calls `visit(number, words)` for each line that has words, the first line being 1.
void for_each_line(
    const std::string& file,
    const std::function<void(std::size_t, std::span<const std::string_view>)>& visit);

}  // namespace carveout::cli
