#include "smallest_pool.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "carveout/core/size.hpp"
#include "carveout/pool/range_allocator.hpp"
#include "linux_pool.hpp"

namespace carveout::cli {

std::optional<std::uint64_t> LeastSearch::next() const {
  if (exhausted_ || next_ > most_) return std::nullopt;
  const bool known = did_ && (!failed_ || *did_ - *failed_ == 1);
  return known ? std::nullopt : std::optional{next_};
}

void LeastSearch::tell(bool did) {
  if (did) {
    did_ = next_;
  } else {
    failed_ = next_;
  }
  if (did_ && failed_) {
    next_ = *failed_ + (*did_ - *failed_) / 2;
  } else if (!did) {
    exhausted_ = next_ == most_;
    next_ += std::min(step_, most_ - next_);
    step_ *= 2;
  }
}

namespace {

/// Of a pool that is tried: tables with an entry for each of them have 1 GiB.
constexpr std::uint64_t kMostGranules = std::uint64_t{1} << 26;

/// What an allocation of the trace has in the pools that are tried.
struct Held {
  std::optional<Grant> grant;
  std::optional<std::uint64_t> linux_offset;
};

/// The part of the trace that comes to one pool, on a pool of a size that is tried.
class Trial {
 public:
  Trial(const PoolRecord& pool, const Demand& demand)
      : base_{pool.base},
        granule_{pool.granule_bytes},
        store_{store_for(demand.most_blocks + kSpareBlocks)},
        ours_{std::max<std::uint64_t>(demand.most_bytes / granule_, 1),
              std::min({kMostGranules, kLargestPoolBytes / granule_,
                        (std::numeric_limits<std::uint64_t>::max() - base_) / granule_})},
        in_linux_{std::max<std::uint64_t>(demand.most_bytes_in_linux / LinuxPool::kPageBytes, 1),
                  pool.in_linux ? LinuxPool::kMaxPages : 0} {}

  /// Makes the pools that are tried next. @return false where nothing is left to try.
  bool begin() {
    allocator_.reset();
    linux_.reset();
    if (const auto granules = ours_.next()) make(*granules * granule_);
    if (const auto pages = in_linux_.next()) linux_.emplace(*pages * LinuxPool::kPageBytes);
    return is_running();
  }
  void end() {
    if (ours_.next()) ours_.tell(allocator_.has_value());
    if (in_linux_.next()) in_linux_.tell(linux_.has_value());
  }
  /// Whether one of them has not refused yet.
  [[nodiscard]] bool is_running() const { return allocator_ || linux_; }

  void allocate(const TraceRequest& request, DmaAddr dma, Held& held) {
    held = {};
    if (allocator_) {
      // Of just the pool: requests of a device that sees all of it take the short way there, too.
      const Reach reach{range_.base, range_.last(), dma};
      const auto grant = allocator_->take({.size_bytes = request.size_bytes,
                                           .align_bytes = request.align_bytes,
                                           .context = request.context},
                                          std::span{&reach, 1});
      if (grant) held.grant = *grant;
      if (!grant) allocator_.reset();
    }
    if (linux_) {
      held.linux_offset = linux_->take(request.size_bytes);
      if (!held.linux_offset) linux_.reset();
    }
  }
  void give_back(const TraceRequest& request, const Held& held) {
    if (allocator_ && held.grant) {
      std::ignore = allocator_->give_back(held.grant->range, held.grant->tag, held.grant->serial);
    }
    if (linux_ && held.linux_offset) linux_->give_back(*held.linux_offset, request.size_bytes);
  }

  void report(PoolRecord& pool, const Demand& demand) const {
    const auto bytes = [](const LeastSearch& search, std::uint64_t unit) {
      const auto answer = search.answer();
      return answer ? std::optional{*answer * unit} : std::nullopt;
    };
    pool.smallest = {.at_least_bytes = demand.most_bytes, .bytes = bytes(ours_, granule_)};
    if (!pool.in_linux) return;
    pool.linux_smallest = {.at_least_bytes = demand.most_bytes_in_linux,
                           .bytes = bytes(in_linux_, LinuxPool::kPageBytes)};
  }

 private:
  void make(std::uint64_t size_bytes) {
    range_ = {PhysAddr{base_}, size_bytes};
    const std::size_t bytes = store_.storage_bytes(1, size_bytes / granule_);
    storage_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
    auto made =
        RangeAllocator::create(std::span{&range_, 1}, granule_, store_, {storage_.get(), bytes});
    if (made) allocator_.emplace(std::move(*made));
  }

  std::uint64_t base_;
  std::uint64_t granule_;
  TagStore store_;
  LeastSearch ours_;
  LeastSearch in_linux_;
  std::unique_ptr<std::byte[]> storage_;
  PhysRange range_{PhysAddr{0}, 0};          ///< of the allocator
  std::optional<RangeAllocator> allocator_;  ///< nothing: not tried, or it refused
  std::optional<LinuxPool> linux_;
};

}  // namespace

void find_smallest(Trace& trace, FirstPools& first_pools, std::span<const Demand> demands,
                   std::span<PoolRecord> pools) {
  std::vector<Trial> trials;
  trials.reserve(pools.size());
  for (std::size_t i = 0; i < pools.size(); ++i) trials.emplace_back(pools[i], demands[i]);
  const auto any = [&](auto does) { return std::ranges::count_if(trials, does) != 0; };
  std::vector<Held> held;
  while (any([](Trial& trial) { return trial.begin(); })) {
    trace.rewind();
    held.clear();
    TraceStep step;
    while (trace.next(step)) {
      const auto& first = first_pools.of(step.request);
      if (!first || !is_sound(step.request)) continue;
      Trial& trial = trials[first->number];
      if (!trial.is_running()) continue;
      if (step.slot >= held.size()) held.resize(step.slot + 1);
      if (!step.is_alloc) {
        trial.give_back(step.request, held[step.slot]);
        held[step.slot] = {};
        continue;
      }
      trial.allocate(step.request, first->dma, held[step.slot]);
      if (!trial.is_running() && !any([](const Trial& each) { return each.is_running(); })) break;
    }
    for (Trial& trial : trials) trial.end();
  }
  for (std::size_t i = 0; i < pools.size(); ++i) {
    if (demands[i].most_blocks != 0) trials[i].report(pools[i], demands[i]);
  }
}

}  // namespace carveout::cli
