// The range allocator and the naive pool side by side: every call goes to both, and every
// difference is a fault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "carveout/pool/range_allocator.hpp"
#include "tests/support/audit.hpp"
#include "tests/support/naive_pool.hpp"

namespace carveout::testing {

class JudgedPool {
 public:
  JudgedPool(std::span<const PhysRange> chunks, std::uint64_t granule_bytes, std::size_t blocks)
      : JudgedPool{chunks, granule_bytes, TagStore::sparse(blocks), blocks} {}

  /// @param blocks   the most that may live at once in this store.
  /// @param serials  whether the store keeps any.
  JudgedPool(std::span<const PhysRange> chunks, std::uint64_t granule_bytes, TagStore store,
             std::size_t blocks = std::numeric_limits<std::size_t>::max(), bool serials = true)
      : storage_(storage_bytes(chunks, granule_bytes, store)),
        allocator_{*RangeAllocator::create(chunks, granule_bytes, store, storage_)},
        naive_{chunks, granule_bytes, blocks, serials} {}

  /// A copy in the same state that shares nothing with this one.
  JudgedPool(const JudgedPool& other)
      : storage_(other.storage_.size()),
        allocator_{RangeAllocatorAudit::clone(other.allocator_, storage_)},
        naive_{other.naive_} {}
  JudgedPool& operator=(const JudgedPool&) = delete;

  /// Each verb answers what is wrong; empty where nothing is.
  std::string take(const Need& need, std::span<const Reach> reaches) {
    const auto before = RangeAllocatorAudit::snapshot(allocator_);
    const auto expected = naive_.find(need, reaches);
    const auto got = allocator_.take(need, reaches);
    taken_ = got.has_value();
    // What a bounded search may leave out, and whatever a caller left to the allocator.
    const bool bounded = need.context == Context::must_not_wait;
    if (got && !expected) return "granted, and should be " + name(expected.error());
    if (!got) {
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
    return judge();
  }

  std::string give_back(PhysRange range, std::uint32_t tag, std::uint32_t serial) {
    const auto before = RangeAllocatorAudit::snapshot(allocator_);
    const auto got = allocator_.give_back(range, tag, serial);
    return judge_return(naive_.give_back(range, tag, serial), got, before);
  }

  std::string give_back_at(PhysAddr first, std::uint64_t size_bytes) {
    const auto before = RangeAllocatorAudit::snapshot(allocator_);
    const auto got = allocator_.give_back_at(first, size_bytes);
    return judge_return(naive_.give_back_at(first, size_bytes), got, before);
  }

  /// The whole walk, and the walk's blocks against the naive pool's.
  [[nodiscard]] std::string judge() const {
    std::vector<RangeAllocatorAudit::Live> live;
    std::string fault = RangeAllocatorAudit::fault(allocator_, live);
    if (!fault.empty()) return fault;
    if (allocator_.usage() != naive_.usage()) return "the usage is wrong";
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
    return {};
  }

  [[nodiscard]] bool taken() const { return taken_; }  ///< whether the last take() was granted
  [[nodiscard]] const NaivePool& naive() const { return naive_; }
  [[nodiscard]] const RangeAllocator& allocator() const { return allocator_; }

 private:
  static std::size_t storage_bytes(std::span<const PhysRange> chunks, std::uint64_t granule_bytes,
                                   TagStore store) {
    std::uint64_t granules = 0;
    for (const PhysRange& chunk : chunks) granules += chunk.size_bytes / granule_bytes;
    return store.storage_bytes(chunks.size(), granules);
  }

  static std::string name(Error error) { return std::string{name_of(error)}; }

  [[nodiscard]] std::string unchanged(const RangeAllocatorAudit::Snapshot& before) const {
    return RangeAllocatorAudit::snapshot(allocator_) == before ? "" : "a refused call left a trace";
  }

  [[nodiscard]] std::string judge_return(std::optional<Error> expected,
                                         const std::expected<void, Error>& got,
                                         const RangeAllocatorAudit::Snapshot& before) const {
    const std::string want = expected ? name(*expected) : "success";
    const std::string have = got ? "success" : name(got.error());
    if (want != have) return "given back with " + have + " instead of " + want;
    return got ? judge() : unchanged(before);
  }

  std::vector<std::byte> storage_;
  RangeAllocator allocator_;
  NaivePool naive_;
  bool taken_ = false;
};

}  // namespace carveout::testing
