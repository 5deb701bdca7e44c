#include "presets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "trace_event.hpp"

namespace carveout::cli {
namespace {

using Buffers = PresetBuffers;
using Phase = PresetPhase;

constexpr std::uint64_t pixels(std::uint64_t width, std::uint64_t height) { return width * height; }
constexpr std::uint64_t ring(std::uint64_t entries, std::uint64_t bytes) { return entries * bytes; }

// Ten bits a pixel, packed: four pixels in five bytes. NV12: twelve bits a pixel.
constexpr Buffers k1080pCamera[] = {{"raw", 4, pixels(1920, 1080) * 5 / 4, 1},
                                    {"nv12", 4, pixels(1920, 1080) * 3 / 2, 1}};
constexpr Buffers k720pCamera[] = {{"raw", 4, pixels(1280, 720) * 5 / 4, 1},
                                   {"nv12", 4, pixels(1280, 720) * 3 / 2, 1}};
constexpr Phase kCamera[] = {
    {0, 10'000, k1080pCamera}, {10'100, 20'000, k720pCamera}, {20'100, 30'000, k1080pCamera}};

constexpr Buffers kSplash[] = {{"splash", 1, pixels(1280, 720) * 4, 1}};
constexpr Buffers kDesktop[] = {{"frame", 2, pixels(1920, 1080) * 4, 1},
                                {"cursor", 1, pixels(64, 64) * 4, 1}};
constexpr Phase kDisplay[] = {{0, 2'000, kSplash}, {1'900, 30'000, kDesktop}};

constexpr Buffers kRings512[] = {
    {"rx-ring", 1, ring(512, 16), 1}, {"tx-ring", 1, ring(512, 16), 1}, {"rx", 512, 1536, 1}};
constexpr Buffers kRings1024[] = {
    {"rx-ring", 1, ring(1024, 16), 1}, {"tx-ring", 1, ring(1024, 16), 1}, {"rx", 1024, 1536, 1}};
constexpr Phase kEthernet[] = {{0, 10'000, kRings512}, {10'100, 30'000, kRings1024}};

constexpr std::uint32_t kStreams = 32;
constexpr std::uint64_t kSegment = ring(256, 16);
// Rings of two segments: one for each stream of three endpoints, and the command endpoint's.
constexpr Buffers kDisk[] = {{"contexts", 3, ring(kStreams, 16), 16},
                             {"stream-segment", 3 * kStreams * 2, kSegment, kSegment},
                             {"command-segment", 2, kSegment, kSegment}};
constexpr Phase kUas[] = {{0, 10'000, kDisk}, {11'000, 30'000, kDisk}};

constexpr Buffers kCommonRings[] = {{"control-submit", 1, ring(64, 40), 1},
                                    {"rx-post", 1, ring(512, 32), 1},
                                    {"control-complete", 1, ring(64, 24), 1},
                                    {"tx-complete", 1, ring(1024, 24), 1},
                                    {"rx-complete", 1, ring(512, 40), 1}};
constexpr Buffers kStation[] = {{"flow-ring", 4, ring(512, 48), 1}};
constexpr Phase kWifi[] = {
    {0, 30'000, kCommonRings},  {1'000, 9'000, kStation},   {2'000, 29'000, kStation},
    {3'000, 15'000, kStation},  {4'000, 12'000, kStation},  {10'000, 28'000, kStation},
    {16'000, 20'000, kStation}, {17'000, 27'000, kStation}, {21'000, 29'500, kStation}};

constexpr std::array kPresets{
    Preset{"camera", "1080p, then 720p, then 1080p: 4 raw and 4 NV12 frames each", kCamera},
    Preset{"display", "a 720p splash, then 2 frames of 1080p XRGB and a cursor", kDisplay},
    Preset{"ethernet", "rings of 512 descriptors and their buffers, then of 1024", kEthernet},
    Preset{"uas", "a USB disk with 32 streams, unplugged and plugged again", kUas},
    Preset{"wifi", "the rings of a PCIe chip, and 4 more for each station that comes and goes",
           kWifi}};

struct Line {
  std::uint32_t time_ms;
  bool is_alloc;
  std::size_t use;
  std::size_t phase;
  const Buffers* buffers;
  std::uint32_t number;
};

}  // namespace

std::span<const Preset> presets() { return kPresets; }

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string{text};
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string preset_trace(std::span<const PresetUse> uses) {
  std::vector<Line> lines;
  for (std::size_t use = 0; use < uses.size(); ++use) {
    const auto phases = uses[use].preset->phases;
    for (std::size_t phase = 0; phase < phases.size(); ++phase) {
      for (const Buffers& buffers : phases[phase].buffers) {
        for (std::uint32_t i = 0; i < buffers.count; ++i) {
          lines.push_back({phases[phase].from_ms, true, use, phase, &buffers, i});
          lines.push_back({phases[phase].to_ms, false, use, phase, &buffers, i});
        }
      }
    }
  }
  std::ranges::stable_sort(lines, {}, &Line::time_ms);
  std::string trace = fmt::format("{}\n", kCsvHeader);
  for (const Line& line : lines) {
    const PresetUse& use = uses[line.use];
    fmt::format_to(std::back_inserter(trace), "{}.{:03},{},{}{}-{}-{}-{},", line.time_ms / 1000,
                   line.time_ms % 1000, line.is_alloc ? "alloc" : "free", use.preset->name,
                   line.use, line.phase, line.buffers->name, line.number);
    if (line.is_alloc) {
      fmt::format_to(std::back_inserter(trace), "{},{},{}\n", csv_field(use.device),
                     line.buffers->size_bytes, line.buffers->align_bytes);
    } else {
      trace += ",,\n";
    }
  }
  return trace;
}

}  // namespace carveout::cli
