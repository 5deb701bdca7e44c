// What lint says of one sound board when a file beside it has any bytes.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lint/result.hpp"
#include "lint/text_file.hpp"
#include "refusal.hpp"

namespace carveout::fuzz {

inline void require(bool holds) {
  if (!holds) std::abort();
}

/// The input as a file that is called `file`.
[[nodiscard]] inline cli::UserFile file_of(const std::uint8_t* data, std::size_t size) {
  return {"file", {reinterpret_cast<const char*>(data), size}};
}

/// A refusal of that file: one line.
void require_refusal_of_file(const cli::Refusal& refusal);

/// Lints a board that has pools of every kind and devices with and without one, and says in each
/// form what is found: one line of text for each line that is meant.
[[nodiscard]] cli::LintResult lint_with(const cli::LintSettings& settings,
                                        const cli::Suppressions& suppressions = {});

}  // namespace carveout::fuzz
