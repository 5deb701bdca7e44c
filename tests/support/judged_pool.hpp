// The range allocator and the naive pool side by side: every call goes to both, and every
// difference is a fault.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <expected>
#include <limits>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carveout/pool/range_allocator.hpp"
#include "carveout/port/no_machine.hpp"
#include "tests/support/audit.hpp"
#include "tests/support/naive_pool.hpp"

namespace carveout::testing {

/// When all that an allocator knows is compared with the naive pool and walked: after every call,
/// or only by judge(). What a call answers is compared in either case.
enum class Walk : std::uint8_t { each_step, when_told };

class JudgedPool {
 public:
  JudgedPool(std::span<const PhysRange> chunks, std::uint64_t granule_bytes, std::size_t blocks)
      : JudgedPool{chunks, granule_bytes, TagStore::sparse(blocks), blocks} {}

  /// @param store    with slots: every call is made as Pool makes it.
  /// @param blocks   the most that may live at once in this store.
  /// @param serials  whether the store keeps any.
  JudgedPool(std::span<const PhysRange> chunks, std::uint64_t granule_bytes, TagStore store,
             std::size_t blocks = std::numeric_limits<std::size_t>::max(), bool serials = true)
      : storage_{storage_bytes(chunks, granule_bytes, store)},
        allocator_{*RangeAllocator::create(chunks, granule_bytes, store, storage_.bytes())},
        naive_{chunks, granule_bytes, blocks, serials} {}

  /// A copy in the same state that shares nothing with this one.
  JudgedPool(const JudgedPool& other)
      : storage_{other.storage_.size()},
        allocator_{RangeAllocatorAudit::clone(other.allocator_, storage_.bytes())},
        naive_{other.naive_},
        port_{other.port_},
        most_used_bytes_{other.most_used_bytes_},
        walk_{other.walk_} {}
  JudgedPool& operator=(const JudgedPool&) = delete;
  ~JudgedPool() = default;

  void walk(Walk walk) { walk_ = walk; }
  /// Blocks up to this length are parked, whatever the size of the pool.
  void park_up_to(std::uint32_t granules) { RangeAllocatorAudit::park_up_to(allocator_, granules); }
  /// Which processor makes the calls that follow, and whether it may wait for the lock. For a store
  /// with slots.
  void runs_on(std::uint32_t processor, bool may_lock) {
    port_.number = processor;
    port_.may = may_lock;
  }

  /// Each verb answers what is wrong; empty where nothing is.
  std::string take(const Need& need, std::span<const Reach> reaches) {
    const auto before = shot();
    const auto expected = naive_.find(need, reaches);
    return judge_taken(need, reaches, before, expected, taken_as_pool_does(need, reaches));
  }

  std::string give_back(PhysRange range, std::uint32_t tag, std::uint32_t serial) {
    const auto before = shot();
    if (allocator_.has_slots()) {
      const auto got = given_back_as_pool_does(range, tag, serial);
      if (!port_.may) return judge_return(Error::would_wait, got, before);
      return judge_return(naive_.give_back(range, tag, serial), got, before);
    }
    const auto got = allocator_.give_back(range, tag, serial);
    return judge_return(naive_.give_back(range, tag, serial), got, before);
  }

  /// Not for a store with slots.
  std::string give_back_at(PhysAddr first, std::uint64_t size_bytes) {
    const auto before = shot();
    const auto got = allocator_.give_back_at(first, size_bytes);
    return judge_return(naive_.give_back_at(first, size_bytes), got, before);
  }

  /// The whole walk, and the walk's blocks against the naive pool's.
  [[nodiscard]] std::string judge() const {
    std::vector<RangeAllocatorAudit::Live> live;
    std::string fault = RangeAllocatorAudit::fault(allocator_, live);
    if (!fault.empty()) return fault;
    fault = fault_of_usage();
    if (!fault.empty()) return fault;
    if (live.size() != naive_.usage().blocks) return "a block is missing";
    for (const auto& block : live) {
      const auto found = naive_.given().find({block.tag, block.serial});
      if (found == naive_.given().end()) return "a block that nobody took";
      const NaivePool::Given& given = found->second;
      if (!given.live || given.range != block.range || given.chunk != block.chunk ||
          given.holder != block.holder) {
        return "a block is not as it was taken";
      }
    }
    const auto holder = allocator_.any_holder();
    if (holder.has_value() == live.empty()) return "any_holder() is wrong about anybody";
    if (holder && *holder != live.front().holder) return "any_holder() names another";
    return fault_of_visit(live);
  }

  [[nodiscard]] bool taken() const { return taken_; }  ///< whether the last take() was granted
  /// Why the last take() was to be refused by an exact search; nothing where it was not.
  [[nodiscard]] std::optional<Error> expected() const { return expected_; }
  [[nodiscard]] const NaivePool& naive() const { return naive_; }
  [[nodiscard]] const RangeAllocator& allocator() const { return allocator_; }

 private:
  /// As long as was asked for, so that the sanitizers see the end of it, and with slots in lines.
  class Storage {
   public:
    explicit Storage(std::size_t size)
        : at_{static_cast<std::byte*>(::operator new(size, kAlign))}, size_{size} {
      std::fill_n(at_, size_, std::byte{0xa5});
    }
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;
    ~Storage() { ::operator delete(at_, kAlign); }

    [[nodiscard]] std::span<std::byte> bytes() const { return {at_, size_}; }
    [[nodiscard]] std::size_t size() const { return size_; }

   private:
    static constexpr std::align_val_t kAlign{tables::Slot::kAlign};

    std::byte* at_;
    std::size_t size_;
  };

  /// Nobody else runs, but a lock that is taken twice is a deadlock on a board.
  struct Port : NoMachine {
    std::uint32_t number = 0;
    bool may = true;
    bool held = false;

    LockState lock(LockWord& /*word*/) noexcept {
      if (held || !may) std::abort();
      held = true;
      return 0;
    }
    void unlock(LockWord& /*word*/, LockState /*state*/) noexcept { held = false; }
    [[nodiscard]] bool may_lock() const noexcept { return may; }
    [[nodiscard]] std::uint32_t processor() const noexcept { return number; }
  };

  using Shot = std::optional<RangeAllocatorAudit::Snapshot>;

  static std::size_t storage_bytes(std::span<const PhysRange> chunks, std::uint64_t granule_bytes,
                                   TagStore store) {
    std::uint64_t granules = 0;
    for (const PhysRange& chunk : chunks) granules += chunk.size_bytes / granule_bytes;
    return store.storage_bytes(chunks.size(), granules);
  }

  static std::string name(Error error) { return std::string{name_of(error)}; }

  /// Calls `look` with a copy of the allocator, as callers see it: with nothing parked. What is
  /// parked in the allocator stays so.
  template <class Look>
  auto as_seen(Look look) const {
    const Storage storage{storage_.size()};
    RangeAllocator copy = RangeAllocatorAudit::clone(allocator_, storage.bytes());
    copy.collect();
    return look(copy);
  }

  [[nodiscard]] Shot shot() const {
    if (walk_ == Walk::when_told) return std::nullopt;
    return as_seen(RangeAllocatorAudit::snapshot);
  }

  std::expected<Grant, Error> taken_as_pool_does(const Need& need, std::span<const Reach> reaches) {
    if (allocator_.has_slots()) {
      const tables::BlockName taken = allocator_.take_parked(need, reaches, port_);
      if (taken.serial != 0) return allocator_.grant_of(taken, reaches.front());
      if (!port_.may) return std::unexpected{Error::would_wait};
    }
    return allocator_.take(need, reaches);
  }

  std::expected<void, Error> given_back_as_pool_does(PhysRange range, std::uint32_t tag,
                                                     std::uint32_t serial) {
    const auto given = allocator_.give_back_shared(PortRef{port_}, lock_, range, tag, serial);
    if (given == tables::Given::done) return {};
    if (given == tables::Given::would_wait || !port_.may) {
      return std::unexpected{Error::would_wait};
    }
    return std::unexpected{allocator_.why_refused(range, tag, serial)};
  }

  std::string judge_taken(const Need& need, std::span<const Reach> reaches, const Shot& before,
                          const std::expected<NaivePool::Place, Error>& expected,
                          const std::expected<Grant, Error>& got) {
    taken_ = got.has_value();
    expected_ = expected ? std::nullopt : std::optional{expected.error()};
    // What a bounded search may leave out, and whatever a caller left to the allocator.
    const bool bounded = need.context == Context::must_not_wait;
    if (got && !expected) return "granted, and should be " + name(expected.error());
    if (!got) {
      if (got.error() == Error::would_wait && allocator_.has_slots() && !port_.may) {
        return unchanged(before);
      }
      if (expected && bounded && is_promised(need, reaches)) {
        return "refused what a bounded search must find";
      }
      const Error exact = expected ? Error::exhausted : expected.error();
      if (expected && !bounded) return "refused with " + name(got.error()) + ", and there is room";
      if (got.error() != exact && !(bounded && got.error() == Error::exhausted)) {
        return "refused with " + name(got.error()) + " instead of " + name(exact);
      }
      return unchanged(before);
    }
    const auto reach = naive_.reach_of(need, reaches, *got);
    if (!reach) return "granted what does not fit the request, or is not free";
    if (!bounded) {
      if (*reach > expected->reach) return "granted from a later reach";
      if (need.fit != Fit::any) {
        if (got->range != expected->range) {
          return "granted at " + std::to_string(got->range.base.raw()) + " + " +
                 std::to_string(got->range.size_bytes) + " instead of " +
                 std::to_string(expected->range.base.raw()) + " + " +
                 std::to_string(expected->range.size_bytes);
        }
        if (got->dma != expected->dma) return "another device address";
        if (got->chunk != expected->chunk) return "another chunk";
      }
    }
    if (got->serial == 0) return "serial 0";
    if (!naive_.take(*got, need.holder)) return "a tag and serial that were given before";
    return judge_step();
  }

  /// Whether the longest free run is of the class that is guaranteed even to who does not wait: the
  /// length, and 1/16 where it is over 16 granules; with an alignment, as much more as that is.
  [[nodiscard]] bool is_promised(const Need& need, std::span<const Reach> reaches) const {
    const bool plain = need.fit == Fit::any && need.boundary_bytes == 0 && !reaches.empty() &&
                       reaches[0].dma.raw() == reaches[0].first.raw();
    if (!plain || !naive_.reaches_all(reaches[0]) || naive_.full()) return false;
    const std::uint64_t granule = allocator_.granule_bytes();
    Wide granules = (Wide{need.size_bytes} + granule - 1) / granule;
    if (need.align_bytes > granule) granules += need.align_bytes / granule - 1;
    if (granules > 16) granules += (granules + 15) / 16;
    return granules * granule <= naive_.usage().largest_run_bytes;
  }

  [[nodiscard]] std::string judge_return(std::optional<Error> expected,
                                         const std::expected<void, Error>& got,
                                         const Shot& before) {
    const std::string want = expected ? name(*expected) : "success";
    const std::string have = got ? "success" : name(got.error());
    if (want != have) return "given back with " + have + " instead of " + want;
    return got ? judge_step() : unchanged(before);
  }

  std::string judge_step() {
    if (port_.held) return "the lock was not released";
    most_used_bytes_ =
        std::max(most_used_bytes_, RangeAllocatorAudit::used_bytes_with_parked(allocator_));
    return walk_ == Walk::each_step ? judge() : "";
  }

  [[nodiscard]] std::string unchanged(const Shot& before) const {
    return shot() == before ? "" : "a refused call left a trace";
  }

  [[nodiscard]] std::string fault_of_usage() const {
    Usage usage = as_seen([](const RangeAllocator& seen) { return seen.usage(); });
    const Usage naive = naive_.usage();
    if (allocator_.has_slots()) {
      // What other processors have parked counts as used in the peak.
      if (usage.peak_bytes < naive.peak_bytes || usage.peak_bytes > most_used_bytes_) {
        return "the peak is wrong";
      }
      usage.peak_bytes = naive.peak_bytes;
    }
    return usage == naive ? "" : "the usage is wrong";
  }

  [[nodiscard]] std::string fault_of_visit(
      const std::vector<RangeAllocatorAudit::Live>& live) const {
    std::size_t seen = 0;
    bool same = true;
    allocator_.visit([&](const Held& held) {
      same = same && seen < live.size() && held.range == live[seen].range &&
             held.holder == live[seen].holder;
      ++seen;
    });
    if (!same || seen != live.size()) return "visit() shows what does not live";
    if (allocator_.free_runs() != RangeAllocatorAudit::free_runs(allocator_)) {
      return "the free runs are counted wrong";
    }
    return {};
  }

  Storage storage_;
  RangeAllocator allocator_;
  NaivePool naive_;
  Port port_;
  LockWord lock_;
  std::uint64_t most_used_bytes_ = 0;
  Walk walk_ = Walk::each_step;
  bool taken_ = false;
  std::optional<Error> expected_;
};

}  // namespace carveout::testing
