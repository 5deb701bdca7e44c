// Threads on one pool, for ThreadSanitizer: they take, use, pass on and give back blocks, and now
// and then two give back the same one. A block's bytes are plain memory, so if two owners are not
// in order, that is a race. In the end, the memory is whole again. The same on blocks of one size;
// and threads that go on until another one has closed the pool.
//
//   pool_stress THREADS STEPS
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "carveout/pool/block_pool.hpp"
#include "carveout/pool/pool.hpp"
#include "carveout/port/locks.hpp"
#include "carveout/port/no_machine.hpp"
#include "tests/support/audit.hpp"

namespace carveout {
namespace {

constexpr std::uint64_t kBase = 0x8000'0000;
constexpr std::uint64_t kGranule = 64;
constexpr std::uint64_t kGranules = 1024;  // blocks of sixteen and less are parked
constexpr std::size_t kBlocks = 200;
constexpr std::array kReaches{Reach{PhysAddr{0}, PhysAddr{~std::uint64_t{0}}, DmaAddr{0}}};

thread_local std::uint32_t this_processor = 0;

struct SystemMutex : std::mutex {
  static bool in_interrupt() noexcept { return false; }
};

/// A port with one of the usual locks.
template <class Lock, class Under>
struct ThreadPort : NoMachine {
  Under under;
  Lock lock_policy{under};

  [[nodiscard]] static std::uint32_t processor() noexcept { return this_processor; }
  LockState lock(LockWord& word) noexcept { return lock_policy.lock(word); }
  void unlock(LockWord& word, LockState state) noexcept { lock_policy.unlock(word, state); }
};

/// Where a thread leaves a block, and two may find it.
struct Table {
  std::mutex mutex;
  std::optional<Block> block;
};

template <class Port>
class Stress {
 public:
  Stress(TagStore store, unsigned threads)
      : storage_(store.storage_bytes(1, kGranules)),
        pool_{{.name = "stress",
               .memory = Memory::coherent,
               .granule_bytes = kGranule,
               .chunks = chunks_},
              port_,
              RangeAllocator{*RangeAllocator::create(ranges_, kGranule, store, storage_)}},
        threads_{threads} {}

  /// What is wrong; empty where nothing is.
  std::string run(unsigned steps) {
    together([this, steps](unsigned index) { work(index, steps); });
    for (Table& table : tables_) {
      if (table.block) give_back(*table.block);
    }
    if (wrong_ != 0) return std::to_string(wrong_) + " answers are wrong";
    if (taken_ != given_) return "another number was given back than taken";
    const Usage usage = pool_.usage();
    if (usage.used_bytes != 0 || usage.blocks != 0) return "something is still in use";
    if (usage.largest_run_bytes != kGranules * kGranule) return "the memory is not whole again";
    return "";
  }

  /// Threads on blocks of one size from the same pool.
  std::string run_blocks(unsigned steps) {
    const BlockPool::Settings settings{
        .size_bytes = kGranule, .page_bytes = 4 * kGranule, .most_pages = 4};
    std::vector<std::byte> storage(
        BlockPool::storage_bytes(*BlockPool::layout(settings), settings.most_pages));
    BlockPool blocks{*BlockPool::create(settings, pool_, kReaches, View::uncached, storage)};
    together([&](unsigned index) { work_on_blocks(blocks, index, steps); });
    if (wrong_ != 0) return std::to_string(wrong_) + " answers of the block pool are wrong";
    if (blocks.usage().blocks != 0) return "a block of one size is still in use";
    if (!blocks.close()) return "the block pool cannot be closed";
    return pool_.usage().used_bytes == 0 ? "" : "a page was not given back";
  }

  /// Threads take and give back until one of them finds a moment in which nothing is in use.
  std::string run_to_close() {
    std::atomic<bool> closed = false;
    together([&](unsigned index) {
      if (index == 0) {
        for (;;) {
          const auto done = pool_.close();
          if (done) break;
          if (done.error().code != Error::in_use) ++wrong_;
          std::this_thread::yield();
        }
        closed = true;
        return;
      }
      for (unsigned i = 0;; ++i) {
        const bool late = closed;
        const auto block = pool_.take({.size_bytes = (1 + i % 3) * kGranule, .holder = index},
                                      kReaches, View::uncached);
        if (!block) {
          if (block.error().code == Error::pool_gone) return;
          ++wrong_;
          continue;
        }
        if (late) ++wrong_;
        mark(*block, index);
        check(*block, index);
        // A pool with a live block is never closed.
        if (!pool_.give_back(*block)) ++wrong_;
        if (i % 16 == 0) std::this_thread::yield();
      }
    });
    if (wrong_ != 0) return std::to_string(wrong_) + " answers are wrong while it is closed";
    return pool_.usage().blocks == 0 ? "" : "it was closed with a block in use";
  }

  [[nodiscard]] unsigned taken() const { return taken_; }

 private:
  /// One thread for each index, each on a processor of that number.
  template <class Work>
  void together(Work work) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < threads_; ++i) {
      threads.emplace_back([&work, i] {
        this_processor = i;
        work(i);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  void work_on_blocks(BlockPool& blocks, unsigned index, unsigned steps) {
    std::mt19937 random{index + 1};
    std::vector<Block> mine;
    const auto give_last_back = [&] {
      check(mine.back(), index);
      if (!blocks.give_back(mine.back())) ++wrong_;
      const auto again = blocks.give_back(mine.back());
      if (again ||
          (again.error().code != Error::double_free && again.error().code != Error::stale_block)) {
        ++wrong_;
      }
      mine.pop_back();
    };
    for (unsigned i = 0; i < steps; ++i) {
      if (random() % 2 == 0 && !mine.empty()) {
        give_last_back();
      } else if (const auto block = blocks.take()) {
        mark(*block, index);
        mine.push_back(*block);
      } else if (block.error().code != Error::table_full) {
        ++wrong_;
      }
    }
    while (!mine.empty()) give_last_back();
  }

  void work(unsigned index, unsigned steps) {
    std::mt19937 random{index + 1};
    std::vector<Block> mine;
    for (unsigned i = 0; i < steps; ++i) {
      const auto die = random() % 16;
      if (die < 7 && mine.size() < 8) {
        const std::uint64_t granules = die == 0 ? 1 + random() % 40 : 1 + random() % 3;
        const auto block =
            pool_.take({.size_bytes = granules * kGranule,
                        .holder = index,
                        .context = i % 2 == 0 ? Context::may_wait : Context::must_not_wait},
                       kReaches, View::uncached);
        if (!block) {
          if (block.error().code != Error::exhausted && block.error().code != Error::table_full) {
            ++wrong_;
          }
          continue;
        }
        ++taken_;
        mark(*block, index);
        mine.push_back(*block);
      } else if (die == 15) {
        static_cast<void>(pool_.usage());
        static_cast<void>(pool_.any_holder());
      } else if (die >= 13) {
        exchange(tables_[random() % tables_.size()], mine, die == 14);
      } else if (!mine.empty()) {
        const std::size_t chosen = random() % mine.size();
        check(mine[chosen], index);
        if (!give_back(mine[chosen])) ++wrong_;
        mine[chosen] = mine.back();
        mine.pop_back();
      }
    }
    for (const Block& block : mine) {
      check(block, index);
      if (!give_back(block)) ++wrong_;
    }
  }

  /// Leaves a block for another thread, or gives back the one that lies there: for two who both
  /// leave it there, too, it is given back twice.
  void exchange(Table& table, std::vector<Block>& mine, bool twice) {
    std::optional<Block> found;
    {
      const std::lock_guard guard{table.mutex};
      found = table.block;
      if (!twice) table.block.reset();
      if (!found && !mine.empty()) {
        table.block = mine.back();
        mine.pop_back();
      }
    }
    if (found) give_back(*found);
  }

  bool give_back(const Block& block) {
    const auto done = pool_.give_back(block);
    if (done) {
      ++given_;
    } else if (done.error().code != Error::double_free && done.error().code != Error::stale_block) {
      ++wrong_;
    }
    return done.has_value();
  }

  void mark(const Block& block, unsigned owner) {
    for (std::uint64_t i = 0; i < block.size_bytes / kGranule; ++i) owner_of(block, i) = owner;
  }
  void check(const Block& block, unsigned owner) {
    for (std::uint64_t i = 0; i < block.size_bytes / kGranule; ++i) {
      if (owner_of(block, i) != owner) ++wrong_;
    }
  }
  unsigned& owner_of(const Block& block, std::uint64_t granule) {
    return owners_[(block.phys.raw() - kBase) / kGranule + granule];
  }

  std::array<PhysRange, 1> ranges_{PhysRange{PhysAddr{kBase}, kGranules* kGranule}};
  std::array<Chunk, 1> chunks_{Chunk{ranges_[0], nullptr, nullptr}};
  std::vector<std::byte> storage_;
  Port port_;
  Pool pool_;
  unsigned threads_;
  std::array<unsigned, kGranules> owners_{};
  std::array<Table, 4> tables_;
  std::atomic<unsigned> taken_ = 0;
  std::atomic<unsigned> given_ = 0;
  std::atomic<unsigned> wrong_ = 0;
};

int wrong = 0;

template <class Port>
void stress(const char* what, TagStore store, unsigned threads, unsigned steps) {
  Stress<Port> stress{store, threads};
  std::string fault = stress.run(steps);
  if (fault.empty()) fault = stress.run_blocks(steps);
  if (fault.empty()) fault = stress.run_to_close();
  std::printf("%u threads, %s: %u blocks, %s\n", threads, what, stress.taken(),
              fault.empty() ? "right" : fault.c_str());
  if (!fault.empty()) ++wrong;
}

}  // namespace
}  // namespace carveout

int main(int argc, char** argv) {
  using namespace carveout;
  if (argc != 3) return 2;
  const auto threads = static_cast<unsigned>(std::strtoul(argv[1], nullptr, 10));
  const auto steps = static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10));
  using Spin = ThreadPort<SpinLock<NoInterrupts>, NoInterrupts>;
  using Waiting = ThreadPort<Mutex<SystemMutex>, SystemMutex>;
  const StoreWithSerials sparse = TagStore::sparse(kBlocks);
  const StoreWithSerials dense = TagStore::dense();
  stress<Waiting>("sparse, a slot each, mutex", sparse.for_processors(threads), threads, steps);
  stress<Waiting>("dense, a slot each, mutex", dense.for_processors(threads), threads, steps);
  stress<Spin>("dense, two slots for all, spinning", dense.for_processors(2), threads, steps);
  stress<Spin>("sparse, two slots for all, spinning", sparse.for_processors(2), threads, steps);
  stress<Waiting>("sparse, no slots, mutex", sparse, threads, steps);
  return wrong == 0 ? 0 : 1;
}
