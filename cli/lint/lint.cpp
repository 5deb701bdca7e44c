// `lint`: the rules.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "carveout/core/size.hpp"
#include "facts.hpp"
#include "forms.hpp"
#include "input.hpp"
#include "option_values.hpp"
#include "output.hpp"
#include "refusal.hpp"
#include "result.hpp"
#include "rule_id.hpp"
#include "sizes.hpp"
#include "verb.hpp"

namespace carveout::cli {
namespace {

/// What was typed, before it means anything.
struct Options {
  std::vector<std::string> boards;
  std::vector<std::string> overlays;
  std::string format = "text";
  std::string fail_level = "error";
  std::vector<std::string> ignore;
  std::vector<std::string> ignore_files;
  std::string target;
  std::string page_size;
  std::string ram;
  std::string program;
  std::string load;
  std::string workload;
  std::string facts;
  std::string fix;
  bool verbose = false;
};

constexpr OptionWords<Severity, 3> kLevels{
    {{"error", Severity::error}, {"warning", Severity::warning}, {"note", Severity::note}}};

constexpr OptionWords<LintTarget, 5> kTargets{{{"linux-arm", LintTarget::linux_arm},
                                               {"linux-arm64", LintTarget::linux_arm64},
                                               {"linux-riscv", LintTarget::linux_riscv},
                                               {"baremetal", LintTarget::baremetal},
                                               {"zephyr", LintTarget::zephyr}}};

enum class Format : std::uint8_t { text, json, sarif, github };

constexpr OptionWords<Format, 4> kFormats{{{"text", Format::text},
                                           {"json", Format::json},
                                           {"sarif", Format::sarif},
                                           {"github", Format::github}}};

std::uint64_t size_of(std::string_view option, std::string_view text) {
  const auto size = parse_size(text);
  if (!size) {
    throw Refusal{"lint", fmt::format("{} {}", option, size.error().what), size.error().where};
  }
  return *size;
}

std::vector<PhysRange> ranges_listed(std::string_view list) {
  std::vector<PhysRange> ranges;
  while (true) {
    const std::string_view range = list.substr(0, list.find(','));
    ranges.push_back(parse_range(range, "lint", "--ram"));
    if (range.size() == list.size()) return ranges;
    list.remove_prefix(range.size() + 1);
  }
}

LintSettings settings_of(const Options& options) {
  LintSettings settings;
  if (!options.target.empty())
    settings.target = named("lint", "--target", options.target, kTargets);
  if (!options.page_size.empty()) {
    settings.page_bytes = size_of("--page-size", options.page_size);
    settings.page_bytes_given = true;
    if (settings.page_bytes < 4096 || settings.page_bytes > 65536 ||
        !is_power_of_two(settings.page_bytes)) {
      throw Refusal{"lint", fmt::format("--page-size '{}' is no page", options.page_size),
                    "4K, 16K or 64K"};
    }
  }
  if (!options.load.empty() && options.program.empty()) {
    throw Refusal{"lint", "--load says where a program goes, and there is none", "--elf FILE"};
  }
  if (!options.program.empty()) {
    const auto load =
        options.load.empty() ? std::nullopt : std::optional{size_of("--load", options.load)};
    settings.program = read_program(read_file(options.program), load);
  }
  if (!options.workload.empty()) settings.workload = read_workload(read_file(options.workload));
  if (!options.facts.empty()) settings.facts = read_facts(read_file(options.facts));
  return settings;
}

Suppressions suppressions_of(const Options& options) {
  Suppressions suppressions;
  for (const std::string& list : options.ignore) suppressions.add_list(list);
  for (const std::string& file : options.ignore_files) suppressions.add_file(read_file(file));
  return suppressions;
}

/// Never in place: what is there already, a board first of all, is not written over.
void write_new_file(const std::string& file, std::string_view text) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) throw Refusal{file, std::strerror(errno), "--fix"};
  const int error = write_all(descriptor, text).empty() ? 0 : errno;
  if (::close(descriptor) != 0 || error != 0) {
    throw Refusal{file, std::strerror(error != 0 ? error : errno), "--fix"};
  }
}

std::string fix(const Options& options, const LintResult& result) {
  if (!options.fix.ends_with(".dtso") && !options.fix.ends_with(".dts")) {
    throw Refusal{"lint",
                  fmt::format("--fix writes source, and '{}' has another name", options.fix),
                  "NAME.dtso"};
  }
  const std::string overlay = fix_overlay(result);
  if (overlay.empty()) return "carveout: lint: no finding has a fix that an overlay can make\n";
  write_new_file(options.fix, overlay);
  return {};
}

std::string data_of(Format format, std::span<const LintResult> results, bool colour) {
  switch (format) {
    case Format::text:
      break;
    case Format::json:
      return lint_json(results);
    case Format::sarif:
      return lint_sarif(results);
    case Format::github:
      return lint_github(results);
  }
  return lint_text(results, colour);
}

/// Which rules say nothing, and what they need.
std::string silent_rules(const LintSettings& settings) {
  std::string notes;
  for (const LintRule* rule : lint_rules()) {
    if (has_what_it_needs(rule->needs, settings)) continue;
    notes += fmt::format("carveout: lint: {} is silent without {}: {}\n", rule_id(rule->id),
                         option_of(rule->needs), rule->title);
  }
  return notes;
}

Answer run(const Options& options, const Terminal& terminal) {
  check_standard_input("lint", options.boards, options.overlays);
  const Format format = named("lint", "--format", options.format, kFormats);
  const Severity fail_level = named("lint", "--fail-level", options.fail_level, kLevels);
  if (!options.fix.empty() && options.boards.size() > 1) {
    throw Refusal{"lint", "--fix is for one board", "carveout lint --help"};
  }
  const LintSettings settings = settings_of(options);
  const std::vector<PhysRange> ram =
      options.ram.empty() ? std::vector<PhysRange>{} : ranges_listed(options.ram);
  const Suppressions suppressions = suppressions_of(options);

  std::vector<LintResult> results;
  Answer answer;
  if (options.verbose) answer.notes += silent_rules(settings);
  for (const std::string& board : options.boards) {
    results.push_back(lint_board(board, options.overlays, ram, settings, suppressions));
    answer.notes += results.back().notes;
    for (const Severity severity : {Severity::note, Severity::warning, Severity::error}) {
      const bool fails = results.back().counts[static_cast<std::size_t>(severity)] != 0;
      if (fails && severity >= fail_level) answer.status = kFindings;
    }
  }
  answer.data = data_of(format, results, terminal.colour);
  if (!options.fix.empty()) answer.notes += fix(options, results.front());
  return answer;
}

Job add(CLI::App& parser) {
  const auto options = std::make_shared<Options>();
  const auto option = [&](const char* names, auto& value, const std::string& type,
                          const char* help) {
    return parser.add_option(names, value, help)->type_name(type)->allow_extra_args(false);
  };
  parser.add_option("BOARD", options->boards, "device trees")->required()->type_name("");
  option("-o,--overlay", options->overlays, "DTBO", "apply this overlay first; repeatable");
  option("--format", options->format, words_of(kFormats), "default text");
  option("--fail-level", options->fail_level, words_of(kLevels),
         "exit status 1 from there on; default error");
  option("--ignore", options->ignore, "RULE,...", "do not report these rules");
  option("--ignore-file", options->ignore_files, "FILE",
         "lines of a rule and perhaps a node that is not reported");
  option("--target", options->target, words_of(kTargets), "what reads the tree");
  option("--page-size", options->page_size, "BYTES", "4K (default), 16K or 64K");
  option("--ram", options->ram, "BASE+SIZE,...", "the memory, in place of what the tree says");
  option("--elf", options->program, "FILE", "the program that runs there");
  option("--load", options->load, "ADDR", "where it is loaded, in place of what it says");
  option("--workload", options->workload, "FILE", "allocations: time,op,id,device,size,align");
  option("--facts", options->facts, "FILE", "what the chip's manual says; see docs/lint.md");
  option("--fix", options->fix, "FILE", "write the fixes as an overlay, in source: NAME.dtso");
  parser.add_flag("--verbose", options->verbose, "name the rules that need more than was given")
      ->disable_flag_override();
  return [options](const Terminal& terminal) { return run(*options, terminal); };
}

}  // namespace

constinit const Verb kLint{
    .name = "lint",
    .summary = "what is wrong with a board's DMA memory, and the line that mends it",
    .examples =
        "  carveout lint board.dts                findings, with file and line\n"
        "  carveout lint --ram 0x80000000+512M --page-size 64K board.dtb\n"
        "  carveout lint --format sarif *.dtb > carveout.sarif\n"
        "  carveout lint --fix fixes.dtso board.dtb; carveout lint -o fixes.dtso board.dtb\n",
    .add = add,
};

}  // namespace carveout::cli
