// `map`: which device gets which memory.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "input.hpp"
#include "map_json.hpp"
#include "map_table.hpp"
#include "picture/files.hpp"
#include "printable.hpp"
#include "refusal.hpp"
#include "verb.hpp"

namespace carveout::cli {
namespace {

struct Options {
  std::vector<std::string> boards;
  std::vector<std::string> overlays;
  bool json = false;
  picture::Files pictures;
};

std::string json_of(const Board& board, bool several) {
  const auto json =
      map_json(board.tree(),
               {.source = several ? std::optional<std::string_view>{board.source} : std::nullopt});
  if (!json) throw refusal(board.source, json.error());
  return *json + '\n';
}

Answer run(const Options& options, const Terminal& terminal) {
  check_standard_input("map", options.boards, options.overlays);
  const bool several = options.boards.size() > 1;
  const picture::Files& pictures = options.pictures;
  pictures.check("map");
  if (pictures.any() && several) {
    throw Refusal{"map", "a picture is of one board", "carveout map --help"};
  }
  if (pictures.to_standard_output() && options.json) {
    throw Refusal{"map", "--json and a picture both go to standard output", "carveout map --help"};
  }
  Answer answer;
  for (const std::string& source : options.boards) {
    const Board board = read_board(source, options.overlays);
    answer.notes += board.messages;
    if (pictures.any()) {
      const picture::Scene scene = picture::scene_of(board);
      answer.data = picture::written(pictures, board.source, scene);
      if (pictures.to_standard_output()) return answer;
    }
    if (options.json) {
      answer.data += json_of(board, several);
      continue;
    }
    if (several) {
      answer.data +=
          fmt::format("{}==> {} <==\n", answer.data.empty() ? "" : "\n", printable(board.source));
    }
    answer.data += map_table(board, terminal.colour);
  }
  return answer;
}

Job add(CLI::App& parser) {
  const auto options = std::make_shared<Options>();
  parser.add_option("BOARD", options->boards, "device trees")->required()->type_name("");
  parser.add_option("-o,--overlay", options->overlays, "apply this overlay first; repeatable")
      ->type_name("DTBO")
      ->allow_extra_args(false);
  parser.add_flag("--json", options->json, "facts for programs, schema carveout.map/1")
      ->disable_flag_override();
  parser
      .add_option("--svg", options->pictures.svg, "write a picture, too; -: in place of the table")
      ->type_name("FILE");
  parser
      .add_option("--html", options->pictures.html, "write a page with the picture, too; likewise")
      ->type_name("FILE");
  return [options](const Terminal& terminal) { return run(*options, terminal); };
}

}  // namespace

constinit const Verb kMap{
    .name = "map",
    .summary = "which device gets which memory",
    .examples =
        "  carveout map board.dtb                 regions, buses and devices, as tables\n"
        "  carveout map -o camera.dtbo board.dtb  the same with an overlay applied\n"
        "  carveout map --json *.dtb              one object a line, for programs\n"
        "  carveout map --svg board.svg --html board.html board.dtb\n",
    .add = add,
};

}  // namespace carveout::cli
