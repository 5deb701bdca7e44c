// Arguments -> the job of one verb.
#pragma once

#include <span>
#include <string>

#include "verb.hpp"

namespace carveout::cli {

/// What the arguments (without the program's name) ask for. `--help` and `--version` are jobs too.
/// Throws Refusal. Reads no file.
[[nodiscard]] Job parse(std::span<const std::string> arguments);

}  // namespace carveout::cli
