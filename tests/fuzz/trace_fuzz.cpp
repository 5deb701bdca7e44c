// Any bytes as a trace: steps that make sense, or a refusal of one line; and the same when the
// trace is read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "refusal.hpp"
#include "simulate/trace.hpp"

namespace {

using namespace carveout::cli;

void expect(bool holds) {
  if (!holds) std::abort();
}

/// Reads to the end, or to the refusal, which is returned.
std::string read(Trace& trace, std::vector<TraceStep>& steps) {
  std::vector<bool> lives;
  std::uint64_t alive = 0;
  std::uint64_t last_line = 0;
  try {
    TraceStep step;
    while (trace.next(step)) {
      expect(step.slot < trace.ids().slots());
      lives.resize(trace.ids().slots());
      expect(lives[step.slot] != step.is_alloc);
      lives[step.slot] = step.is_alloc;
      alive += step.is_alloc ? 1 : ~std::uint64_t{0};
      expect(alive <= trace.counts().most_live);
      expect(step.request.device < trace.devices().size());
      expect(step.request.line >= last_line);
      last_line = step.request.line;
      steps.push_back(step);
    }
    expect(alive == trace.ids().count());
  } catch (const Refusal& refusal) {
    const std::string_view line = refusal.what();
    for (const char c : line) expect(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
    expect(line.starts_with("carveout: t: ") && line.ends_with(')'));
    return std::string{line};
  }
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text{reinterpret_cast<const char*>(data), size};
  try {
    Trace trace{TraceText{"t", text}};
    std::vector<TraceStep> first;
    const std::string refusal = read(trace, first);
    trace.rewind();
    std::vector<TraceStep> again;
    expect(read(trace, again) == refusal && again.size() == first.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
      expect(first[i].slot == again[i].slot && first[i].is_alloc == again[i].is_alloc &&
             first[i].request.size_bytes == again[i].request.size_bytes &&
             first[i].request.time_ns == again[i].request.time_ns);
    }
  } catch (const Refusal& refusal) {
    expect(std::string_view{refusal.what()}.starts_with("carveout: t: "));
  }
  return 0;
}
