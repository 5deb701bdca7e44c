// `why`: one request, step by step.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "input.hpp"
#include "option_values.hpp"
#include "printable.hpp"
#include "refusal.hpp"
#include "verb.hpp"
#include "why_request.hpp"

namespace carveout::cli {
namespace {

/// What was typed, before it means anything.
struct Options {
  std::string board;
  std::vector<std::string> overlays;
  std::string device;
  std::string bus;
  std::string size;
  std::string align;
  std::string boundary;
  std::string mask;
  std::string pool;
  std::string attributes;
  std::string context;
  std::string count;
  std::string cpu_coherent;
  std::string uncached_view;
  bool json = false;
};

Context context_named(std::string_view word) {
  for (const Context context : {Context::may_wait, Context::must_not_wait}) {
    if (name_of(context) == word) return context;
  }
  refuse_word("why", "--context", word, "may_wait, must_not_wait");
}

Attributes attributes_listed(std::string_view list) {
  Attributes set = Attributes::none;
  while (true) {
    const std::string_view name = list.substr(0, list.find(','));
    const auto attribute = attribute_named(name);
    if (!attribute) refuse_word("why", "--attributes", name, known_attributes());
    set = set | *attribute;
    if (name.size() == list.size()) return set;
    list.remove_prefix(name.size() + 1);
  }
}

/// A pool by its index where the word is a number, else by its name.
void choose_pool(const std::string& word, WhyRequest& request) {
  if (word.empty()) throw Refusal{"why", "--pool is empty", "an index or a name"};
  if (word.find_first_not_of("0123456789") == std::string::npos) {
    request.pool_index = static_cast<std::uint32_t>(
        value_of("why", "--pool", parse_count(word, 0, std::numeric_limits<std::uint32_t>::max())));
  } else {
    request.pool_name = word;
  }
}

WhyRequest request_of(const Options& options, const CLI::App& parser) {
  const auto given = [&](const char* option) { return parser.count(option) != 0; };
  if (given("--device") == given("--bus")) {
    throw Refusal{"why",
                  given("--bus") ? "--device and --bus exclude each other"
                                 : "--device NODE or --bus NODE is missing",
                  "carveout why --help"};
  }
  WhyRequest request;
  request.device = options.device;
  request.bus = options.bus;
  if (given("--device") && options.device.empty()) {
    throw Refusal{"why", "--device is empty", "a path, an alias or the last part of a path"};
  }
  request.size_bytes = value_of("why", "--size", parse_size(options.size));
  if (given("--align")) request.align_bytes = value_of("why", "--align", parse_size(options.align));
  if (given("--boundary")) {
    request.boundary_bytes = value_of("why", "--boundary", parse_size(options.boundary));
    if (request.boundary_bytes == 0) {
      throw Refusal{"why", "--boundary is 0", "for no boundary leave it out"};
    }
  }
  if (given("--mask")) {
    request.mask_bits = mask_bits_of("why", options.mask);
    request.mask_given = true;
  }
  if (given("--pool")) choose_pool(options.pool, request);
  if (given("--attributes")) request.attributes = attributes_listed(options.attributes);
  if (given("--context")) request.context = context_named(options.context);
  if (given("--count")) {
    request.count = value_of("why", "--count", parse_count(options.count, 1, kMaxCount));
  }
  if (given("--cpu-coherent")) {
    request.cpu_coherent_given = true;
    request.cpu_coherent = yes_or_no("why", "--cpu-coherent", options.cpu_coherent);
  }
  if (given("--uncached-view")) {
    request.uncached_view = yes_or_no("why", "--uncached-view", options.uncached_view);
  }
  return request;
}

/// dtc's warnings; with --json also the facts that have no key of their own.
std::string notes_of(const Board& board, const WhyAnswer& answer, bool json) {
  std::string notes = board.messages;
  if (!json) return notes;
  if (!answer.enabled) {
    notes += fmt::format("carveout: {}: {} is disabled\n", printable(board.source),
                         printable(answer.node));
  }
  if (answer.behind_iommu) {
    notes += fmt::format(
        "carveout: {}: {} is behind an IOMMU, which chooses the address of all but its own pools\n",
        printable(board.source), printable(answer.node));
  }
  for (const WhyFinding& finding : answer.findings) {
    notes += fmt::format("carveout: {}: {} {} {}: {}\n", printable(board.source),
                         rule_id(finding.rule), printable(finding.node),
                         printable(finding.property), printable(finding.sentence));
  }
  return notes;
}

Answer run(const Options& options, const CLI::App& parser, const Terminal& terminal) {
  const WhyRequest request = request_of(options, parser);
  check_standard_input("why", std::span{&options.board, 1}, options.overlays);
  const Board board = read_board(options.board, options.overlays);
  const WhyAnswer answer = ask(board, request);
  return {.status = answer.failure ? kRefused : 0,
          .data = options.json ? why_json(board, request, answer)
                               : why_text(board, request, answer, terminal.colour),
          .notes = notes_of(board, answer, options.json)};
}

Job add(CLI::App& parser) {
  const auto options = std::make_shared<Options>();
  const auto option = [&](const char* names, std::string& value, const char* type,
                          const char* help) {
    return parser.add_option(names, value, help)->type_name(type);
  };
  option("BOARD", options->board, "", "device tree")->required();
  option("--device", options->device, "NODE", "who asks: a path, an alias or a unique last part");
  option("--bus", options->bus, "NODE", "or: any device on this bus");
  option("--size", options->size, "BYTES", "how much: 4096, 0x1000, 4K, 1M")->required();
  option("--align", options->align, "BYTES", "alignment of the device address");
  option("--boundary", options->boundary, "BYTES", "what the bytes must not cross a multiple of");
  option("--mask", options->mask, "BITS", "address bits of the device; default 64");
  option("--pool", options->pool, "INDEX|NAME", "this one of the device's own pools");
  option("--attributes", options->attributes, "ATTRIBUTE,...",
         "non_coherent, no_cpu_mapping,\n                              "
         "uninitialized, force_contiguous");
  option("--context", options->context, "may_wait|must_not_wait",
         "whether it may sleep; default may_wait");
  option("--count", options->count, "N", "ask so often, up to the first refusal");
  option("--cpu-coherent", options->cpu_coherent, "yes|no",
         "what the device is if the tree does not say; default no");
  option("--uncached-view", options->uncached_view, "yes|no",
         "whether ordinary memory can be reached past the cache");
  parser.add_option("-o,--overlay", options->overlays, "apply this overlay first; repeatable")
      ->type_name("DTBO")
      ->allow_extra_args(false);
  parser.add_flag("--json", options->json, "for programs, schema carveout.why/1")
      ->disable_flag_override();
  return [options, &parser](const Terminal& terminal) { return run(*options, parser, terminal); };
}

}  // namespace

constinit const Verb kWhy{
    .name = "why",
    .summary = "one request, step by step: every pool considered, and the reason",
    .examples =
        "  carveout why board.dtb --device eth0 --size 4M --align 64\n"
        "  carveout why board.dtb --bus /soc --size 64K --mask 32 --count 100\n"
        "  carveout why board.dtb --device /soc/dsp --size 8K --pool firmware --json\n",
    .add = add,
};

}  // namespace carveout::cli
