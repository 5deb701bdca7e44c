// How fast the machine model is: explicit accesses a second, and a driver's work between its
// transfers on a PlainMachine with a Checker, beside the same work on plain memory:
// tools/machine-speed.sh.
//
// All of it runs in one process, its repetitions in a random order; what is printed is the median.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "bench/packets.hpp"
#include "carveout_sim/checker.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/machine.hpp"
#include "carveout_sim/plain_machine.hpp"

namespace carveout::sim {
namespace {

constexpr PhysAddr kCached{0x3'5a00'0000};
constexpr PhysAddr kUncached{0x7'1b40'0000};
constexpr std::array kWindows{kOddWindow};

// ---- explicit accesses -------------------------------------------------------------------------

void accesses(benchmark::State& state, PhysAddr base) {
  Machine machine;
  auto* const words = reinterpret_cast<std::uint32_t*>(machine.cpu_view({base, 64}));
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(machine.load(words + i % 8));
    machine.store(words + (i + 3) % 8, 1U);
    ++i;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(2 * state.iterations()));
}
void through_the_cache(benchmark::State& state) { accesses(state, kCached); }
void past_the_cache(benchmark::State& state) { accesses(state, kUncached); }

// ---- a driver with plain pointers --------------------------------------------------------------

constexpr std::size_t kPackets = 64;
using Ring = std::array<std::byte, kPackets * packets::kBytes>;

/// What this thread had of its processor, in seconds: others on the machine count less.
double now() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// Seconds that the driver takes for what lies there; the transfers are not in it.
double seconds_of(const std::byte* at, packets::Totals& totals) {
  const double begin = now();
  for (std::size_t i = 0; i < kPackets; ++i) {
    packets::take(packets::Packet{at + i * packets::kBytes, packets::kBytes}, totals);
  }
  return now() - begin;
}

Ring& received() {
  static Ring ring = [] {
    Ring made;
    for (std::size_t i = 0; i < kPackets; ++i) {
      packets::make(std::span{made}.subspan(i * packets::kBytes).first<packets::kBytes>(), i);
    }
    return made;
  }();
  return ring;
}

void finish(benchmark::State& state, const packets::Totals& totals) {
  if (totals.good != kPackets * static_cast<std::uint64_t>(state.iterations()))
    state.SkipWithError("a packet is wrong");
  state.SetItemsProcessed(static_cast<std::int64_t>(totals.good));
}

void on_plain_memory(benchmark::State& state) {
  packets::Totals totals;
  std::vector<std::byte> memory(sizeof(Ring));
  for (auto _ : state) {
    std::ranges::copy(received(), memory.begin());
    state.SetIterationTime(seconds_of(memory.data(), totals));
  }
  finish(state, totals);
}

/// Mapped memory is taken away from the CPU while the device has it.
enum class Mapped : bool { no, yes };

void on_a_machine(benchmark::State& state, Mapped mapped) {
  packets::Totals totals;
  PlainMachine machine;
  Checker checker{machine, {.callback = Checker::silent}};
  const Master eth = checker.attach("eth");
  DmaEngine engine{machine, Translation::through(kWindows), DmaAddr{0xffff'ffff},
                   mapped == Mapped::yes ? eth : kAnyMaster};
  const PhysRange ring{kCached, sizeof(Ring)};
  std::byte* const memory = machine.cpu_view(ring);
  for (auto _ : state) {
    machine.invalidate(memory, sizeof(Ring));
    if (mapped == Mapped::yes) checker.map(eth, ring, Direction::from_device);
    if (!engine.write(kOddWindow.dma, received())) state.SkipWithError("no transfer");
    if (mapped == Mapped::yes) checker.unmap(eth, ring, Direction::from_device);
    machine.invalidate(memory, sizeof(Ring));
    state.SetIterationTime(seconds_of(memory, totals));
  }
  if (checker.count() != 0) state.SkipWithError("the checker has reports");
  finish(state, totals);
}

void on_a_plain_machine(benchmark::State& state) { on_a_machine(state, Mapped::yes); }
void on_a_plain_machine_unmapped(benchmark::State& state) { on_a_machine(state, Mapped::no); }

// ---- what is printed ---------------------------------------------------------------------------

class Medians final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& /*context*/) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      failed_ = failed_ || run.error_occurred;
      if (run.run_type == Run::RT_Aggregate || run.error_occurred) continue;
      each_[run.run_name.function_name].push_back(run.counters.at("items_per_second").value);
    }
  }
  /// Items a second.
  [[nodiscard]] double of(const std::string& name) {
    auto& values = each_[name];
    if (values.empty()) return 0;
    std::ranges::sort(values);
    return values[values.size() / 2];
  }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::map<std::string, std::vector<double>> each_;
  bool failed_ = false;
};

int run() {
  std::string program = "carveout_machine_speed";
  std::string interleaved = "--benchmark_enable_random_interleaving=true";
  std::array<char*, 3> arguments{program.data(), interleaved.data(), nullptr};
  int count = 2;
  benchmark::Initialize(&count, arguments.data());
  constexpr int kRepetitions = 11;
  const auto enter = [](const char* name, void (*function)(benchmark::State&)) {
    return benchmark::RegisterBenchmark(name, function)->Repetitions(kRepetitions);
  };
  enter("through the cache", through_the_cache)->MinTime(0.05);
  enter("past the cache", past_the_cache)->MinTime(0.05);
  // A number of iterations: the transfers between them take long, and are not in the time.
  constexpr int kRounds = 50;
  enter("plain memory", on_plain_memory)->UseManualTime()->Iterations(kRounds);
  enter("PlainMachine", on_a_plain_machine)->UseManualTime()->Iterations(kRounds);
  enter("the same, not mapped", on_a_plain_machine_unmapped)->UseManualTime()->Iterations(kRounds);
  Medians medians;
  benchmark::RunSpecifiedBenchmarks(&medians);
  if (medians.failed()) return 1;
  std::printf("explicit accesses of 4 bytes, millions a second\n");
  for (const char* name : {"through the cache", "past the cache"}) {
    std::printf("  %-20s %8.1f\n", name, medians.of(name) / 1e6);
  }
  std::printf("packets of %zu bytes between transfers, millions a second\n", packets::kBytes);
  const double bare = medians.of("plain memory");
  for (const char* name : {"plain memory", "PlainMachine", "the same, not mapped"}) {
    const double here = medians.of(name);
    std::printf("  %-20s %8.3f, %.2f of the bare speed\n", name, here / 1e6, here / bare);
  }
  return 0;
}

}  // namespace
}  // namespace carveout::sim

int main() { return carveout::sim::run(); }
