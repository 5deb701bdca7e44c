// Arguments -> the job of one verb.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "verb.hpp"

namespace CLI {
class App;
}

namespace carveout::cli {

/// What the arguments (without the program's name) ask for. `--help` and `--version` are jobs too.
/// Throws Refusal. Reads no file.
[[nodiscard]] Job parse(std::span<const std::string> arguments);

/// The parser with every verb, for who describes it; parse() makes one of what it needs.
[[nodiscard]] std::shared_ptr<const CLI::App> whole_parser();

}  // namespace carveout::cli
