// A directory in the form of /proc/device-tree -> a blob.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "file.hpp"

namespace carveout::cli {

/// Flattens a directory in which directories are nodes and regular files are properties, both in
/// the byte order of their names; it has no memory reservations. Throws Refusal, with the path of
/// what is wrong: a directory that is no tree, a symbolic link or a device in it, more than 64
/// levels, paths over 4096 bytes, more than kMaxBlobBytes in all.
[[nodiscard]] std::vector<std::byte> read_tree_directory(std::string_view source,
                                                         const File& directory);

}  // namespace carveout::cli
