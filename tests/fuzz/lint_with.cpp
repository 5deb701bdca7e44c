#include "lint_with.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "input.hpp"
#include "lint/forms.hpp"
#include "tests/support/tree_maker.hpp"

namespace carveout::fuzz {
namespace {

bool is_printable(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; }

std::vector<std::byte> blob() {
  test::TreeMaker tree{{}, std::size_t{1} << 14};
  tree.counts(1, 1);
  tree.begin("aliases").string("port", "/soc/serial@1000").end();
  tree.begin("memory@80000000").string("device_type", "memory");
  tree.cells("reg", {0x8000'0000, 0x1000'0000}).end();
  tree.begin("reserved-memory").counts(1, 1).empty("ranges");
  tree.begin("own@80100000").string("compatible", "shared-dma-pool").phandle(1);
  tree.cells("reg", {0x8010'0000, 0x10'0040}).empty("no-map").end();
  tree.begin("default").string("compatible", "shared-dma-pool").cells("size", {0x40'0000});
  tree.empty("reusable").empty("linux,cma-default").end();
  tree.begin("bounce@84000000").string("compatible", "restricted-dma-pool").phandle(2);
  tree.cells("reg", {0x8400'0000, 0x10'0000}).end();
  tree.end();
  tree.begin("nvic").string("compatible", "arm,armv7m-nvic").end();
  tree.begin("soc").counts(1, 1).empty("ranges");
  tree.begin("serial@1000").cells("reg", {0x1000, 0x100}).cells("memory-region", {1}).end();
  tree.begin("wifi@2000").cells("reg", {0x2000, 0x100}).cells("memory-region", {2}).end();
  tree.begin("display@3000").cells("reg", {0x3000, 0x100}).end();
  tree.end();
  return tree.finish();
}

}  // namespace

void require_refusal_of_file(const cli::Refusal& refusal) {
  const std::string_view line = refusal.what();
  require(std::ranges::all_of(line, is_printable));
  require(line.starts_with("carveout: file: ") && line.ends_with(')'));
}

cli::LintResult lint_with(const cli::LintSettings& settings,
                          const cli::Suppressions& suppressions) {
  static const std::vector<std::byte> bytes = blob();
  static const cli::Board board{"board", bytes, cli::Index{"board", bytes}, {}};
  cli::LintResult result = cli::lint_board(board, settings, suppressions);
  require(result.findings.size() <= cli::kMaxFindings);
  const std::span results{&result, 1};
  for (const std::string& text :
       {cli::lint_text(results, false), cli::lint_github(results), result.notes}) {
    require(std::ranges::all_of(text, [](char c) { return is_printable(c) || c == '\n'; }));
  }
  require(cli::lint_json(results).starts_with('{'));
  return result;
}

}  // namespace carveout::fuzz
