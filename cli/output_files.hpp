// Files that belong together, written into a folder: all of them or none.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace carveout::cli {

struct OutputFile {
  std::string name;
  std::string content;
};

/// Writes the files, over those of the same name, and makes the folder if it is not there. Nothing
/// that was there is touched before every byte of all of them is on its disk under another name.
///
/// Throws Refusal; then the folder is as it was, unless somebody else was at work in it.
void write_files(std::string_view folder, std::span<const OutputFile> files);

}  // namespace carveout::cli
