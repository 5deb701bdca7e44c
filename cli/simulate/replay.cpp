#include "replay.hpp"

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

#include "carveout/core/size.hpp"
#include "longest_run.hpp"

namespace carveout::cli {
namespace {

std::optional<LinuxPool> linux_pool_of(const Pool& pool) {
  const auto chunks = pool.chunks();
  const std::uint64_t bytes = chunks.front().range.size_bytes;
  const bool is_one = pool.memory() == Memory::coherent && chunks.size() == 1;
  if (!is_one || bytes / LinuxPool::kPageBytes > LinuxPool::kMaxPages) return std::nullopt;
  return LinuxPool{bytes};
}

}  // namespace

bool is_sound(const TraceRequest& request) {
  return request.size_bytes != 0 && request.size_bytes <= kLargestPoolBytes &&
         is_power_of_two(request.align_bytes);
}

Replay::Replay(const Trace& trace, Stage& stage, std::uint64_t end_ns)
    : trace_{trace},
      offline_{stage.offline},
      devices_{stage.devices},
      first_pools_{stage.first_pools},
      timeline_{trace.counts().first_ns, end_ns} {}

void Replay::add_records() {
  const auto pools = first_pools_.pools();
  while (result_.pools.size() < pools.size()) {
    const Pool& pool = *pools[result_.pools.size()];
    std::uint64_t bytes = 0;
    for (const Chunk& chunk : pool.chunks()) bytes += chunk.range.size_bytes;
    linux_.push_back(linux_pool_of(pool));
    demands_.emplace_back();
    result_.pools.push_back({.name = std::string{pool.name()},
                             .memory = pool.memory(),
                             .base = pool.chunks().front().range.base.raw(),
                             .size_bytes = bytes,
                             .granule_bytes = pool.granule_bytes(),
                             .roles = {},
                             .ours = {},
                             .least_run_bytes = longest_run(pool),
                             .in_linux = linux_.back() ? std::optional{Fill{}} : std::nullopt,
                             .linux_refusal = {},
                             .smallest = {},
                             .linux_smallest = {}});
  }
}

std::uint32_t Replay::number_of(const Pool& pool, Role role) {
  const std::uint32_t number = first_pools_.number_of(pool);
  add_records();
  auto& roles = result_.pools[number].roles;
  if (std::ranges::find(roles, role) == roles.end()) roles.push_back(role);
  return number;
}

void Replay::look(Period& period) {
  period.pools.resize(result_.pools.size());
  for (std::size_t i = 0; i < result_.pools.size(); ++i) {
    PoolRecord& record = result_.pools[i];
    const std::uint64_t run = longest_run(*first_pools_.pools()[i]);
    record.least_run_bytes = std::min(record.least_run_bytes, run);
    period.pools[i] = {
        .most_used_bytes = record.ours.used_bytes,
        .most_used_in_linux_bytes = record.in_linux ? record.in_linux->used_bytes : 0,
        .longest_run_bytes = run};
  }
}

void Replay::note(std::uint32_t pool) {
  const PoolRecord& record = result_.pools[pool];
  timeline_.note(pool, record.ours.used_bytes, record.in_linux ? record.in_linux->used_bytes : 0);
}

void Replay::demand(const TraceRequest& request, Held& held) {
  if (!is_sound(request)) return;
  Demand& demand = demands_[held.first];
  held.granules_bytes =
      align_up(request.size_bytes, result_.pools[held.first].granule_bytes).value_or(0);
  held.rounded_bytes = LinuxPool::rounded(request.size_bytes).value_or(0);
  demand.bytes += held.granules_bytes;
  demand.bytes_in_linux += held.rounded_bytes;
  ++demand.blocks;
  demand.most_bytes = std::max(demand.most_bytes, demand.bytes);
  demand.most_bytes_in_linux = std::max(demand.most_bytes_in_linux, demand.bytes_in_linux);
  demand.most_blocks = std::max(demand.most_blocks, demand.blocks);
}

void Replay::demand_no_more(const Held& held) {
  if (held.granules_bytes == 0) return;
  Demand& demand = demands_[held.first];
  demand.bytes -= held.granules_bytes;
  demand.bytes_in_linux -= held.rounded_bytes;
  --demand.blocks;
}

void Replay::in_linux(const TraceRequest& request, Held& held) {
  auto& pool = linux_[held.first];
  if (!pool) return;
  PoolRecord& record = result_.pools[held.first];
  held.linux_offset = pool->take(request.size_bytes);
  if (held.linux_offset) {
    record.in_linux->take(*LinuxPool::rounded(request.size_bytes), request.size_bytes, request);
    return;
  }
  ++record.in_linux->refused;
  if (record.linux_refusal) return;
  record.linux_refusal = {.time_ns = request.time_ns,
                          .line = request.line,
                          .asked_bytes = request.size_bytes,
                          .rounded_bytes = LinuxPool::rounded(request.size_bytes).value_or(0),
                          .free_bytes = pool->total_bytes() - pool->used_bytes(),
                          .largest_grant_bytes = pool->largest_grant_bytes()};
}

FirstFailure Replay::first_failure(const TraceStep& step, const Failure& failure) const {
  const TraceRequest& asked = step.request;
  FirstFailure first{.time_ns = asked.time_ns,
                     .line = asked.line,
                     .id = std::string{trace_.ids().id(step.slot)},
                     .device = asked.device,
                     .size_bytes = asked.size_bytes,
                     .align_bytes = asked.align_bytes,
                     .refused = RefusedRequest{failure},
                     .shares = {},
                     .blocks = {},
                     .more_blocks = 0};
  for (std::uint32_t slot = 0; slot < held_.size(); ++slot) {
    const Held& held = held_[slot];
    if (!held.block || held.block->pool->name() != failure.pool) continue;
    const TraceRequest& request = trace_.request(slot);
    first.blocks.push_back({.id = std::string{trace_.ids().id(slot)},
                            .device = request.device,
                            .phys = held.block->phys.raw(),
                            .size_bytes = held.block->size_bytes,
                            .asked_bytes = request.size_bytes,
                            .since_ns = request.time_ns,
                            .line = request.line});
    const std::uint32_t asker = devices_.asker_of[request.device];
    const auto share = std::ranges::find_if(first.shares, [&](const DeviceShare& other) {
      return devices_.asker_of[other.device] == asker;
    });
    if (share == first.shares.end()) {
      first.shares.push_back({request.device, 1, held.block->size_bytes});
    } else {
      ++share->blocks;
      share->bytes += held.block->size_bytes;
    }
  }
  std::ranges::sort(first.blocks, {}, &HeldBlock::phys);
  std::ranges::stable_sort(first.shares, std::ranges::greater{}, &DeviceShare::bytes);
  if (first.blocks.size() > kMaxHeld) {
    first.more_blocks = first.blocks.size() - kMaxHeld;
    first.blocks.erase(first.blocks.begin() + kMaxHeld, first.blocks.end());
  }
  return first;
}

void Replay::fail(const TraceStep& step, const Failure& failure, std::uint32_t first) {
  ++result_.failures;
  if (first != kNowhere) ++result_.pools[first].ours.refused;
  const auto counted = std::ranges::find(result_.failures_by_code, failure.code,
                                         &std::pair<Error, std::uint64_t>::first);
  if (counted == result_.failures_by_code.end()) {
    result_.failures_by_code.emplace_back(failure.code, 1);
  } else {
    ++counted->second;
  }
  for (PoolRecord& record : result_.pools) {
    if (failure.code != Error::exhausted || record.name != failure.pool) continue;
    record.least_run_bytes = std::min(record.least_run_bytes, failure.largest_run_bytes);
  }
  if (std::ranges::find(result_.refusals, failure.pool, &PoolRefusal::pool) ==
      result_.refusals.end()) {
    result_.refusals.push_back({.pool = std::string{failure.pool},
                                .code = failure.code,
                                .time_ns = step.request.time_ns,
                                .line = step.request.line,
                                .size_bytes = step.request.size_bytes});
  }
  if (!result_.first_failure) result_.first_failure = first_failure(step, failure);
}

/// What a request gets. The pool that its route comes to first is asked at once, because the route
/// is known; only a refusal is left to the walk, which asks there again and then goes on.
Result<Taken> Replay::take(const TraceRequest& request) const {
  const Device& device = device_of(request);
  if (const auto& first = first_pools_.of(request)) {
    auto block = first->pool->take({.size_bytes = request.size_bytes,
                                    .align_bytes = request.align_bytes,
                                    .holder = device.id,
                                    .context = request.context},
                                   first->reaches, first->view);
    if (block) return Taken{.role = first->role, .block = *block};
  }
  return take_by_route(device, request.size_bytes,
                       {.align_bytes = request.align_bytes,
                        .attributes = request.attributes,
                        .context = request.context},
                       [](const Candidate&) {});
}

bool Replay::allocate(const TraceStep& step, Held& held) {
  const TraceRequest& request = step.request;
  if (const auto& first = first_pools_.of(request)) {
    held.first = first->number;
    add_records();
    demand(request, held);
    in_linux(request, held);
  }
  const auto taken = take(request);
  if (!taken) {
    if (taken.error().code == Error::table_full) return false;
    fail(step, taken.error(), held.first);
  } else if (!taken->block) {
    ++result_.ordinary;
  } else {
    held.block = *taken->block;
    held.pool = number_of(*taken->block->pool, taken->role);
    result_.pools[held.pool].ours.take(held.block->size_bytes, request.size_bytes, request);
    note(held.pool);
  }
  if (held.first != kNowhere && held.first != held.pool) note(held.first);
  return true;
}

void Replay::release(const TraceStep& step, Held& held) {
  const std::uint64_t asked = step.request.size_bytes;
  demand_no_more(held);
  if (held.linux_offset) {
    linux_[held.first]->give_back(*held.linux_offset, asked);
    result_.pools[held.first].in_linux->give_back(*LinuxPool::rounded(asked), asked);
  }
  if (held.block) {
    result_.pools[held.pool].ours.give_back(held.block->size_bytes, asked);
    std::ignore = free_coherent(*held.block);
    held.block.reset();
  }
  held.linux_offset.reset();
  held.pool = held.first = kNowhere;
  held.granules_bytes = held.rounded_bytes = 0;
}

bool Replay::play(const TraceStep& step) {
  if (timeline_.is_due(step.request.time_ns)) {
    timeline_.reach(step.request.time_ns, [this](Period& period) { look(period); });
  }
  if (step.slot >= held_.size()) held_.resize(step.slot + 1);
  if (step.is_alloc) return allocate(step, held_[step.slot]);
  release(step, held_[step.slot]);
  return true;
}

Simulation Replay::finish() {
  result_.periods = timeline_.finish([this](Period& period) { look(period); });
  return std::move(result_);
}

}  // namespace carveout::cli
