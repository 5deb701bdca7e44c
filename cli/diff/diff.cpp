// `diff`: two boards, or one without and with its overlays: what changed for whom.
#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "diff/forms.hpp"
#include "input.hpp"
#include "refusal.hpp"
#include "verb.hpp"

namespace carveout::cli {
namespace {

struct Options {
  std::string before;
  std::string after;
  std::vector<std::string> overlays;
  bool json = false;
};

std::pair<Board, Board> boards_of(const Options& options) {
  if (options.overlays.empty()) {
    return {read_board(options.before, {}), read_board(options.after, {})};
  }
  return read_board_before_and_after(options.before, options.overlays);
}

Answer run(const Options& options, const Terminal& terminal) {
  if (options.after.empty() && options.overlays.empty()) {
    throw Refusal{"diff", "there is one board, and nothing to compare it with", "NEW, or -o DTBO"};
  }
  if (!options.after.empty() && !options.overlays.empty()) {
    throw Refusal{"diff", "NEW and -o exclude each other: the overlays make the new board of OLD",
                  "carveout diff --help"};
  }
  std::vector<std::string> sources{options.before};
  if (!options.after.empty()) sources.push_back(options.after);
  check_standard_input("diff", sources, options.overlays);

  const auto [before, after] = boards_of(options);
  BoardFacts old_facts{before};
  BoardFacts new_facts{after};
  const Difference difference = compare(old_facts, new_facts);
  const Compared compared{
      .before = before.source, .after = after.source, .overlays = options.overlays};
  return {.data = options.json ? diff_json(compared, difference)
                               : diff_text(compared, difference, terminal.colour),
          .notes = before.messages + after.messages};
}

Job add(CLI::App& parser) {
  const auto options = std::make_shared<Options>();
  parser.add_option("OLD", options->before, "device tree")->required()->type_name("");
  parser.add_option("NEW", options->after, "device tree")->type_name("");
  parser
      .add_option("-o,--overlay", options->overlays,
                  "instead of NEW: OLD with this overlay; repeatable")
      ->type_name("DTBO")
      ->allow_extra_args(false);
  parser.add_flag("--json", options->json, "for programs, schema carveout.diff/1")
      ->disable_flag_override();
  return [options](const Terminal& terminal) { return run(*options, terminal); };
}

}  // namespace

constinit const Verb kDiff{
    .name = "diff",
    .summary = "two boards: what changed for whom",
    .examples =
        "  carveout diff old.dtb new.dtb          regions, buses and devices that differ\n"
        "  carveout diff board.dtb -o camera.dtbo what an overlay does to the board\n"
        "  carveout diff --json old.dts new.dts   the same for programs\n",
    .add = add,
};

}  // namespace carveout::cli
