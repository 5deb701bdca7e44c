// Files that belong together: all of them are written, or none.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace carveout::cli {

struct OutputFile {
  std::string name;  ///< a path, or a name in the folder that they are written into
  std::string content;
};

/// Writes the files, over those of the same name. Nothing that was there is touched before every
/// byte of all of them is on its disk under another name.
///
/// Throws Refusal; then all is as it was, unless somebody else was at work there.
void write_files(std::span<const OutputFile> files);

/// The same in a folder, which is made if it is not there.
void write_files(std::string_view folder, std::span<const OutputFile> files);

}  // namespace carveout::cli
