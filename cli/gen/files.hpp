// A plan as files: what is written of it, word by word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gen/plan.hpp"
#include "output_files.hpp"

namespace carveout::cli {

/// carveout.ld, carveout_tables.hpp and, for a target that has an MPU, carveout_mpu.hpp. The same
/// plan makes the same bytes. Each of them carries the layout, a number that is made of all: files
/// of two runs that differ do not compile, or do not link.
[[nodiscard]] std::vector<OutputFile> files_of(const GenPlan& plan, const GenRequest& request);

// The files one by one.
[[nodiscard]] std::string linker_text(const GenPlan& plan, std::string_view layout);
[[nodiscard]] std::string tables_text(const GenPlan& plan, const GenRequest& request,
                                      std::string_view layout);
[[nodiscard]] std::string mpu_text(const GenPlan& plan, const GenRequest& request,
                                   std::string_view layout);

/// What a comment may have of a tree's bytes: letters, digits, spaces and `,._+-/@()` as they are,
/// and an underscore for all else, so that nothing ends the comment or continues its line.
[[nodiscard]] std::string in_comment(std::string_view text);
/// A string literal of exactly these bytes.
[[nodiscard]] std::string literal(std::string_view text);

}  // namespace carveout::cli
