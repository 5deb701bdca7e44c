// How a peer enters the benchmarks: the one header that a file with a peer includes, in this
// repository or outside (bench/README.md).
//
// A peer is a class over the memory of one site:
//
//   Handle                                 what it needs to give a block back
//   static Handle nothing()                a handle of no block
//   explicit Peer(const Site&)             an empty pool
//   bool take(Handle&, size)               false where it has no room
//   bool take(Handle&, size, align)        the same for a multiple of `align`; only where kAligns
//   void give_back(const Handle&)
//   uint64_t taken_bytes(const Handle&)    of the pool, all told: with headers and rounding
//   size_t metadata_bytes()                outside the pool; optional
//
// and a constant beside it enters it: `const int kEntered = enrol<Peer>({.name = ..., ...});`.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/player.hpp"
#include "bench/workloads.hpp"

namespace carveout::bench {

/// Who a peer is, and what it plays.
struct Card {
  std::string_view name;
  int column;                 ///< peers stand in this order
  bool in_pool = true;        ///< serves from the pool alone, so that it can run out of it
  bool aligns = false;        ///< has take() with an alignment
  bool one_size = false;      ///< serves requests of one size only
  bool own_lock = false;      ///< safe from several threads as it is
  bool zeroes = false;        ///< fills what is given back, so that large blocks say nothing
  bool large_only = false;    ///< of the two pools, plays on the large one
  bool small_only = false;    ///< ... or on the small one
  bool locked = false;        ///< a peer of one thread behind a lock
  bool only_counted = false;  ///< only for instruction counts
  bool (*opens)() = nullptr;  ///< asked once, before it plays: false where it cannot run here
};

struct Timing {
  double ns = 0;        ///< of a processor; of several threads the mean
  double clock_ns = 0;  ///< from the first thread's start to the last one's end; one thread: 0
  std::size_t pairs = 0;
};

/// What became of the requests of a trace.
struct Filling {
  std::size_t requests = 0;
  std::size_t refused = 0;
  std::uint64_t asked_bytes = 0;  ///< by the requests that were granted
  std::uint64_t taken_bytes = 0;
};

/// The slowest of all operations. `run`: the longest of a run, of nine runs the lowest. `step`: of
/// each step the lowest of nine runs, of these the longest; a step does the same work in every run.
struct Worst {
  double alloc_run_ns = 0;
  double free_run_ns = 0;
  double alloc_step_ns = 0;
  double free_step_ns = 0;
};

class Contestant {
 public:
  explicit Contestant(const Card& card) : card_{card} {}
  Contestant(const Contestant&) = delete;
  Contestant& operator=(const Contestant&) = delete;
  virtual ~Contestant() = default;

  [[nodiscard]] const Card& card() const { return card_; }
  [[nodiscard]] bool plays(const PoolShape& pool, std::string_view workload) const {
    const bool large = pool.bytes == kLarge.bytes;
    if ((card_.large_only && !large) || (card_.small_only && large)) return false;
    if (workload == "W3-85-natural" && !card_.aligns) return false;
    if (card_.zeroes && workload == "W2") return false;
    if (card_.one_size &&
        (workload.ends_with("-turns") || (workload != "W1" && !workload.starts_with("W4-")))) {
      return false;
    }
    return true;
  }

  /// Plays a trace from an empty pool on. A cyclic one is played again until `at_least_ns` are
  /// over.
  virtual Timing time(const PoolShape& pool, const Trace& trace, double at_least_ns) const = 0;
  virtual Filling fill(const PoolShape& pool, const Trace& trace) const = 0;
  /// Asked bytes that live when the first request is refused, of those of the pool; nothing where
  /// none is.
  virtual std::optional<double> full_at(const PoolShape& pool, const Trace& trace) const = 0;
  virtual Worst worst(const PoolShape& pool, const Trace& trace) const = 0;
  /// A thread for each trace, each on its own processor, on one pool. Nothing where that is unsafe.
  virtual std::optional<Timing> time_together(const PoolShape& pool, std::span<const Trace> traces,
                                              std::span<const int> cpus) const = 0;
  virtual std::size_t metadata_bytes(const PoolShape& pool, const Trace& trace) const = 0;

 private:
  Card card_;
};

/// All peers that were linked in.
inline std::vector<std::unique_ptr<Contestant>>& contestants() {
  static std::vector<std::unique_ptr<Contestant>> all;
  return all;
}

/// The memory of a pool, for peers that keep headers in it: the same for all of them, and touched.
inline std::span<std::byte> pool_memory(const PoolShape& pool) {
  static constexpr std::size_t kMost = std::size_t{66} << 20;
  static std::byte* const memory = [] {
    // Aligned to 2 MiB, and with a page of slack for peers that want the base off by a bit.
    void* const at =
        ::mmap(nullptr, 2 * kMost, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) std::abort();
    constexpr std::uintptr_t kAlign = std::uintptr_t{2} << 20;
    const auto first = (reinterpret_cast<std::uintptr_t>(at) + kAlign - 1) & ~(kAlign - 1);
    auto* const base = reinterpret_cast<std::byte*>(first);
    std::fill_n(base, kMost, std::byte{1});
    return base;
  }();
  return {memory, static_cast<std::size_t>(pool.bytes)};
}

inline void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  ::pthread_setaffinity_np(::pthread_self(), sizeof(set), &set);
}

/// Which of the threads that play together this one is. A board reads a register for that.
inline thread_local std::uint32_t this_processor = 0;

/// What this thread had of a processor. Time in which others had it does not count.
inline double thread_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// A stopwatch for single operations, in units of about a nanosecond.
class Stopwatch {
 public:
  using Ticks = std::uint64_t;

#if defined(__x86_64__)
  static Ticks start() {
    _mm_lfence();
    const Ticks now = __rdtsc();
    _mm_lfence();
    return now;
  }
  static Ticks stop() {
    unsigned processor = 0;
    const Ticks now = __rdtscp(&processor);
    _mm_lfence();
    return now;
  }
#else
  static Ticks start() {
    return static_cast<Ticks>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  static Ticks stop() { return start(); }
#endif

  /// What is measured where nothing is done.
  static Ticks nothing() {
    static const Ticks least = [] {
      Ticks best = std::numeric_limits<Ticks>::max();
      for (int i = 0; i < 100'000; ++i) {
        const Ticks from = start();
        best = std::min(best, stop() - from);
      }
      return best;
    }();
    return least;
  }

  static double ns(Ticks ticks) {
    static const double per_tick = [] {
      using Clock = std::chrono::steady_clock;
      const Clock::time_point from = Clock::now();
      const Ticks first = start();
      while (Clock::now() - from < std::chrono::milliseconds{50}) {
      }
      const Ticks last = stop();
      const std::chrono::duration<double, std::nano> passed = Clock::now() - from;
      return passed.count() / static_cast<double>(last - first);
    }();
    const Ticks idle = nothing();
    return ticks <= idle ? 0.0 : static_cast<double>(ticks - idle) * per_tick;
  }
};

/// Acquire exchange, release store: the lock of every peer that has none.
class SpinLock {
 public:
  void lock() {
    while (held_.exchange(true, std::memory_order_acquire)) {
      while (held_.load(std::memory_order_relaxed)) relax();
    }
  }
  void unlock() { held_.store(false, std::memory_order_release); }

  static void relax() {
#if defined(__x86_64__)
    _mm_pause();
#endif
  }

 private:
  alignas(64) std::atomic<bool> held_{false};
};

/// A peer behind a lock.
template <class Peer>
class Locked {
 public:
  using Handle = typename Peer::Handle;
  static Handle nothing() { return Peer::nothing(); }
  explicit Locked(const Site& site) : peer_{site} {}

  [[gnu::always_inline]] bool take(Handle& handle, std::uint32_t size_bytes) {
    lock_.lock();
    const bool taken = peer_.take(handle, size_bytes);
    lock_.unlock();
    return taken;
  }
  bool take(Handle& handle, std::uint32_t size_bytes, std::uint32_t align_bytes) {
    lock_.lock();
    const bool taken = peer_.take(handle, size_bytes, align_bytes);
    lock_.unlock();
    return taken;
  }
  [[gnu::always_inline]] void give_back(const Handle& handle) {
    lock_.lock();
    peer_.give_back(handle);
    lock_.unlock();
  }
  std::uint64_t taken_bytes(const Handle& handle) const { return peer_.taken_bytes(handle); }

 private:
  SpinLock lock_;
  alignas(64) Peer peer_;
};

template <class Peer, bool kAligns, bool kOwnLock>
class ContestantOf final : public Contestant {
 public:
  using Contestant::Contestant;

  Timing time(const PoolShape& pool, const Trace& trace, double at_least_ns) const override {
    Table table{pool, trace};
    table.prepare(trace);
    Timing timing;
    int passes = 1;
    do {
      const double from = thread_ns();
      // Reading that clock costs as much as some hundred pairs.
      for (int pass = 0; pass < passes; ++pass) table.play(trace.steps);
      timing.ns += thread_ns() - from;
      timing.pairs += trace.pairs * static_cast<std::size_t>(passes);
      passes = 16;
    } while (trace.cyclic && timing.ns < at_least_ns);
    return timing;
  }

  Filling fill(const PoolShape& pool, const Trace& trace) const override {
    Table table{pool, trace};
    table.prepare(trace);
    Filling filling;
    for (const Step& step : trace.steps) {
      const std::size_t refused = table.play({&step, 1});
      if (step.size_bytes == 0) continue;
      ++filling.requests;
      filling.refused += refused;
      if (refused != 0) continue;
      filling.asked_bytes += step.size_bytes;
      filling.taken_bytes += table.peer->taken_bytes(table.seats[step.slot].handle);
    }
    return filling;
  }

  std::optional<double> full_at(const PoolShape& pool, const Trace& trace) const override {
    Table table{pool, trace};
    std::vector<std::uint32_t> sizes(trace.slots, 0);
    std::uint64_t asked = 0;
    for (const std::vector<Step>* steps : {&trace.before, &trace.steps}) {
      for (const Step& step : *steps) {
        if (table.play({&step, 1}) != 0) {
          return static_cast<double>(asked) / static_cast<double>(pool.bytes);
        }
        asked += step.size_bytes;
        asked -= step.size_bytes == 0 ? sizes[step.slot] : 0;
        sizes[step.slot] = step.size_bytes;
      }
    }
    return std::nullopt;
  }

  Worst worst(const PoolShape& pool, const Trace& trace) const override {
    constexpr int kRuns = 9;
    using Ticks = Stopwatch::Ticks;
    constexpr Ticks kMost = std::numeric_limits<Ticks>::max();
    std::vector<Ticks> lowest(trace.steps.size(), kMost);
    std::array<Ticks, 2> lowest_run{kMost, kMost};  // free, alloc
    for (int run = 0; run < kRuns; ++run) {
      Table table{pool, trace};
      table.prepare(trace);
      std::array<Ticks, 2> longest{};
      for (std::size_t i = 0; i < trace.steps.size(); ++i) {
        const Step& step = trace.steps[i];
        const Ticks from = Stopwatch::start();
        const std::size_t refused = table.play({&step, 1});
        const Ticks ticks = Stopwatch::stop() - from;
        // Only what was granted and given back: a refusal is another question.
        if (refused != 0) continue;
        lowest[i] = std::min(lowest[i], ticks);
        Ticks& most = longest[step.size_bytes != 0 ? 1 : 0];
        most = std::max(most, ticks);
      }
      for (std::size_t i = 0; i < 2; ++i) lowest_run[i] = std::min(lowest_run[i], longest[i]);
    }
    std::array<Ticks, 2> longest{};
    for (std::size_t i = 0; i < trace.steps.size(); ++i) {
      if (lowest[i] == kMost) continue;
      Ticks& most = longest[trace.steps[i].size_bytes != 0 ? 1 : 0];
      most = std::max(most, lowest[i]);
    }
    return {.alloc_run_ns = Stopwatch::ns(lowest_run[1]),
            .free_run_ns = Stopwatch::ns(lowest_run[0]),
            .alloc_step_ns = Stopwatch::ns(longest[1]),
            .free_step_ns = Stopwatch::ns(longest[0])};
  }

  std::optional<Timing> time_together(const PoolShape& pool, std::span<const Trace> traces,
                                      std::span<const int> cpus) const override {
    if constexpr (!kOwnLock) {
      return std::nullopt;
    } else {
      Site site = site_for(pool, traces.front());
      site.blocks = 0;
      for (const Trace& trace : traces) site.blocks += trace.slots;
      Peer peer{site};
      std::atomic<std::size_t> ready{0};
      using Clock = std::chrono::steady_clock;
      std::vector<Clock::time_point> ends(traces.size());
      std::vector<Clock::time_point> starts(traces.size());
      std::vector<double> had(traces.size());
      std::vector<std::thread> threads;
      constexpr int kPasses = 10;
      for (std::size_t i = 0; i < traces.size(); ++i) {
        threads.emplace_back([&, i] {
          pin(cpus[i]);
          this_processor = static_cast<std::uint32_t>(i);
          const Trace& trace = traces[i];
          std::vector<Seat<Peer>> seats(trace.slots);
          bench::play<Peer>(peer, trace.before, seats);
          ready.fetch_add(1);
          while (ready.load() != traces.size()) SpinLock::relax();
          starts[i] = Clock::now();
          const double from = thread_ns();
          for (int pass = 0; pass < (trace.cyclic ? kPasses : 1); ++pass) {
            bench::play<Peer>(peer, trace.steps, seats);
          }
          had[i] = thread_ns() - from;
          ends[i] = Clock::now();
          for (Seat<Peer>& seat : seats) {
            if (seat.taken) peer.give_back(seat.handle);
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      const std::chrono::duration<double, std::nano> passed =
          *std::ranges::max_element(ends) - *std::ranges::min_element(starts);
      const Trace& trace = traces.front();
      double sum = 0;
      for (const double ns : had) sum += ns;
      return Timing{.ns = sum / static_cast<double>(traces.size()),
                    .clock_ns = passed.count(),
                    .pairs = trace.pairs * (trace.cyclic ? kPasses : 1)};
    }
  }

  std::size_t metadata_bytes(const PoolShape& pool, const Trace& trace) const override {
    if constexpr (requires(const Peer& peer) { peer.metadata_bytes(); }) {
      return Table{pool, trace}.peer->metadata_bytes();
    } else {
      return 0;
    }
  }

 private:
  /// A peer with its blocks, all of which go back at the end.
  struct Table {
    Table(const PoolShape& pool, const Trace& trace)
        : peer{std::make_unique<Peer>(site_for(pool, trace))},
          seats(trace.slots),
          aligned{trace.aligned} {}
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;
    ~Table() {
      for (Seat<Peer>& seat : seats) {
        if (seat.taken) peer->give_back(seat.handle);
      }
    }

    void prepare(const Trace& trace) {
      play(trace.before);
      if (!trace.punched) return;
      std::uint32_t taken = 0;
      while (seats[taken].taken) ++taken;
      play(punch(taken));
    }

    std::size_t play(std::span<const Step> steps) {
      if constexpr (kAligns) {
        if (aligned) return bench::play<Peer, true>(*peer, steps, seats);
      }
      return bench::play<Peer>(*peer, steps, seats);
    }

    std::unique_ptr<Peer> peer;
    std::vector<Seat<Peer>> seats;
    bool aligned;
  };
};

/// Enters a peer. `kAligns` and `kOwnLock` are what the card is to say.
template <class Peer, bool kAligns = false, bool kOwnLock = false>
int enrol(Card card) {
  card.aligns = kAligns;
  card.own_lock = kOwnLock;
  contestants().push_back(std::make_unique<ContestantOf<Peer, kAligns, kOwnLock>>(card));
  return 0;
}

/// Enters a peer as it is for one thread, and behind a spin lock, as `locked_name`, for two.
template <class Peer, bool kAligns = false>
int enrol_both(const Card& card, std::string_view locked_name) {
  enrol<Peer, kAligns>(card);
  Card locked = card;
  locked.name = locked_name;
  locked.column += 500;
  locked.locked = true;
  return enrol<Locked<Peer>, kAligns, true>(locked);
}

}  // namespace carveout::bench
