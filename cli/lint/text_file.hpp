// Files of the user's that are read whole; of most, words on lines, `#` for a comment.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace carveout::cli {

/// A file, and what to call it in a refusal.
struct UserFile {
  std::string name;
  std::string bytes;
};

/// A file of at most 64 MiB. Throws Refusal.
[[nodiscard]] UserFile read_file(const std::string& name);

/// Calls `visit(number, words)` for each line that has words, the first line being 1.
void for_each_line(
    const UserFile& file,
    const std::function<void(std::size_t, std::span<const std::string_view>)>& visit);

}  // namespace carveout::cli
