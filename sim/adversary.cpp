#include "carveout_sim/adversary.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "carveout/core/size.hpp"
#include "text.hpp"

namespace carveout::sim {
namespace {

/// First bytes of the lines that a range touches.
template <class Each>
void for_lines(PhysRange range, std::size_t line_bytes, Each each) {
  if (range.empty()) return;
  const std::uint64_t last = align_down(range.last().raw(), line_bytes);
  for (std::uint64_t line = align_down(range.base.raw(), line_bytes);; line += line_bytes) {
    each(PhysAddr{line});
    if (line == last) return;
  }
}

std::string sentence(const Action& action) {
  const auto with = [&](std::string_view verb) {
    return "CPU " + std::to_string(action.cpu) + " " + std::string{verb} + " " +
           hex(action.at.raw());
  };
  switch (action.what) {
    case Act::speculate:
      return with("brings in, by speculation, the line");
    case Act::write_back:
      return with("writes back the dirty line");
    case Act::evict:
      return with("evicts the line");
    case Act::drain:
      return with("lets go the waiting store to");
    case Act::load_early:
      return with("satisfies early, before the load in front of it, the load of");
  }
  return {};
}

}  // namespace

std::string to_text(const Schedule& schedule) {
  std::string text;
  for (const Decision& decision : schedule) {
    text += "  moment " + std::to_string(decision.moment) + ": " + sentence(decision.action) + "\n";
  }
  return text;
}

std::string to_text(const Failing& failing) {
  if (failing.shortest.empty()) return "fails whatever the hardware does\n";
  const std::string when =
      failing.seed ? "with seed " + std::to_string(*failing.seed) : "with the worst schedule";
  return "fails " + when + "; what it takes is:\n" + to_text(failing.shortest);
}

Adversary Adversary::seeded(std::uint64_t seed) {
  Adversary made{Mode::seeded};
  made.seed_ = seed;
  return made;
}

Adversary Adversary::worst() { return Adversary{Mode::worst}; }

Adversary Adversary::replaying(Schedule schedule) {
  Adversary made{Mode::replaying};
  made.script_ = std::move(schedule);
  return made;
}

void Adversary::at(const Moment& moment, Hands& hands) {
  if (witness_ != nullptr) witness_->comes(moment);
  switch (mode_) {
    case Mode::worst:
      at_worst(moment, hands);
      break;
    case Mode::seeded:
      at_random(moment, hands);
      break;
    case Mode::replaying:
      as_before(hands);
      break;
  }
  ++moments_;
}

void Adversary::act(Hands& hands, const Action& action) {
  if (witness_ != nullptr) witness_->may_act(action);
  if (!hands.act(action)) return;
  done_.push_back({moments_, action});
  if (witness_ != nullptr) witness_->acted(action);
}

void Adversary::as_before(Hands& hands) {
  for (; next_ != script_.size() && script_[next_].moment == moments_; ++next_) {
    act(hands, script_[next_].action);
  }
}

void Adversary::at_worst(const Moment& moment, Hands& hands) {
  const auto each_line = [&](Act what) {
    for (std::uint32_t cpu = 0; cpu < hands.cpus(); ++cpu) {
      for_lines(moment.range, hands.line_bytes(),
                [&](PhysAddr line) { act(hands, {what, cpu, line}); });
    }
  };
  switch (moment.kind) {
    case MomentKind::dma_begins:
    case MomentKind::dma_writes:
      each_line(Act::speculate);
      break;
    case MomentKind::dma_wrote:
      each_line(Act::write_back);
      break;
    case MomentKind::dma_reads:
      for (std::uint32_t cpu = 0; cpu < hands.cpus(); ++cpu) {
        const auto waiting = hands.waiting(cpu);
        for (std::size_t i = 1; i < waiting.size(); ++i) {
          if (!waiting[i].overlaps(moment.range) || waiting[0].overlaps(moment.range)) continue;
          act(hands, {Act::drain, cpu, waiting[i].base});
        }
      }
      break;
    case MomentKind::load:
      act(hands, {Act::load_early, moment.cpu, moment.range.base});
      break;
    case MomentKind::store:
    case MomentKind::maintenance:
    case MomentKind::barrier:
    case MomentKind::maintained:
      break;
  }
}

/// SplitMix64: small, and every seed is a good one.
std::uint64_t Adversary::random(std::uint64_t below) {
  seed_ += 0x9e37'79b9'7f4a'7c15U;
  std::uint64_t mixed = seed_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58'476d'1ce4'e5b9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d0'49bb'1331'11ebU;
  return (mixed ^ (mixed >> 31)) % below;
}

std::optional<PhysAddr> Adversary::any_recent_line(std::size_t line_bytes) {
  if (recent_.empty()) return std::nullopt;
  const PhysRange& range = one_of(recent_);
  const std::uint64_t first = align_down(range.base.raw(), line_bytes);
  const std::uint64_t lines = (align_down(range.last().raw(), line_bytes) - first) / line_bytes + 1;
  // From the line before to the line behind.
  const std::uint64_t line = random(lines + 2);
  return PhysAddr{first + line * line_bytes - line_bytes};
}

void Adversary::at_random(const Moment& moment, Hands& hands) {
  if (!moment.range.empty()) {
    if (recent_.size() < kRecent) {
      recent_.push_back(moment.range);
    } else {
      recent_[recent_next_++ % kRecent] = moment.range;
    }
  }
  const std::size_t line_bytes = hands.line_bytes();
  // Around a device more happens than elsewhere: there it matters.
  const bool device = moment.kind >= MomentKind::dma_begins;
  for (std::uint64_t tries = random(device ? 6 : 3); tries != 0; --tries) {
    const auto cpu = static_cast<std::uint32_t>(random(hands.cpus()));
    switch (random(5)) {
      case 0:
        if (const auto line = any_recent_line(line_bytes)) act(hands, {Act::speculate, cpu, *line});
        break;
      case 1:
        if (const auto lines = hands.dirty_lines(cpu); !lines.empty()) {
          act(hands, {Act::write_back, cpu, one_of(lines)});
        }
        break;
      case 2:
        if (const auto lines = hands.valid_lines(cpu); !lines.empty()) {
          act(hands, {Act::evict, cpu, one_of(lines)});
        }
        break;
      case 3:
        if (const auto stores = hands.waiting(cpu); !stores.empty()) {
          act(hands, {Act::drain, cpu, one_of(stores).base});
        }
        break;
      default:
        if (moment.kind == MomentKind::load) {
          act(hands, {Act::load_early, moment.cpu, moment.range.base});
        }
        break;
    }
  }
}

Schedule shrink(const Program& run, Schedule failing) {
  const auto fails = [&](const Schedule& schedule) {
    Adversary adversary = Adversary::replaying(schedule);
    return !run(adversary);
  };
  // Delta debugging: leave out ever smaller pieces until no single decision can go.
  for (std::size_t piece = std::max<std::size_t>(failing.size() / 2, 1); !failing.empty();) {
    bool shorter = false;
    for (std::size_t from = 0; from < failing.size();) {
      Schedule rest{failing.begin(), failing.begin() + static_cast<std::ptrdiff_t>(from)};
      const std::size_t to = std::min(from + piece, failing.size());
      rest.insert(rest.end(), failing.begin() + static_cast<std::ptrdiff_t>(to), failing.end());
      if (fails(rest)) {
        failing = std::move(rest);
        shorter = true;
      } else {
        from = to;
      }
    }
    if (shorter) continue;
    if (piece == 1) break;
    piece /= 2;
  }
  return failing;
}

std::optional<Failing> find_failure(const Program& run, std::uint64_t seeds, std::uint64_t first) {
  const auto failing_with = [&](Adversary adversary) -> std::optional<Schedule> {
    if (run(adversary)) return std::nullopt;
    return shrink(run, adversary.done());
  };
  if (auto shortest = failing_with(Adversary::worst())) return Failing{{}, std::move(*shortest)};
  for (std::uint64_t seed = first; seed != first + seeds; ++seed) {
    if (auto shortest = failing_with(Adversary::seeded(seed))) {
      return Failing{seed, std::move(*shortest)};
    }
  }
  return std::nullopt;
}

}  // namespace carveout::sim
