// `simulate`: a trace of allocations on the board's pools.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "input.hpp"
#include "moments.hpp"
#include "option_values.hpp"
#include "page.hpp"
#include "picture/files.hpp"
#include "picture/timeline.hpp"
#include "presets.hpp"
#include "refusal.hpp"
#include "simulation.hpp"
#include "trace.hpp"
#include "trace_devices.hpp"
#include "verb.hpp"

namespace carveout::cli {
namespace {

/// What was typed, before it means anything.
struct Options {
  std::string board;
  std::vector<std::string> overlays;
  std::string trace;
  std::vector<std::string> presets;
  std::string device;
  std::vector<std::string> names;
  std::string mask;
  std::string cpu_coherent;
  std::string uncached_view;
  bool no_smallest = false;
  bool csv = false;
  bool json = false;
  picture::Files pictures;
};

std::string known_presets() {
  std::string list;
  for (const Preset& preset : presets()) {
    list += fmt::format("{}{}", list.empty() ? "" : ", ", preset.name);
  }
  return list;
}

/// `NAME` or `NAME=NODE`.
PresetUse preset_use(std::string_view typed) {
  const std::string_view name = typed.substr(0, typed.find('='));
  const auto preset = std::ranges::find(presets(), name, &Preset::name);
  if (preset == presets().end()) refuse_word("simulate", "--preset", name, known_presets());
  if (name.size() == typed.size()) return {.preset = &*preset, .device = {}};
  return {.preset = &*preset, .device = std::string{typed.substr(name.size() + 1)}};
}

SimulateRequest request_of(const Options& options, const CLI::App& parser) {
  const auto given = [&](const char* option) { return parser.count(option) != 0; };
  if (given("--trace") == given("--preset")) {
    throw Refusal{"simulate",
                  given("--trace") ? "--trace and --preset exclude each other"
                                   : "--trace FILE or --preset NAME is missing",
                  "carveout simulate --help"};
  }
  if (options.csv && options.json) {
    throw Refusal{"simulate", "--csv and --json exclude each other", "carveout simulate --help"};
  }
  options.pictures.check("simulate");
  if (options.csv && options.pictures.any()) {
    throw Refusal{"simulate", "--csv replays nothing that a picture could show",
                  "carveout simulate --help"};
  }
  if (options.json && options.pictures.to_standard_output()) {
    throw Refusal{"simulate", "--json and a picture both go to standard output",
                  "carveout simulate --help"};
  }
  SimulateRequest request;
  request.device = options.device;
  for (const std::string& name : options.names) {
    const std::size_t equals = name.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw Refusal{"simulate", fmt::format("--name '{}' is no pair", name), "DEVICE=NODE"};
    }
    request.names.emplace_back(name.substr(0, equals), name.substr(equals + 1));
  }
  if (given("--mask")) request.mask_bits = mask_bits_of("simulate", options.mask);
  if (given("--cpu-coherent")) {
    request.cpu_coherent = yes_or_no("simulate", "--cpu-coherent", options.cpu_coherent);
  }
  if (given("--uncached-view")) {
    request.uncached_view = yes_or_no("simulate", "--uncached-view", options.uncached_view);
  }
  request.smallest = !options.no_smallest;
  return request;
}

Trace trace_of(const Options& options) {
  if (options.presets.empty()) return Trace{TraceText::open(options.trace)};
  std::vector<PresetUse> uses;
  std::string source;
  for (const std::string& typed : options.presets) {
    uses.push_back(preset_use(typed));
    source += fmt::format("{}--preset {}", source.empty() ? "" : " ", typed);
  }
  return Trace{TraceText{std::move(source), preset_trace(uses)}};
}

/// The trace in the form of kCsvHeader, its devices by their paths.
std::string as_csv(const Board& board, Trace& trace, const SimulateRequest& request) {
  TraceStep step;
  while (trace.next(step)) {
  }
  const TraceDevices found = find_devices(board, trace, request);
  std::vector<std::string> devices;
  for (const std::uint32_t number : found.asker_of) {
    const TraceDevices::Asker& asker = found.askers[number];
    devices.push_back(asker.any_on_bus ? std::string{} : csv_field(asker.node));
  }
  std::string csv = fmt::format("{}\n", kCsvHeader);
  trace.rewind();
  while (trace.next(step)) {
    const TraceRequest& of = step.request;
    // What the kernel calls an allocation is its address, which two devices may both have.
    std::string id = csv_field(trace.ids().id(step.slot));
    if (trace.form() == TraceForm::kernel) id += fmt::format("-{}-{}", of.device, step.slot);
    fmt::format_to(std::back_inserter(csv), "{}.{:09},{},{},{},{},{}\n", of.time_ns / 1'000'000'000,
                   of.time_ns % 1'000'000'000, step.is_alloc ? "alloc" : "free", id,
                   devices[of.device], of.size_bytes, of.align_bytes);
    if (csv.size() > kMaxOutputBytes) refuse_too_much(trace.source());
  }
  return csv;
}

Answer run(const Options& options, const CLI::App& parser, const Terminal& terminal) {
  const SimulateRequest request = request_of(options, parser);
  const std::array sources{options.board, options.trace};
  check_standard_input("simulate", sources, options.overlays);
  Trace trace = trace_of(options);
  const Board board = read_board(options.board, options.overlays);
  if (options.csv) return {.data = as_csv(board, trace, request), .notes = board.messages};
  const Simulation simulation = simulate(board, trace, request);
  Answer answer{
      .status = simulation.failures != 0 ? kRefused : 0, .data = {}, .notes = board.messages};
  if (options.pictures.any()) {
    picture::Scene scene = picture::scene_of(board);
    scene.timeline =
        picture::timeline_of(simulation, moments_of(board, trace, request, simulation));
    answer.data = picture::written(options.pictures, board.source, scene);
    if (options.pictures.to_standard_output()) return answer;
  }
  answer.data = options.json ? simulation_json(board, request, simulation)
                             : simulation_text(board, request, simulation, terminal.colour);
  return answer;
}

Job add(CLI::App& parser) {
  const auto options = std::make_shared<Options>();
  const auto option = [&](const char* names, std::string& value, const char* type,
                          const char* help) {
    return parser.add_option(names, value, help)->type_name(type);
  };
  const auto several = [&](const char* names, std::vector<std::string>& values, const char* type,
                           const std::string& help) {
    parser.add_option(names, values, help)->type_name(type)->allow_extra_args(false);
  };
  option("BOARD", options->board, "", "device tree")->required();
  option("--trace", options->trace, "FILE",
         "allocations: CSV, or the text of the kernel's dma events; - is\n"
         "                              standard input");
  several("--preset", options->presets, "PRESET[=NODE]",
          fmt::format("or a load, of this device: {};\n"
                      "                              repeatable",
                      known_presets()));
  option("--device", options->device, "NODE",
         "who asks where the trace names nobody; default: any device on\n"
         "                              the root bus");
  several("--name", options->names, "DEVICE=NODE",
          "what the kernel calls a device, and its node; repeatable");
  option("--mask", options->mask, "BITS", "address bits of all devices; default 64");
  option("--cpu-coherent", options->cpu_coherent, "yes|no",
         "what a device is if the tree does not say; default no");
  option("--uncached-view", options->uncached_view, "yes|no",
         "whether ordinary memory can be reached past the cache");
  several("-o,--overlay", options->overlays, "DTBO", "apply this overlay first; repeatable");
  parser
      .add_flag("--no-smallest", options->no_smallest,
                "do not look for the smallest pools: the trace is read once")
      ->disable_flag_override();
  parser
      .add_flag("--csv", options->csv,
                "print the trace as CSV with the paths of its devices, and stop")
      ->disable_flag_override();
  parser.add_flag("--json", options->json, "for programs, schema carveout.simulate/1")
      ->disable_flag_override();
  option("--svg", options->pictures.svg, "FILE",
         "write a picture, too: who holds what at the first failure, or\n"
         "                              else the first peak; -: in place of the text");
  option("--html", options->pictures.html, "FILE",
         "write a page, too, with a slider through time; likewise");
  return [options, &parser](const Terminal& terminal) { return run(*options, parser, terminal); };
}

}  // namespace

constinit const Verb kSimulate{
    .name = "simulate",
    .summary = "a trace of allocations on the board's pools: what fits, and what would",
    .examples =
        "  carveout simulate board.dtb --trace dma.csv\n"
        "  carveout simulate board.dtb --trace trace.txt --name 0000:01:00.0=/soc/pcie@7d500000\n"
        "  carveout simulate board.dtb --preset camera=csi --preset display --json\n"
        "  carveout simulate board.dtb --trace dma.csv --html time.html\n",
    .add = add,
};

}  // namespace carveout::cli
