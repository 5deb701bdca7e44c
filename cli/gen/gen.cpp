// `gen`: the files that firmware is built with, of one board.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gen/files.hpp"
#include "gen/names.hpp"
#include "gen/plan.hpp"
#include "input.hpp"
#include "option_values.hpp"
#include "output_files.hpp"
#include "printable.hpp"
#include "sizes.hpp"
#include "verb.hpp"

namespace carveout::cli {
namespace {

struct Options {
  std::string board;
  std::string target;
  std::string out;
  std::vector<std::string> devices;
  std::vector<std::string> overlays;
  std::string mpu_regions;
  std::string name_space;
  std::string world;
};

constexpr std::string_view kHelp = "carveout gen --help";
/// A PMSAv7 unit has 8 or 16 regions, and one of PMSAv8 up to 16.
constexpr std::uint64_t kMostMpuRegions = 16;

constexpr OptionWords<GenTarget, 4> kTargets{{{"armv7m", GenTarget::armv7m},
                                              {"armv8m", GenTarget::armv8m},
                                              {"riscv", GenTarget::riscv},
                                              {"generic", GenTarget::generic}}};
constexpr OptionWords<GenWorld, 2> kWorlds{
    {{"secure", GenWorld::secure}, {"non-secure", GenWorld::non_secure}}};

unsigned count_of(std::string_view option, std::string_view text, std::uint64_t high) {
  return static_cast<unsigned>(value_of("gen", option, parse_count(text, 1, high)));
}

GenDeviceRequest device_of(std::string_view text) {
  const std::size_t equals = text.rfind('=');  // which no node's name has
  GenDeviceRequest device{.node = std::string{text.substr(0, equals)}, .mask_bits = std::nullopt};
  if (equals != std::string_view::npos) {
    device.mask_bits = count_of("--device NODE=BITS", text.substr(equals + 1), 64);
  }
  return device;
}

GenRequest request_of(const Options& options, const CLI::App& parser) {
  GenRequest request{.target = named("gen", "--target", options.target, kTargets)};
  for (const std::string& device : options.devices) request.devices.push_back(device_of(device));
  if (parser.count("--mpu-regions") != 0) {
    if (!has_mpu(request.target)) {
      throw Refusal{"gen", fmt::format("--mpu-regions: {} has no table of them", options.target),
                    kHelp};
    }
    request.mpu_regions = count_of("--mpu-regions", options.mpu_regions, kMostMpuRegions);
  }
  if (parser.count("--namespace") != 0) {
    if (!is_namespace_name(options.name_space)) {
      throw Refusal{"gen", fmt::format("--namespace '{}' is no name of C++", options.name_space),
                    kHelp};
    }
    request.name_space = options.name_space;
  }
  if (parser.count("--world") != 0) {
    if (request.target != GenTarget::armv8m) {
      throw Refusal{"gen", fmt::format("--world: {} has no two of them", options.target), kHelp};
    }
    request.world = named("gen", "--world", options.world, kWorlds);
  }
  if (options.out.empty()) throw Refusal{"gen", "--out is empty", kHelp};
  return request;
}

Answer run(const Options& options, const CLI::App& parser) {
  const GenRequest request = request_of(options, parser);
  check_standard_input("gen", std::span{&options.board, 1}, options.overlays);
  const Board board = read_board(options.board, options.overlays);
  const GenPlan made = plan(board, request);
  Answer answer{.data = {}, .notes = board.messages};
  const auto tell = [&](const std::vector<std::string>& sentences) {
    for (const std::string& said : sentences) {
      answer.notes += fmt::format("carveout: {}: {}\n", printable(board.source), said);
    }
  };
  tell(made.refused);
  if (!made.refused.empty()) {
    answer.status = kRefused;
    return answer;
  }
  tell(made.notes);
  write_files(options.out, files_of(made, request));
  return answer;
}

Job add(CLI::App& parser) {
  const auto options = std::make_shared<Options>();
  const auto option = [&](const char* names, auto& value, const std::string& type,
                          const char* help) {
    return parser.add_option(names, value, help)->type_name(type);
  };
  option("BOARD", options->board, "", "device tree")->required();
  option("--target", options->target, words_of(kTargets), "what it is for")->required();
  option("--out", options->out, "DIR", "where to; the folder is made if it is not there")
      ->required();
  option("--device", options->devices, "NODE[=BITS]",
         "a device that the firmware drives, and its address\n                              "
         "bits (32 unless stated); repeatable. Without it:\n                              "
         "those with a memory-region")
      ->allow_extra_args(false);
  option("--mpu-regions", options->mpu_regions, "N",
         "how many regions of the MPU the pools may take;\n                              "
         "default 8");
  option("--world", options->world, words_of(kWorlds),
         "armv8m: the world of TrustZone that the\n                              firmware runs "
         "in; nothing: there are no two");
  option("--namespace", options->name_space, "NAME", "of the headers; default board");
  option("-o,--overlay", options->overlays, "DTBO", "apply this overlay first; repeatable")
      ->allow_extra_args(false);
  return [options, &parser](const Terminal&) { return run(*options, parser); };
}

}  // namespace

constinit const Verb kGen{
    .name = "gen",
    .summary = "linker fragment, MPU regions and constexpr tables for firmware",
    .examples =
        "  carveout gen board.dts --target armv7m --device ethernet0=32 --out gen\n"
        "  carveout gen board.dts --target armv8m --mpu-regions 4 --out gen\n",
    .add = add,
};

}  // namespace carveout::cli
