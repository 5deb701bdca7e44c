// The trees of the rules, and lint run over them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "program.hpp"
#include "verb.hpp"

namespace carveout::test {

/// A tree of a rule, and what its first lines ask for: `// lint: OPTIONS` (`{dir}` is its folder,
/// `{elf}` a program) and `// blob: cut N` or `add N`, bytes at the end of the blob.
struct LintTree {
  std::string path;
  std::vector<std::string> options;
  bool is_cut = false;  ///< not read as source, but as a blob of another length
  int longer_bytes = 0;
};

[[nodiscard]] std::string lint_trees();
/// @param name  "fires", "near_miss" or "fixed".
[[nodiscard]] LintTree lint_tree(const std::string& rule, std::string_view name);

/// Runs a verb in this process. Throws cli::Refusal.
[[nodiscard]] cli::Answer in_process(const std::vector<std::string>& arguments);

/// What lint refuses to do with these arguments, or what it says.
[[nodiscard]] std::string refusal_of(std::vector<std::string> arguments);

/// What `lint --format json` says, with the tree's options and more.
[[nodiscard]] nlohmann::json lint(const TemporaryFolder& folder, const LintTree& tree,
                                  std::vector<std::string> more);
[[nodiscard]] std::vector<nlohmann::json> findings_of(std::string_view rule,
                                                      const nlohmann::json& answer);

/// An ELF file for a 32-bit ARM: one segment at 0x90010000 of 0x1000 bytes, and in it the section
/// `.dma_rings`.
[[nodiscard]] std::string small_program();

[[nodiscard]] std::vector<std::string> trimmed_lines(std::string_view text);
[[nodiscard]] std::string line_of(const std::string& file, std::size_t number);
/// The file's text; empty where there is none.
[[nodiscard]] std::string contents_if_there(const std::string& file);

/// Expects a file with this text; writes it with CARVEOUT_UPDATE_GOLDEN=1.
void expect_golden(const std::string& file, const std::string& text);

}  // namespace carveout::test
