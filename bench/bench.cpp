// Times every peer on every workload, on the same traces, in one process.
//
//   carveout_bench [--rounds N] [--only REGEX] [--commit NAME] [--tree NAME]
//                                                measures, and prints JSON
//   carveout_bench --table FILE                  prints a measurement as tables
//   carveout_bench --verdict FILE...                         ... against what is required; 1:
//   missed carveout_bench --draw FILE                               ... as an SVG
//
// Google Benchmark is driven as a library. Its runner would repeat one benchmark to the end before
// the next, or shuffle the repetitions of all; a processor that others use too is slow for seconds
// at a time, so what is compared must run within milliseconds: rounds are outermost and peers
// innermost. So a call of the runner is one round of one workload, with one iteration for each
// peer.
#include <benchmark/benchmark.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "bench/peer.hpp"
#include "bench/report.hpp"
#include "carveout/pool/range_allocator.hpp"

namespace carveout::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kPairs = 60'000;
constexpr std::uint64_t kSeed = 3;
/// Of a cyclic trace, for one peer in one round.
constexpr double kAtLeastNs = 1e6;
/// Traces of the same kind over which refusals are counted.
constexpr std::uint64_t kSeeds = 5;

/// Behind a peer's name: the time from the first thread's start to the last one's end.
constexpr const char* kByTheClock = " by the clock";

/// Takes what Google Benchmark measured, and prints nothing.
class Collector final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& /*context*/) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.error_occurred) continue;
      const double pairs = run.counters.at("pairs").value;
      const std::string& peer = run.run_name.function_name;
      ns_[peer].push_back(run.real_accumulated_time * 1e9 / pairs);
      ns_[peer + kByTheClock].push_back(run.counters.at("clock_ns").value / pairs);
    }
  }
  [[nodiscard]] const std::map<std::string, std::vector<double>>& ns() const { return ns_; }

 private:
  std::map<std::string, std::vector<double>> ns_;
};

/// As many digits as a measurement has.
double rounded(double value, double digits) {
  const double scale = std::pow(10.0, digits);
  return std::round(value * scale) / scale;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::vector<int> own_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof(set), &set);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

std::string cpu_name() {
  std::ifstream info{"/proc/cpuinfo"};
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

struct Settings {
  int rounds = 11;
  std::string only = ".*";
  std::string commit = "unknown";
  std::string tree = "unknown";
};

class Bench {
 public:
  explicit Bench(const Settings& settings) : settings_{settings}, cpus_{own_cpus()} {
    for (const auto& one : contestants()) {
      if (one->card().only_counted) continue;
      if (one->card().opens != nullptr && !one->card().opens()) {
        std::fprintf(stderr, "%s: cannot run here, left out\n", one->card().name.data());
        continue;
      }
      peers_.push_back(one.get());
    }
    std::ranges::stable_sort(peers_, {}, [](const Contestant* one) { return one->card().column; });
    pin(cpus_.back());
  }

  Json run() {
    for (const PoolShape& pool : {kLarge, kSmall}) {
      for (const std::string_view name : kWorkloads) {
        if (wanted(pool, name)) one_thread(pool, name);
      }
      for (const std::string_view name : kWorkloadsOfTwo) {
        if (wanted(pool, name)) two_threads(pool, name);
      }
    }
    if (wanted(kSmall, "storage")) bitmap_storage();
    return {{"schema", "carveout.bench/1"},
            {"cpu", cpu_name()},
            {"compiler", "g++ " __VERSION__},
            {"commit", settings_.commit},
            {"src_tree", settings_.tree},
            {"rounds", settings_.rounds},
            {"rows", rows_}};
  }

 private:
  bool wanted(const PoolShape& pool, std::string_view workload) const {
    const std::string name = std::string{pool.name} + "/" + std::string{workload};
    return std::regex_match(name, std::regex{settings_.only});
  }

  /// Runs what is registered, so often that each has its rounds, and forgets it.
  std::map<std::string, double> measure() {
    Collector collector;
    for (int round = 0; round < settings_.rounds; ++round) {
      benchmark::RunSpecifiedBenchmarks(&collector, "all");
    }
    benchmark::ClearRegisteredBenchmarks();
    std::map<std::string, double> medians;
    for (const auto& [name, values] : collector.ns()) medians[name] = median(values);
    return medians;
  }

  /// @param time  answers a Timing.
  static void enter(const Contestant& peer, auto time) {
    benchmark::RegisterBenchmark(peer.card().name.data(),
                                 [time](benchmark::State& state) {
                                   for (auto _ : state) {
                                     const Timing timing = time();
                                     state.SetIterationTime(timing.ns * 1e-9);
                                     state.counters["pairs"] = static_cast<double>(timing.pairs);
                                     state.counters["clock_ns"] = timing.clock_ns;
                                   }
                                 })
        ->Iterations(1)
        ->UseManualTime();
  }

  void one_thread(const PoolShape& pool, std::string_view name) {
    const Trace trace = *workload(name, pool, kPairs, kSeed);
    std::vector<const Contestant*> playing;
    for (const Contestant* peer : peers_) {
      if (!peer->plays(pool, name) || (peer->card().locked && name != "W4-4096")) continue;
      playing.push_back(peer);
      enter(*peer, [peer, &pool, &trace] { return peer->time(pool, trace, kAtLeastNs); });
    }
    std::fprintf(stderr, "%s %s: %zu peers\n", pool.name.data(), name.data(), playing.size());
    const std::map<std::string, double> medians = measure();
    for (const Contestant* peer : playing) {
      Json row = row_of(pool, name, *peer, medians);
      if (peer->card().locked) {
        rows_.push_back(row);
        continue;
      }
      count_refusals(row, *peer, pool, name);
      if (peer->card().in_pool && (name == "W1" || name == "W2" || name.starts_with("W3"))) {
        const Worst worst = peer->worst(pool, *workload(name, pool, 10'000, kSeed));
        row["worst_alloc_ns"] = std::round(worst.alloc_step_ns);
        row["worst_free_ns"] = std::round(worst.free_step_ns);
        row["worst_alloc_of_run_ns"] = std::round(worst.alloc_run_ns);
        row["worst_free_of_run_ns"] = std::round(worst.free_run_ns);
      }
      if (name == "W3-85" && peer->card().in_pool) {
        row["metadata_bytes"] = peer->metadata_bytes(pool, trace);
        row["most_live"] = trace.slots;
        std::vector<double> full;
        for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
          const Mix rising{.per_cent = 50, .rises_to_per_cent = 105};
          full.push_back(peer->full_at(pool, mixed(pool, rising, kPairs, seed)).value_or(1));
        }
        row["full_at"] = rounded(median(full), 4);
      }
      rows_.push_back(row);
    }
  }

  /// For the smallest parts, and linear in granules: its size is its merit, and not its time.
  void bitmap_storage() {
    const std::size_t bytes =
        TagStore::bitmap().storage_bytes(1, kSmall.bytes / kSmall.granule_bytes);
    rows_.push_back({{"pool", kSmall.name},
                     {"workload", "storage"},
                     {"peer", "carveout-bitmap"},
                     {"metadata_bytes", bytes + sizeof(RangeAllocator)}});
  }

  void two_threads(const PoolShape& pool, std::string_view name) {
    if (cpus_.size() < 2) {
      std::fprintf(stderr, "%s: needs two processors, left out\n", name.data());
      return;
    }
    const std::vector<int> cpus{cpus_[0], cpus_[1]};
    const std::vector<Trace> traces{*workload(name, pool, kPairs / 2, kSeed),
                                    *workload(name, pool, kPairs / 2, kSeed + 1)};
    std::vector<const Contestant*> playing;
    for (const Contestant* peer : peers_) {
      if (!peer->card().own_lock || !peer->plays(pool, name)) continue;
      playing.push_back(peer);
      enter(*peer,
            [peer, &pool, &traces, &cpus] { return *peer->time_together(pool, traces, cpus); });
    }
    std::fprintf(stderr, "%s %s: %zu peers\n", pool.name.data(), name.data(), playing.size());
    const std::map<std::string, double> medians = measure();
    for (const Contestant* peer : playing) {
      Json row = row_of(pool, name, *peer, medians);
      row["ns_pair_clock"] = rounded(medians.at(std::string{peer->card().name} + kByTheClock), 2);
      rows_.push_back(row);
    }
  }

  static Json row_of(const PoolShape& pool, std::string_view name, const Contestant& peer,
                     const std::map<std::string, double>& medians) {
    const std::string who{peer.card().name};
    return {{"pool", pool.name}, {"workload", name},
            {"peer", who},       {"ns_pair", rounded(medians.at(who), 2)},
            {"failed", nullptr}, {"taken_per_asked", nullptr}};
  }

  /// Over several traces where they are random: the share of requests that is refused is small.
  static void count_refusals(Json& row, const Contestant& peer, const PoolShape& pool,
                             std::string_view name) {
    const bool random = name == "W2" || name.starts_with("W3");
    Filling sum;
    for (std::uint64_t seed = 1; seed <= (random ? kSeeds : 1); ++seed) {
      const Filling one = peer.fill(pool, *workload(name, pool, kPairs, seed));
      sum.requests += one.requests;
      sum.refused += one.refused;
      sum.asked_bytes += one.asked_bytes;
      sum.taken_bytes += one.taken_bytes;
    }
    if (peer.card().in_pool) {
      row["failed"] =
          rounded(static_cast<double>(sum.refused) / static_cast<double>(sum.requests), 6);
    }
    if (sum.asked_bytes != 0) {
      row["taken_per_asked"] =
          rounded(static_cast<double>(sum.taken_bytes) / static_cast<double>(sum.asked_bytes), 4);
    }
  }

  Settings settings_;
  std::vector<int> cpus_;
  std::vector<const Contestant*> peers_;
  Json rows_ = Json::array();
};

/// A row on each line, so that two measurements can be compared by eye.
void print(std::ostream& out, const Json& measured) {
  out << '{';
  for (const auto& [name, value] : measured.items()) {
    if (name != "rows") out << Json(name) << ':' << value << ',';
  }
  out << "\"rows\":[";
  const char* between = "\n";
  for (const Json& row : measured["rows"]) {
    out << between << row;
    between = ",\n";
  }
  out << "\n]}\n";
}

Json read(const char* path) {
  std::ifstream file{path};
  return Json::parse(file);
}

int run(const std::vector<std::string>& words) {
  Settings settings;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool more = i + 1 < words.size();
    if (words[i] == "--table" && more) {
      print_tables(std::cout, read(words[i + 1].c_str()));
      return 0;
    }
    if (words[i] == "--verdict" && more) {
      Json rows = Json::array();
      while (++i < words.size()) {
        const Json measured = read(words[i].c_str());
        rows.insert(rows.end(), measured["rows"].begin(), measured["rows"].end());
      }
      return print_verdict(std::cout, {{"rows", rows}}) ? 0 : 1;
    }
    if (words[i] == "--draw" && more) {
      draw(std::cout, read(words[i + 1].c_str()));
      return 0;
    }
    if (words[i] == "--rounds" && more) {
      settings.rounds = std::max(1, std::atoi(words[++i].c_str()));
    } else if (words[i] == "--only" && more) {
      settings.only = words[++i];
    } else if (words[i] == "--commit" && more) {
      settings.commit = words[++i];
    } else if (words[i] == "--tree" && more) {
      settings.tree = words[++i];
    } else {
      std::fprintf(stderr, "carveout_bench: unknown argument %s\n", words[i].c_str());
      return 2;
    }
  }
  const Json measured = Bench{settings}.run();
  print(std::cout, measured);
  return 0;
}

}  // namespace
}  // namespace carveout::bench

int main(int argc, char** argv) {
  // What Google Benchmark itself is told: nothing.
  int one = 1;
  benchmark::Initialize(&one, argv);
  return carveout::bench::run({argv + 1, argv + argc});
}
