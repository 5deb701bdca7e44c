// `simulate` for programs: schema carveout.simulate/1.
#include <utility>

#include "page.hpp"
#include "simulation.hpp"

namespace carveout::cli {
namespace {

std::string_view name_of(Memory memory) {
  switch (memory) {
    case Memory::coherent:
      return "coherent";
    case Memory::contiguous:
      return "contiguous";
    case Memory::bounce:
      return "bounce";
    case Memory::ordinary:
      break;
  }
  return "ordinary";
}

void write_trace(JsonText& json, const Simulation& simulation) {
  const TraceCounts& counts = simulation.counts;
  json.key("trace").open('{').key("source").string(simulation.trace);
  json.key("form").string(simulation.form == TraceForm::csv ? "csv" : "kernel");
  json.key("allocations").number(counts.allocations);
  json.key("frees").number(counts.frees);
  json.key("never_freed").number(simulation.never_freed);
  json.key("most_live").number(counts.most_live);
  json.key("first_ns").number(counts.first_ns);
  json.key("last_ns").number(counts.last_ns);
  json.key("other_events").number(counts.other_events);
  json.key("freed_unseen").number(counts.freed_unseen);
  json.key("refused_when_recorded").number(counts.refused_before);
  json.key("devices").open('[');
  for (const std::string& device : simulation.devices) json.string(device);
  json.close(']').close('}');
}

void write_fill(JsonText& json, const Fill& fill) {
  json.key("granted").number(fill.granted);
  json.key("refused").number(fill.refused);
  json.key("peak").hex(fill.peak_bytes);
  json.key("peak_asked").hex(fill.asked_at_peak_bytes);
  json.key("peak_ns").number(fill.peak_ns);
  json.key("peak_line").number(fill.peak_line);
  json.key("used_at_end").hex(fill.used_bytes);
}

void write_smallest(JsonText& json, const std::optional<Smallest>& smallest) {
  json.key("smallest");
  if (!smallest) {
    json.null();
    return;
  }
  json.open('{').key("at_least").hex(smallest->at_least_bytes);
  hex_or_null(json, "size", smallest->bytes);
  json.close('}');
}

void write_linux(JsonText& json, const PoolRecord& pool) {
  json.key("linux");
  if (!pool.in_linux) {
    json.null();
    return;
  }
  json.open('{');
  write_fill(json, *pool.in_linux);
  json.key("first_refused");
  if (const auto& refusal = pool.linux_refusal) {
    json.open('{').key("time_ns").number(refusal->time_ns).key("line").number(refusal->line);
    json.key("asked").hex(refusal->asked_bytes).key("rounded").hex(refusal->rounded_bytes);
    json.key("free").hex(refusal->free_bytes);
    json.key("largest_grant").hex(refusal->largest_grant_bytes).close('}');
  } else {
    json.null();
  }
  write_smallest(json, pool.linux_smallest);
  json.close('}');
}

void write_pool(JsonText& json, const PoolRecord& pool) {
  json.open('{').key("pool").string(pool.name).key("memory").string(name_of(pool.memory));
  json.key("roles").open('[');
  for (const Role role : pool.roles) json.string(carveout::name_of(role));
  json.close(']').key("phys").hex(pool.base).key("size").hex(pool.size_bytes);
  json.key("granule").hex(pool.granule_bytes);
  write_fill(json, pool.ours);
  json.key("least_longest_run").hex(pool.least_run_bytes);
  write_smallest(json, pool.smallest);
  write_linux(json, pool);
  json.close('}');
}

void write_failure(JsonText& json, const Simulation& simulation) {
  json.key("first_failure");
  if (!simulation.first_failure) {
    json.null();
    return;
  }
  const FirstFailure& first = *simulation.first_failure;
  json.open('{').key("time_ns").number(first.time_ns).key("line").number(first.line);
  json.key("id").string(first.id).key("device").string(simulation.devices[first.device]);
  json.key("size").hex(first.size_bytes).key("align").hex(first.align_bytes);
  json.key("failure");
  write_refused(json, first.refused);
  json.close('}').key("held_by").open('[');
  for (const DeviceShare& share : first.shares) {
    json.open('{').key("device").string(simulation.devices[share.device]);
    json.key("blocks").number(share.blocks).key("bytes").hex(share.bytes).close('}');
  }
  json.close(']').key("held").open('[');
  for (const HeldBlock& block : first.blocks) {
    json.open('{').key("id").string(block.id);
    json.key("device").string(simulation.devices[block.device]);
    json.key("phys").hex(block.phys).key("size").hex(block.size_bytes);
    json.key("asked").hex(block.asked_bytes).key("since_ns").number(block.since_ns);
    json.key("line").number(block.line).close('}');
  }
  json.close(']').key("held_more").number(first.more_blocks).close('}');
}

void write_timeline(JsonText& json, const Simulation& simulation) {
  json.key("timeline").open('[');
  for (const Period& period : simulation.periods) {
    json.open('{').key("from_ns").number(period.begin_ns).key("pools").open('[');
    for (std::size_t i = 0; i < period.pools.size(); ++i) {
      const Period::Pool& pool = period.pools[i];
      json.open('{').key("pool").string(simulation.pools[i].name);
      json.key("most_used").hex(pool.most_used_bytes);
      json.key("longest_run").hex(pool.longest_run_bytes);
      hex_or_null(json, "most_used_in_linux",
                  simulation.pools[i].in_linux ? std::optional{pool.most_used_in_linux_bytes}
                                               : std::nullopt);
      json.close('}');
    }
    json.close(']').close('}');
  }
  json.close(']');
}

}  // namespace

std::string simulation_json(const Board& board, const SimulateRequest& request,
                            const Simulation& simulation) {
  JsonText json{kMaxOutputBytes};
  json.open('{').key("schema").string("carveout.simulate/1").key("source").string(board.source);
  json.key("mask").hex(~std::uint64_t{0} >> (64 - request.mask_bits));
  write_trace(json, simulation);
  json.key("pools").open('[');
  for (const PoolRecord& pool : simulation.pools) write_pool(json, pool);
  json.close(']').key("ordinary").number(simulation.ordinary);
  json.key("failures").number(simulation.failures).key("failures_by_code").open('{');
  for (const auto& [code, count] : simulation.failures_by_code) {
    json.key(carveout::name_of(code)).number(count);
  }
  json.close('}');
  write_failure(json, simulation);
  write_timeline(json, simulation);
  json.close('}');
  if (json.full()) refuse_too_much(board.source);
  return json.take() + '\n';
}

}  // namespace carveout::cli
