// The instructions of a single alloc and of a single free, state by state, in a small pool and in a
// large one: tools/worst-case.sh.
//
//   worst_case [--json] SMALL LARGE [short]     granules of the two pools
//
// short: plain requests on one processor.
//
// Each state is made at full speed, and the one call that counts is stepped through: the figure is
// the same in every run (tests/support/stepped.hpp).
//
// Exit status: 0, 1 where a pool's worst plain call differs by more than 20 % from the other's,
// 2 for bad arguments, 77 where processes may not be traced here.
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carveout/pool/range_allocator.hpp"
#include "carveout/port/no_machine.hpp"
#include "tests/support/stepped.hpp"

namespace carveout {
namespace {

constexpr std::uint64_t kGranule = 64;
constexpr std::uint64_t kBase = 0x4000'0000;
constexpr std::uint64_t kTop = std::numeric_limits<std::uint64_t>::max();
constexpr std::array kReaches{Reach{PhysAddr{0}, PhysAddr{kTop}, DmaAddr{0}}};

enum class Verb : std::uint8_t { alloc, free };

/// What the stepped process tells the one that steps.
struct Message {
  Verb verb;
  bool as_meant;  ///< the call was granted or refused, as the state is meant to make it
};

struct Count {
  std::uint64_t alloc = 0;
  std::uint64_t free = 0;
  bool as_meant = true;
};

// ---- in the stepped process --------------------------------------------------------------------

[[gnu::noinline]] std::expected<Grant, Error> call_take(RangeAllocator& allocator, NoMachine& port,
                                                        const Need& need) {
  if (allocator.has_slots()) {
    const tables::BlockName taken = allocator.take_parked(need, kReaches, port);
    if (taken.serial != 0) return allocator.grant_of(taken, kReaches.front());
  }
  return allocator.take(need, kReaches);
}

[[gnu::noinline]] bool call_give_back(RangeAllocator& allocator, NoMachine& port, LockWord& lock,
                                      const Grant& grant) {
  if (allocator.has_slots()) {
    return allocator.give_back_shared(port, lock, grant.range, grant.tag, grant.serial) ==
           tables::Given::done;
  }
  return allocator.give_back(grant.range, grant.tag, grant.serial).has_value();
}

enum class Store : std::uint8_t { sparse, dense, sparse_slots, dense_slots };
constexpr std::array kStoreNames{"sparse", "dense", "sparse, 4 processors", "dense, 4 processors"};

/// A pool of whatever size, brought to a state. Lengths are in granules.
class Bench {
 public:
  Bench(std::uint64_t granules, Store store, Message& message)
      : granules_{granules}, store_{store}, message_{message} {
    const TagStore tags = tag_store();
    const std::size_t bytes = tags.storage_bytes(1, granules);
    void* const at =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) std::exit(1);
    const std::array chunks{PhysRange{PhysAddr{kBase}, granules * kGranule}};
    auto made = RangeAllocator::create(chunks, kGranule, tags,
                                       std::span{static_cast<std::byte*>(at), bytes});
    if (!made) std::exit(1);
    allocator_.emplace(std::move(*made));
  }

  [[nodiscard]] std::uint64_t granules() const { return granules_; }
  /// The longest block that is parked.
  [[nodiscard]] std::uint64_t park_most() const { return granules_ / 64; }
  /// How many blocks a state may have; the rest of the pool is one block.
  [[nodiscard]] std::uint64_t blocks() const {
    const bool dense = store_ == Store::dense || store_ == Store::dense_slots;
    return dense ? granules_ : std::min<std::uint64_t>(granules_, kSparseBlocks);
  }

  Grant take(std::uint64_t length) {
    const auto grant = call_take(*allocator_, port_, {.size_bytes = length * kGranule});
    if (!grant) std::exit(1);
    return *grant;
  }
  void give(const Grant& grant) {
    if (!call_give_back(*allocator_, port_, lock_, grant)) std::exit(1);
  }
  /// Merges what is parked.
  void merge_parked() {
    const auto all = call_take(*allocator_, port_, {.size_bytes = granules_ * kGranule});
    if (all) give(*all);
  }

  /// Runs of these lengths in the order of addresses, a taken granule behind each, and the rest
  /// taken as well.
  void make_runs(std::span<const std::uint64_t> lengths) {
    std::vector<Grant> runs;
    std::uint64_t left = granules_;
    for (const std::uint64_t length : lengths) {
      runs.push_back(take(length));
      take(1);
      left -= length + 1;
    }
    if (left != 0) take(left);
    for (const Grant& run : runs) give(run);
    merge_parked();
  }

  /// One granule each, and the rest in one block at the end.
  struct Single {
    std::uint32_t tag;
    std::uint32_t serial;
    std::uint64_t at;
  };
  std::vector<Single> take_singles() {
    std::vector<Single> singles(blocks() - 1);
    for (Single& single : singles) {
      const Grant grant = take(1);
      single = {grant.tag, grant.serial, grant.range.base.raw()};
    }
    take(granules_ - singles.size());
    return singles;
  }
  static Grant grant_of(const Single& single) {
    return {.range = {PhysAddr{single.at}, kGranule},
            .dma = DmaAddr{single.at},
            .tag = single.tag,
            .chunk = 0,
            .serial = single.serial};
  }

  /// Counts one call; whether it is granted is part of the state.
  std::optional<Grant> alloc(const Need& need, bool granted = true) {
    message_ = {Verb::alloc, true};
    stepped::bound();
    const auto grant = call_take(*allocator_, port_, need);
    stepped::bound();
    if (grant.has_value() != granted) message_.as_meant = false;
    return grant ? std::optional{*grant} : std::nullopt;
  }
  std::optional<Grant> alloc(std::uint64_t length, bool granted = true,
                             Context context = Context::may_wait) {
    return alloc({.size_bytes = length * kGranule, .context = context}, granted);
  }
  void free(const std::optional<Grant>& grant) {
    if (!grant) return;
    message_ = {Verb::free, true};
    stepped::bound();
    const bool given = call_give_back(*allocator_, port_, lock_, *grant);
    stepped::bound();
    if (!given) message_.as_meant = false;
  }

 private:
  static constexpr std::size_t kSparseBlocks = 60'000;

  [[nodiscard]] TagStore tag_store() const {
    switch (store_) {
      case Store::sparse:
        return TagStore::sparse(blocks());
      case Store::sparse_slots:
        return TagStore::sparse(blocks()).for_processors(4);
      case Store::dense_slots:
        return TagStore::dense().for_processors(4);
      default:
        return TagStore::dense();
    }
  }

  std::uint64_t granules_;
  Store store_;
  Message& message_;
  NoMachine port_;
  LockWord lock_;
  std::optional<RangeAllocator> allocator_;
};

// ---- the states --------------------------------------------------------------------------------

void empty(Bench& pool) { pool.free(pool.alloc(1)); }

void empty_long_block(Bench& pool) { pool.free(pool.alloc(pool.park_most() + 1)); }

void empty_whole(Bench& pool) { pool.free(pool.alloc(pool.granules())); }

void full_but_one(Bench& pool) {
  const auto singles = pool.take_singles();
  pool.give(Bench::grant_of(singles[singles.size() / 2]));
  pool.merge_parked();
  pool.free(pool.alloc(1));
}

void full(Bench& pool) {
  pool.take_singles();
  pool.alloc(1, false);
}

void comb(Bench& pool) {
  const auto singles = pool.take_singles();
  for (std::size_t i = 0; i < singles.size(); i += 2) pool.give(Bench::grant_of(singles[i]));
  pool.merge_parked();
  pool.free(pool.alloc(1));
  // Between two free granules, and drives out the one before.
  pool.free(Bench::grant_of(singles[101]));
  pool.free(Bench::grant_of(singles[201]));
  pool.alloc(3);
  pool.alloc(4, false);
}

/// W5 of the benchmarks: the same with a hole of two granules only at the end.
void adversary(Bench& pool) {
  const auto singles = pool.take_singles();
  const std::size_t last = singles.size() - 1;
  for (std::size_t i = 0; i + 2 < last; i += 2) pool.give(Bench::grant_of(singles[i]));
  pool.give(Bench::grant_of(singles[last]));
  pool.give(Bench::grant_of(singles[last - 1]));
  pool.merge_parked();
  pool.free(pool.alloc(2));
  pool.alloc(2);
}

/// So many runs of each class, as far as the pool goes.
std::vector<std::uint64_t> class_lengths(const Bench& pool, std::uint64_t of_each = 1) {
  std::vector<std::uint64_t> lengths;
  std::uint64_t used = 0;
  unsigned before = SizeClass::kCount;
  for (std::uint64_t length = 1;; ++length) {
    const unsigned size_class = SizeClass::of(static_cast<std::uint32_t>(length)).floor;
    if (size_class == before) continue;
    before = size_class;
    used += of_each * (length + 1);
    if (used + 2 > pool.granules()) return lengths;
    lengths.insert(lengths.end(), of_each, length);
    length += length / 17;
  }
}

void many_classes(Bench& pool) {
  const auto lengths = class_lengths(pool);
  pool.make_runs(lengths);
  for (const std::uint64_t length :
       {std::uint64_t{1}, std::uint64_t{7}, std::uint64_t{16}, std::uint64_t{17}, std::uint64_t{18},
        lengths.back() - 1, lengths.back()}) {
    pool.free(pool.alloc(length));
    pool.merge_parked();
  }
}

/// Of 18 granules: its class has runs of 17, and any number of them. What serves is two octaves
/// away.
void own_class_too_short(Bench& pool) {
  std::vector<std::uint64_t> lengths((pool.granules() - 80) / 36, 17);
  lengths.resize(std::min<std::size_t>(lengths.size(), pool.blocks() / 4));
  lengths.push_back(70);
  pool.make_runs(lengths);
  const auto one = pool.alloc(18);
  const auto other = pool.alloc(18, true, Context::must_not_wait);
  // Where they are short enough to be parked, the second drives out the first.
  pool.free(one);
  pool.free(other);
}

void own_class_too_short_refused(Bench& pool) {
  std::vector<std::uint64_t> lengths((pool.granules() - 80) / 36, 17);
  lengths.resize(std::min<std::size_t>(lengths.size(), pool.blocks() / 4));
  pool.make_runs(lengths);
  pool.alloc(18, false, Context::must_not_wait);
}

void parked_hit(Bench& pool) {
  pool.give(pool.take(3));
  pool.free(pool.alloc(3));
}

void parked_miss(Bench& pool) {
  const Grant other = pool.take(3);
  pool.take(1);
  pool.give(other);
  pool.free(pool.alloc(2));
}

/// A free that drives a block out which joins the only runs of two classes.
void parked_between_two_runs(Bench& pool) {
  const Grant before = pool.take(3);
  const Grant middle = pool.take(1);
  const Grant behind = pool.take(5);
  pool.take(1);
  const Grant other = pool.take(2);
  pool.take(1);
  pool.give(before);
  pool.give(behind);
  pool.merge_parked();
  pool.give(middle);
  pool.free(other);
}

/// A long block that joins them itself.
void long_block_between_two_runs(Bench& pool) {
  const std::uint64_t length = pool.park_most() + 1;
  const Grant before = pool.take(3);
  const Grant middle = pool.take(length);
  const Grant behind = pool.take(5);
  pool.take(1);
  pool.give(before);
  pool.give(behind);
  pool.merge_parked();
  pool.free(middle);
}

/// Nothing would do, but for what is parked: one with the runs on both sides of it. And there are
/// two runs in the own class that are too short.
void only_what_is_parked(Bench& pool) {
  std::array<Grant, 2> shorts{pool.take(17), pool.take(1)};
  shorts[1] = pool.take(17);
  pool.take(1);
  const Grant before = pool.take(8);
  const Grant middle = pool.take(3);
  const Grant behind = pool.take(9);
  pool.take(1);
  pool.take(pool.granules() - 2 * 18 - 21);
  pool.give(shorts[0]);
  pool.give(shorts[1]);
  pool.give(before);
  pool.give(behind);
  pool.merge_parked();
  pool.give(middle);
  pool.alloc(18);
}

// A constrained request, of who must not wait, looks at four runs of each class.

void aligned_in_empty(Bench& pool) {
  pool.take(1);
  pool.free(pool.alloc(
      {.size_bytes = kGranule, .align_bytes = 16 * kGranule, .context = Context::must_not_wait}));
}

void bounded_in_empty(Bench& pool) {
  pool.take(1);
  pool.free(pool.alloc({.size_bytes = 3 * kGranule,
                        .boundary_bytes = 4 * kGranule,
                        .context = Context::must_not_wait}));
}

void aligned_in_comb(Bench& pool) {
  const auto singles = pool.take_singles();
  for (std::size_t i = 1; i < singles.size(); i += 2) pool.give(Bench::grant_of(singles[i]));
  pool.alloc(
      {.size_bytes = kGranule, .align_bytes = 64 * kGranule, .context = Context::must_not_wait},
      false);
}

/// Four runs in each class that would not do: the bound, as far as a pool of this size has classes.
void refused_in_many_classes(Bench& pool) {
  pool.make_runs(class_lengths(pool, 4));
  pool.alloc({.size_bytes = kGranule,
              .align_bytes = std::uint64_t{1} << 40,
              .context = Context::must_not_wait},
             false);
}

struct State {
  const char* name;
  void (*play)(Bench&);
  bool plain;  ///< judged: default requests; what is constrained has a bound by classes
};

constexpr std::array kStates{
    State{"empty", empty, true},
    State{"empty, a block too long to park", empty_long_block, true},
    State{"empty, the whole pool", empty_whole, true},
    State{"all single granules taken but one", full_but_one, true},
    State{"all single granules taken", full, true},
    State{"comb: every other granule free", comb, true},
    State{"W5: comb, two granules at the end", adversary, true},
    State{"a run in each class", many_classes, true},
    State{"own class full of runs too short", own_class_too_short, true},
    State{"the same, refused, must not wait", own_class_too_short_refused, true},
    State{"parked: of the length", parked_hit, true},
    State{"parked: of another length", parked_miss, true},
    State{"parked: between two runs, driven out", parked_between_two_runs, true},
    State{"a long block between two runs", long_block_between_two_runs, true},
    State{"nothing but what is parked", only_what_is_parked, true},
    State{"alignment, must not wait: empty", aligned_in_empty, false},
    State{"boundary, must not wait: empty", bounded_in_empty, false},
    State{"alignment, must not wait: comb, refused", aligned_in_comb, false},
    State{"alignment, must not wait: 4 of each class", refused_in_many_classes, false},
};

// ---- in the process that steps -----------------------------------------------------------------

/// The worst calls of one state; nothing where processes may not be traced.
std::optional<Count> counted(std::uint64_t granules, Store store, void (*play)(Bench&)) {
  void* const shared =
      mmap(nullptr, sizeof(Message), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return std::nullopt;
  Message& message = *::new (shared) Message{};
  Count count;
  const auto status = stepped::count(
      [&] {
        {
          Bench pool{granules, store, message};
          play(pool);
        }
        return message.as_meant ? 0 : 1;
      },
      [&](std::size_t /*stretch*/, std::uint64_t instructions) {
        std::uint64_t& worst = message.verb == Verb::alloc ? count.alloc : count.free;
        worst = std::max(worst, instructions);
      });
  munmap(shared, sizeof(Message));
  if (!status) return std::nullopt;
  count.as_meant = *status == 0;
  return count;
}

bool within_a_fifth(std::uint64_t one, std::uint64_t other) {
  return std::max(one, other) * 5 <= std::min(one, other) * 6;
}

int run(bool json, const std::array<std::uint64_t, 2>& granules, std::span<const Store> stores,
        bool all_states) {
  bool good = true;
  std::string rows;
  for (const Store store : stores) {
    const char* const store_name = kStoreNames[static_cast<std::size_t>(store)];
    std::array<Count, 2> worst{};
    if (!json) {
      std::printf("%s\n%-48s %21s %21s\n%-48s %10llu %10llu %10llu %10llu\n", store_name, "",
                  "alloc", "free", "granules", static_cast<unsigned long long>(granules[0]),
                  static_cast<unsigned long long>(granules[1]),
                  static_cast<unsigned long long>(granules[0]),
                  static_cast<unsigned long long>(granules[1]));
    }
    const auto print = [&](const char* name, const std::array<Count, 2>& of) {
      std::array<std::string, 4> cells{std::to_string(of[0].alloc), std::to_string(of[1].alloc),
                                       std::to_string(of[0].free), std::to_string(of[1].free)};
      for (std::string& cell : cells) {
        if (cell == "0") cell = json ? "null" : "-";
      }
      if (json) {
        for (std::size_t i = 0; i < 2; ++i) {
          rows += std::string{rows.empty() ? "" : ","} + "{\"pool\":\"" +
                  std::to_string(granules[i]) + "\",\"workload\":\"" + name +
                  "\",\"peer\":\"carveout " + store_name + "\",\"instructions_alloc\":" + cells[i] +
                  ",\"instructions_free\":" + cells[i + 2] + "}";
        }
      } else {
        std::printf("%-48s %10s %10s %10s %10s\n", name, cells[0].c_str(), cells[1].c_str(),
                    cells[2].c_str(), cells[3].c_str());
      }
    };
    const bool slots = store == Store::dense_slots || store == Store::sparse_slots;
    for (const State& state : kStates) {
      if (!state.plain && (slots || !all_states)) continue;  // these go past the slots
      std::array<Count, 2> counts{};
      for (std::size_t i = 0; i < 2; ++i) {
        const auto count = counted(granules[i], store, state.play);
        if (!count) {
          std::fprintf(stderr, "worst_case: processes may not be traced here\n");
          return stepped::kNotTraced;
        }
        counts[i] = *count;
        if (!count->as_meant) {
          std::fprintf(stderr, "worst_case: %s, %s: not the state that is meant\n", store_name,
                       state.name);
          good = false;
        }
        if (!state.plain) continue;
        worst[i].alloc = std::max(worst[i].alloc, count->alloc);
        worst[i].free = std::max(worst[i].free, count->free);
      }
      print(state.name, counts);
      std::fflush(stdout);
    }
    print("worst of the plain ones", worst);
    if (!within_a_fifth(worst[0].alloc, worst[1].alloc) ||
        !within_a_fifth(worst[0].free, worst[1].free)) {
      std::fprintf(stderr, "worst_case: %s: the pools differ by more than 20 %%\n", store_name);
      good = false;
    }
  }
  if (json) std::printf("[%s]\n", rows.c_str());
  return good ? 0 : 1;
}

}  // namespace
}  // namespace carveout

int main(int argc, char** argv) {
  const bool json = argc > 1 && std::string_view{argv[1]} == "--json";
  const int first = json ? 2 : 1;
  if (argc < first + 2 || argc > first + 3) return 2;
  const std::array<std::uint64_t, 2> granules{std::strtoull(argv[first], nullptr, 10),
                                              std::strtoull(argv[first + 1], nullptr, 10)};
  if (granules[0] < 1024 || granules[1] < 1024) return 2;
  const bool all = argc == first + 2;
  if (!all && std::string_view{argv[first + 2]} != "short") return 2;
  using carveout::Store;
  constexpr std::array kStores{Store::dense, Store::sparse, Store::dense_slots,
                               Store::sparse_slots};
  return carveout::run(json, granules, std::span{kStores}.first(all ? 4 : 2), all);
}
