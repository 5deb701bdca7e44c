// Every verb of the program that one board is enough for, asked of any bytes: a System set up from
// them, the map, what firmware is built with, all rules, every form of what is printed.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "carveout/device_tree/tree.hpp"
#include "gen/files.hpp"
#include "lint/forms.hpp"
#include "lint/report.hpp"
#include "lint/result.hpp"
#include "map_json.hpp"
#include "map_table.hpp"
#include "node_name.hpp"
#include "refusal.hpp"
#include "why_request.hpp"

namespace {

using namespace carveout;
using device_tree::Node;

void require(bool holds) {
  if (!holds) std::abort();
}

/// What a device is told that asks for 64 bytes, twice: setup, the route, the pools, both texts.
void ask_for_memory(const cli::Board& board, Node device) {
  try {
    cli::WhyRequest request;
    request.device = cli::path_of(board.tree(), device);
    request.size_bytes = 64;
    request.count = 2;
    const cli::WhyAnswer answer = cli::ask(board, request);
    require(answer.blocks.size() + (answer.failure ? 1 : 0) <= request.count);
    require(answer.failure || answer.blocks.size() == request.count);
    require(!cli::why_text(board, request, answer, false).empty());
    require(cli::why_json(board, request, answer).starts_with('{'));
  } catch (const cli::Refusal&) {  // two nodes of one path, or beyond a limit
  }
}

/// What firmware would be built with: a plan, and its words where it fits.
void generate(const cli::Board& board) {
  for (const cli::GenTarget target : {cli::GenTarget::armv7m, cli::GenTarget::riscv}) {
    try {
      const cli::GenRequest request{.target = target};
      const cli::GenPlan plan = cli::plan(board, request);
      require(plan.regions.size() <= request.mpu_regions || !plan.refused.empty());
      if (!plan.refused.empty()) continue;
      for (const cli::OutputFile& file : cli::files_of(plan, request)) {
        // No byte of the tree's, but as a letter or a digit.
        for (const char c : file.content) require((c >= ' ' && c <= '~') || c == '\n');
      }
    } catch (const cli::Refusal&) {  // two nodes of one path, or beyond a limit
    }
  }
}

/// What is found, in every form.
void say(const cli::LintResult& result) {
  const std::span results{&result, 1};
  require(cli::lint_text(results, false).ends_with('\n'));
  // The texts of all rules are most of it, whatever the board is: of one without findings no news.
  if (result.findings.empty()) return;
  require(cli::lint_json(results).starts_with('{'));
  require(cli::lint_sarif(results).starts_with('{'));
  require(cli::lint_github(results).starts_with("::"));
  static_cast<void>(cli::fix_overlay(result));
}

/// Every rule that a tree is enough for, for a Linux and for a target without one.
void lint(const cli::Board& board) {
  try {
    const cli::LintResult result =
        cli::lint_board(board, {.target = cli::LintTarget::linux_arm}, {});
    require(result.findings.size() <= cli::kMaxFindings);
    say(result);
    const auto bare = cli::lint_board(board, {.target = cli::LintTarget::baremetal}, {});
    require(bare.findings.size() <= cli::kMaxFindings);
  } catch (const cli::Refusal&) {  // beyond a limit
  }
}

void ask(std::vector<std::byte> blob) {
  try {
    cli::Index index{"board", blob};
    const cli::Board board{"board", std::move(blob), std::move(index), {}};
    const auto json = cli::map_json(board.tree(), {.max_bytes = 1 << 20});
    require(!json || (json->starts_with('{') && json->ends_with('}')));
    static_cast<void>(cli::map_table(board, false));
    generate(board);
    lint(board);
    unsigned asked = 0;
    for (const Node node : board.tree().nodes()) {
      if (!board.tree().has_memory_region(node)) continue;
      ask_for_memory(board, node);
      if (++asked == 2) break;
    }
  } catch (const cli::Refusal&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> blob(size);
  if (size != 0) std::memcpy(blob.data(), data, size);
  ask(std::move(blob));
  return 0;
}
