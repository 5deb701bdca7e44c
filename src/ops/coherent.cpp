#include "carveout/ops/coherent.hpp"

#include <algorithm>

#include "carveout/core/size.hpp"
#include "carveout/ops/refusal.hpp"
#include "carveout/pool/lent.hpp"
#include "prepare.hpp"

namespace carveout {

using detail::failed;

namespace {

/// Checks what no pool has to be asked for.
std::optional<Error> malformed(std::uint64_t size_bytes, const Options& options) {
  if (contradiction_in(options.attributes) != Attributes::none) return Error::bad_attributes;
  if (size_bytes == 0) return Error::zero_size;
  if (!is_power_of_two(options.align_bytes)) return Error::bad_alignment;
  if (options.boundary_bytes == 0) return std::nullopt;
  if (!is_power_of_two(options.boundary_bytes)) return Error::bad_boundary;
  if (size_bytes > options.boundary_bytes) return Error::crosses_boundary;
  return std::nullopt;
}

/// With what the options state that is to blame.
std::unexpected<Failure> failed_by(const Options& options, Error code, std::uint64_t size_bytes) {
  Failure failure{.code = code, .pool = options.pool.name, .asked_bytes = size_bytes};
  switch (code) {
    case Error::bad_alignment:
      failure.stated = options.align_bytes;
      break;
    case Error::bad_boundary:
    case Error::crosses_boundary:
      failure.stated = options.boundary_bytes;
      break;
    case Error::unknown_pool:
      failure.stated = options.pool.index;
      break;
    case Error::bad_attributes:
      failure.stated = static_cast<std::uint32_t>(contradiction_in(options.attributes));
      break;
    default:
      break;
  }
  return std::unexpected{failure};
}

Result<Block> take(const Candidate& candidate, const Device& device, std::uint64_t size_bytes,
                   const Options& options) {
  const Need need{.size_bytes = size_bytes,
                  .align_bytes = options.align_bytes,
                  .boundary_bytes = options.boundary_bytes,
                  .holder = device.id,
                  .context = options.context};
  Pool& pool = *candidate.pool;
  return pool.reclaim() == nullptr ? pool.take(need, candidate.reaches, candidate.view)
                                   : take_reclaiming(pool, need, candidate.reaches, candidate.view);
}

/// How large the atomic pool would have had to be: all pieces of it that were tried, together.
class AtomicNeed {
 public:
  void note(const Candidate& candidate, Failure& failure) {
    if (candidate.role != Role::atomic || failure.code != Error::exhausted) return;
    std::uint64_t bytes = 0;
    for (const Chunk& chunk : candidate.pool->chunks()) bytes += chunk.range.size_bytes;
    total_ += bytes;
    in_use_ += bytes - failure.free_bytes;
    const auto needed = checked_add(in_use_, failure.asked_bytes);
    if (needed && *needed > total_) failure.needed_bytes = *needed;
  }

 private:
  std::uint64_t total_ = 0;
  std::uint64_t in_use_ = 0;
};

/// Zeroes with aligned stores of one machine word: memory that is not cached may be of a kind that
/// faults on anything else. Blocks are whole granules, and so whole words.
void zero(std::byte* at, std::uint64_t size_bytes) {
  auto* word = static_cast<volatile std::uintptr_t*>(static_cast<void*>(at));
  for (std::uint64_t done = 0; done < size_bytes; done += sizeof(std::uintptr_t)) *word++ = 0;
}

}  // namespace

void detail::prepare(Block& block, View view, Attributes attributes, bool caches_seen) {
  const Pool& pool = *block.pool;
  const PortRef port = pool.port();
  const auto size_bytes =
      static_cast<std::size_t>(block.size_bytes);  // it has a CPU view, so it fits
  const bool unmapped = has(attributes, Attributes::no_cpu_mapping);
  std::byte* const uncached = pool.pointer(block, View::uncached);
  std::byte* const cached = pool.pointer(block, View::cached);
  const bool past_the_cache = uncached != nullptr;

  // A line of an earlier use, written back later, would land on top of what is put there next.
  if (cached != nullptr && (unmapped || past_the_cache)) port.clean_invalidate(cached, size_bytes);
  if (!unmapped && !has(attributes, Attributes::uninitialized)) {
    zero(past_the_cache ? uncached : cached, block.size_bytes);
  }
  // Memory that is zeroed through the cache has its zeroes there, besides lines of earlier uses: a
  // sync table may do nothing before a device writes, so none may wait to be written back over it.
  const bool left_in_cache = cached != nullptr && !past_the_cache && !unmapped;
  if (left_in_cache && !caches_seen) port.clean_invalidate(cached, size_bytes);
  port.publish_barrier();
  // What speculation fetched before the zeroes arrived is stale.
  if (view == View::cached && cached != nullptr && past_the_cache && !unmapped) {
    port.invalidate(cached, size_bytes);
  }
  if (unmapped) block.cpu = nullptr;
}

namespace {

/// A page of a block pool, whose blocks are used through the view that it has.
template <bool caches_seen>
void prepare_page(const Block& page) {
  Block block = page;
  const bool cached = page.cpu == page.pool->pointer(page, View::cached);
  detail::prepare(block, cached ? View::cached : View::uncached, Attributes::none, caches_seen);
}

/// Why a candidate that is open cannot serve after all, before its pool is asked.
std::optional<Error> why_not(const Candidate& candidate, const Device& device) {
  const bool own = candidate.role == Role::device || candidate.role == Role::contiguous_device;
  if (device.behind_iommu && !own) return Error::needs_iommu;
  if (candidate.pool == nullptr || device.roles->described_only) return Error::no_pool;
  return std::nullopt;
}

/// Takes from one candidate, and makes it fit for use.
Result<Block> alloc_from(const Candidate& candidate, const Device& device, std::uint64_t size_bytes,
                         const Options& options) {
  if (const auto error = why_not(candidate, device))
    return failed(*error, size_bytes, candidate.pool_name);
  auto block = take(candidate, device, size_bytes, options);
  if (block) detail::prepare(*block, candidate.view, options.attributes, device.coherent);
  return block;
}

using Route = std::optional<Error>(const Device&, const Options&, CandidateSink);

/// Whether another pool may stand in: where this one is full, and for no other reason.
bool is_full(Error error) { return error == Error::exhausted || error == Error::table_full; }

/// Walks a route until `serve` is served by a candidate, or refused for good.
template <class T, class Serve>
Result<T> along(Route walk, const Device& device, std::uint64_t size_bytes, const Options& options,
                Serve serve, FunctionRef<void(const Candidate&)> log) {
  if (const auto error = malformed(size_bytes, options))
    return failed_by(options, *error, size_bytes);
  Result<T> result = failed(Error::no_pool, size_bytes);
  AtomicNeed atomic;
  const auto bad_choice = walk(device, options, [&](Candidate candidate) {
    if (candidate.verdict == Verdict::open) {
      result = serve(candidate);
      if (!result) {
        atomic.note(candidate, result.error());
        candidate.error = result.error().code;
        candidate.reason = Reason::refused;
      }
      candidate.verdict = result ? Verdict::taken : Verdict::refused;
      log(candidate);
      // Exhaustion is final, and only pools of one role stand in for each other: the memory behind
      // them would change where the device's data lies. Unless the board said so, as a fallback.
      const bool full = !result && is_full(result.error().code);
      return full && candidate.has_stand_in ? Step::next : Step::stop;
    }
    if (candidate.verdict == Verdict::refused) {
      result = failed(*candidate.error, size_bytes, candidate.pool_name);
    }
    log(candidate);
    return Step::next;
  });
  if (bad_choice) return failed_by(options, *bad_choice, size_bytes);
  return result;
}

Result<Block> alloc_along(Route walk, const Device& device, std::uint64_t size_bytes,
                          const Options& options) {
  auto block = along<Block>(
      walk, device, size_bytes, options,
      [&](const Candidate& candidate) {
        return alloc_from(candidate, device, size_bytes, options);
      },
      [](const Candidate&) {});
  if (!block) return refused(device, options.attributes, block.error());
  return block;
}

/// The longest stretch of ordinary memory elsewhere. Whoever manages it decides how much of that is
/// to be had.
std::uint64_t largest_elsewhere(const Device& device) {
  std::uint64_t largest = 0;
  for (const PhysRange& range : device.roles->ordinary_elsewhere) {
    largest = std::max(largest, range.size_bytes);
  }
  return largest;
}

/// A route of one role alone.
template <Role role>
std::optional<Error> only(const Device& device, const Options& options, CandidateSink each) {
  each(candidate_for(role, device, options));
  return std::nullopt;
}

}  // namespace

Result<Block> alloc_coherent(const Device& device, std::uint64_t size_bytes,
                             const Options& options) {
  return alloc_along(route, device, size_bytes, options);
}

Result<Block> alloc_from_device_pool(const Device& device, std::uint64_t size_bytes,
                                     const Options& options) {
  return alloc_along(route_own_pools, device, size_bytes, options);
}

Result<Block> alloc_from_default_pool(const Device& device, std::uint64_t size_bytes,
                                      const Options& options) {
  return alloc_along(only<Role::default_pool>, device, size_bytes, options);
}

Result<Block> alloc_from_default_contiguous(const Device& device, std::uint64_t size_bytes,
                                            const Options& options) {
  return alloc_along(only<Role::contiguous_default>, device, size_bytes, options);
}

Result<Taken> take_by_route(const Device& device, std::uint64_t size_bytes, const Options& options,
                            FunctionRef<void(const Candidate&)> log) {
  return along<Taken>(
      route, device, size_bytes, options,
      [&](const Candidate& candidate) -> Result<Taken> {
        if (candidate.pool == nullptr) {
          const std::uint64_t largest = largest_elsewhere(device);
          if (size_bytes <= largest) return Taken{.role = candidate.role, .block = std::nullopt};
          return std::unexpected{Failure{.code = Error::exhausted,
                                         .asked_bytes = size_bytes,
                                         .free_bytes = largest,
                                         .largest_run_bytes = largest}};
        }
        auto block = take(candidate, device, size_bytes, options);
        if (!block) return std::unexpected{block.error()};
        Taken taken{.role = candidate.role, .block = std::nullopt};
        taken.block = *block;
        return taken;
      },
      log);
}

Result<BlockPool> create_block_pool(const Device& device, BlockPool::Settings settings,
                                    std::span<std::byte> storage, const Options& options) {
  const auto refuse_it = [&](const Failure& failure) {
    return refused(device, options.attributes, failure);
  };
  if (has(options.attributes, Attributes::no_cpu_mapping)) {
    return refuse_it({.code = Error::bad_attributes,
                      .asked_bytes = settings.size_bytes,
                      .stated = static_cast<std::uint32_t>(Attributes::no_cpu_mapping)});
  }
  const auto from = along<Candidate>(
      route, device, settings.size_bytes, options,
      [&](const Candidate& candidate) -> Result<Candidate> {
        if (const auto error = why_not(candidate, device))
          return failed(*error, settings.size_bytes, candidate.pool_name);
        return candidate;
      },
      [](const Candidate&) {});
  if (!from) return refuse_it(from.error());
  settings.holder = device.id;
  settings.prepare_page = device.coherent ? prepare_page<true> : prepare_page<false>;
  auto made = BlockPool::create(settings, *from->pool, from->reaches, from->view, storage);
  if (!made) return refuse_it(made.error());
  return made;
}

Result<void> free_coherent(const Block& block) {
  auto freed = block.pool->give_back(block);
  if (!freed) return refused(*block.pool, freed.error());
  return freed;
}

}  // namespace carveout
