#include "carveout_sim/run_record.hpp"

#include <algorithm>
#include <array>

#include "carveout/core/size.hpp"
#include "carveout/port/cache_lines.hpp"
#include "text.hpp"

namespace carveout::sim {

bool CachedLine::is_stale(std::span<const std::byte> ram) const {
  return state.valid && !state.dirty && !std::ranges::equal(bytes, ram);
}

std::vector<PhysAddr> RunRecord::lines() const {
  std::vector<PhysAddr> bases;
  bases.reserve(lines_.size());
  for (const auto& line : lines_) bases.emplace_back(line.first);
  return bases;
}

const LineNow* RunRecord::line(PhysAddr base, std::size_t after) const {
  const auto found = lines_.find(base.raw());
  if (found == lines_.end()) return nullptr;
  const LineNow* last = nullptr;
  for (const LineNow& now : found->second) {
    if (now.after <= after) last = &now;
  }
  return last;
}

std::string RunRecord::device_name(Master device) const {
  if (const auto name = names_.find(device); name != names_.end()) return name->second;
  return device == kAnyMaster ? "device" : "device " + std::to_string(device);
}

LineNow RunRecord::seen(PhysAddr base) const {
  LineNow now{.after = steps_.size(),
              .cpus = std::vector<CachedLine>(cpus_),
              .ram = std::vector<std::byte>(line_bytes_)};
  if (!machine_->in_ram(base, now.ram)) now.ram.clear();
  for (std::uint32_t cpu = 0; cpu < cpus_; ++cpu) {
    CachedLine& cached = now.cpus[cpu];
    cached.bytes.resize(line_bytes_);
    cached.state = machine_->in_cache(cpu, base, cached.bytes);
    if (!cached.state.valid) cached.bytes.clear();
    cached.store_waits = std::ranges::any_of(machine_->waiting(cpu), [&](PhysRange store) {
      return store.overlaps({base, line_bytes_});
    });
  }
  return now;
}

void RunRecord::look() {
  if (machine_ == nullptr) return;
  for (auto& [base, history] : lines_) {
    LineNow now = seen(PhysAddr{base});
    if (!history.empty() && history.back().cpus == now.cpus && history.back().ram == now.ram) {
      continue;
    }
    history.push_back(std::move(now));
  }
}

void RunRecord::add(Actor actor, std::uint32_t which, std::string_view verb, PhysRange range) {
  // Before the step, as every observer is told: what it touches is noted as it was.
  if (machine_ != nullptr && !range.empty()) {
    for_each_line(range.base.raw(), range.size_bytes, line_bytes_, [&](std::uint64_t base) {
      auto& history = lines_[base];
      if (history.empty()) history.push_back(seen(PhysAddr{base}));
    });
  }
  steps_.push_back(
      {moments_ == 0 ? 0 : moments_ - 1, actor, which, std::string{verb}, range, {}, {}});
}

void RunRecord::begins(const Hands& machine) {
  const std::lock_guard guard{mutex_};
  machine_ = &machine;
  line_bytes_ = machine.line_bytes();
  cpus_ = machine.cpus();
}

void RunRecord::ends() {
  const std::lock_guard guard{mutex_};
  look();
  machine_ = nullptr;
}

void RunRecord::comes(const Moment& /*moment*/) {
  const std::lock_guard guard{mutex_};
  look();
  ++moments_;
}

void RunRecord::may_act(const Action& action) {
  const std::lock_guard guard{mutex_};
  before_ = seen(PhysAddr{align_down(action.at.raw(), line_bytes_)});
}

void RunRecord::acted(const Action& action) {
  const std::lock_guard guard{mutex_};
  constexpr std::array<std::string_view, 5> kVerbs{"fetches, by speculation,", "writes back",
                                                   "evicts", "lets a store go", "loads early"};
  // It is done: what is looked at here for the first time was otherwise before.
  if (auto& history = lines_[align_down(action.at.raw(), line_bytes_)]; history.empty()) {
    history.push_back(std::move(before_));
  }
  add(Actor::hardware, action.cpu, kVerbs[static_cast<std::size_t>(action.what)], {action.at, 1});
  look();
}

void RunRecord::observed() {
  const std::lock_guard guard{mutex_};
  observing_ = false;
}

void RunRecord::lent(PhysRange range, Direction direction) {
  const std::lock_guard guard{mutex_};
  look();
  add(Actor::lender, 0, name_of(direction), range);
  steps_.back().lent = direction;
}

void RunRecord::returned(PhysRange range) {
  const std::lock_guard guard{mutex_};
  look();
  add(Actor::lender, 0, "to the CPU", range);
}

void RunRecord::named(Master device, std::string_view name) {
  const std::lock_guard guard{mutex_};
  names_.insert_or_assign(device, name);
}

void RunRecord::found(const Report& report) {
  const std::lock_guard guard{mutex_};
  reports_.push_back(report);
  if (!observing_) {
    steps_.push_back(
        {moments_ == 0 ? 0 : moments_ - 1, Actor::checker, 0, "reports", report.range, {}, {}});
  }
  Step& cause = steps_.back();
  if (!cause.report) cause.report = reports_.size() - 1;
}

void RunRecord::cpu_reads(std::uint32_t cpu, PhysRange range, Through through) {
  const std::lock_guard guard{mutex_};
  add(Actor::cpu, cpu, through == Through::cache ? "loads" : "loads past the cache", range);
  observing_ = true;
}

void RunRecord::cpu_writes(std::uint32_t cpu, PhysRange range, Through through) {
  const std::lock_guard guard{mutex_};
  add(Actor::cpu, cpu, through == Through::cache ? "stores" : "stores past the cache", range);
  observing_ = true;
}

void RunRecord::cpu_maintains(std::uint32_t cpu, PhysRange lines, Maintenance what) {
  const std::lock_guard guard{mutex_};
  constexpr std::array<std::string_view, 3> kVerbs{"cleans", "invalidates",
                                                   "cleans and invalidates"};
  add(Actor::cpu, cpu, kVerbs[static_cast<std::size_t>(what)], lines);
  observing_ = true;
}

void RunRecord::stores_found(std::uint32_t cpu, PhysRange range) {
  const std::lock_guard guard{mutex_};
  add(Actor::cpu, cpu, "stored, some time before", range);
  observing_ = true;
}

void RunRecord::cpu_touched(PhysRange range, Touch how, std::string_view /*stacks*/) {
  const std::lock_guard guard{mutex_};
  constexpr std::array<std::string_view, 3> kVerbs{
      "loaded, some time before", "stored, some time before", "touched, some time before"};
  add(Actor::cpu, 0, kVerbs[static_cast<std::size_t>(how)], range);
  observing_ = true;
}

void RunRecord::cpu_orders(std::uint32_t cpu, Barrier barrier) {
  const std::lock_guard guard{mutex_};
  constexpr std::array<std::string_view, 3> kVerbs{"publish barrier", "observe barrier",
                                                   "full barrier"};
  add(Actor::cpu, cpu, kVerbs[static_cast<std::size_t>(barrier)], {PhysAddr{0}, 0});
  observing_ = true;
}

void RunRecord::device_reads(Master master, PhysRange range, Started /*started*/) {
  const std::lock_guard guard{mutex_};
  add(Actor::device, master, "reads", range);
  observing_ = true;
}

void RunRecord::device_writes(Master master, PhysRange range, Started /*started*/) {
  const std::lock_guard guard{mutex_};
  add(Actor::device, master, "writes", range);
  observing_ = true;
}

void RunRecord::bus_refuses(Master master, DmaRange range, BusError /*error*/) {
  const std::lock_guard guard{mutex_};
  // No physical range belongs to it, so no line does.
  steps_.push_back({moments_ == 0 ? 0 : moments_ - 1,
                    Actor::device,
                    master,
                    "is refused " + hex(range.base.raw()),
                    {PhysAddr{0}, 0},
                    {},
                    {}});
  observing_ = true;
}

}  // namespace carveout::sim
