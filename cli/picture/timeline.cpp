#include "picture/timeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <span>

#include "json_text.hpp"
#include "page.hpp"
#include "picture/layout.hpp"
#include "picture/words.hpp"

namespace carveout::cli::picture {
namespace {

int permille(std::uint64_t part, std::uint64_t of) {
  if (of == 0) return 0;
  // Of numbers that are too large to be multiplied, the lower bits do not matter.
  while (part > UINT64_MAX / 1000) {
    part /= 2;
    of /= 2;
  }
  return static_cast<int>(std::min<std::uint64_t>(part * 1000 / of, 1000));
}

class Maker {
 public:
  Maker(const Simulation& simulation, const Moments& moments)
      : simulation_{simulation}, moments_{moments} {}

  Timeline make() {
    choose_colours();
    made_.title = simulation_.trace;
    if (simulation_.pools.size() > pool_count()) {
      made_.title +=
          fmt::format(" (the first {} of {} pools)", pool_count(), simulation_.pools.size());
    }
    made_.length = seconds(length_ns());
    made_.elsewhere = elsewhere();
    for (const Moment& moment : moments_.moments) made_.moments.push_back(timed(moment));
    made_.shown = first_shown();
    for (std::size_t i = 0; i < pool_count(); ++i) made_.pools.push_back(pool(i));
    made_.data = data();
    return std::move(made_);
  }

 private:
  [[nodiscard]] std::uint64_t length_ns() const {
    return simulation_.counts.last_ns - simulation_.counts.first_ns;
  }
  [[nodiscard]] std::size_t pool_count() const {
    return std::min(simulation_.pools.size(), kMaxTimedPools);
  }
  [[nodiscard]] std::uint64_t since_begin(std::uint64_t ns) const {
    return ns - simulation_.counts.first_ns;
  }
  [[nodiscard]] int place_of(std::uint64_t ns) const {
    return permille(since_begin(ns), length_ns());
  }

  [[nodiscard]] std::string words_of(const EventOf& of) const {
    switch (of.event) {
      case Event::refused:
        return fmt::format("first refused by {}", simulation_.pools[of.pool].name);
      case Event::peak:
        return fmt::format("peak of {}", simulation_.pools[of.pool].name);
      case Event::first_failure:
        break;
    }
    return "first refused";
  }

  [[nodiscard]] TimedMoment timed(const Moment& moment) const {
    TimedMoment made{.when = seconds(since_begin(moment.time_ns)), .event = {}};
    if (!moment.events.empty()) made.when += fmt::format(", line {}", moment.line);
    for (const EventOf& each : moment.events) {
      made.event += fmt::format("{}{}", made.event.empty() ? "" : ", ", words_of(each));
    }
    return made;
  }

  /// What would have no place at any pool that is drawn.
  [[nodiscard]] std::string elsewhere() const {
    const auto drawn = std::span{simulation_.pools}.first(pool_count());
    for (const PoolRefusal& refusal : simulation_.refusals) {
      if (std::ranges::find(drawn, refusal.pool, &PoolRecord::name) != drawn.end()) continue;
      return fmt::format("refused at {}, line {}: {}, {}{}{}",
                         seconds(since_begin(refusal.time_ns)), refusal.line,
                         short_size(refusal.size_bytes), carveout::name_of(refusal.code),
                         refusal.pool.empty() ? "" : " of ", refusal.pool);
    }
    return {};
  }

  void choose_colours() {
    std::vector<std::uint64_t> most(moments_.askers.size());
    for (const Moment& moment : moments_.moments) {
      for (const PoolMoment& pool : moment.pools) {
        for (const auto& share : pool.shares) {
          most[share.asker] = std::max(most[share.asker], share.bytes);
        }
      }
    }
    std::vector<std::size_t> order(most.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t i) { return most[i]; });
    colour_of_.assign(most.size(), kMaxHolders - 1);
    for (const std::size_t asker : order) {
      if (most[asker] == 0) break;
      if (made_.holders.size() == kMaxHolders - 1) {
        made_.holders.emplace_back("others");
        break;
      }
      colour_of_[asker] = made_.holders.size();
      made_.holders.push_back(moments_.askers[asker]);
    }
  }

  [[nodiscard]] std::size_t first_shown() const {
    const auto with = [&](Event event) {
      return std::ranges::find_if(moments_.moments, [&](const Moment& moment) {
        return std::ranges::find(moment.events, event, &EventOf::event) != moment.events.end();
      });
    };
    auto found = with(Event::first_failure);
    if (found == moments_.moments.end()) found = with(Event::peak);
    return found == moments_.moments.end()
               ? 0
               : static_cast<std::size_t>(found - moments_.moments.begin());
  }

  /// Nothing is held of a pool that the trace has not come to.
  [[nodiscard]] PoolMoment at(const Moment& moment, std::size_t number) const {
    if (number < moment.pools.size()) return moment.pools[number];
    return {.longest_run_bytes = simulation_.pools[number].size_bytes, .shares = {}, .cells = {}};
  }

  [[nodiscard]] std::string state_of(const PoolMoment& moment, std::size_t number) const {
    const std::uint64_t size = simulation_.pools[number].size_bytes;
    return fmt::format("{} of {} held, {} free, longest free run {}", short_size(moment.used_bytes),
                       short_size(size), short_size(size - moment.used_bytes),
                       short_size(moment.longest_run_bytes));
  }

  TimedPool pool(std::size_t number) const {
    const PoolRecord& record = simulation_.pools[number];
    const PoolMoment shown = at(moments_.moments[made_.shown], number);
    TimedPool pool{.name = record.name,
                   .state = state_of(shown, number),
                   .cells = cells_of(record.size_bytes),
                   .held = {},
                   .most_used = {},
                   .peak = {},
                   .refused = {}};
    for (const HeldCells& cells : shown.cells) {
      pool.held.push_back({cells.first, cells.count, colour_of_[cells.asker], cells.mostly});
    }
    for (const Period& period : simulation_.periods) {
      const bool known = number < period.pools.size();
      pool.most_used.push_back(
          permille(known ? period.pools[number].most_used_bytes : 0, record.size_bytes));
    }
    if (record.ours.peak_bytes != 0) {
      pool.peak = {.at = place_of(record.ours.peak_ns),
                   .words = fmt::format("peak: {} at {}", short_size(record.ours.peak_bytes),
                                        seconds(since_begin(record.ours.peak_ns)))};
    }
    if (const PoolRefusal* const refusal = refusal_of(simulation_, number)) {
      pool.refused = {
          .at = place_of(refusal->time_ns),
          .words = fmt::format("first refused: {} at {}", short_size(refusal->size_bytes),
                               seconds(since_begin(refusal->time_ns)))};
    }
    return pool;
  }

  [[nodiscard]] std::string data() const {
    JsonText json{kMaxOutputBytes};
    json.open('[');
    for (const Moment& moment : moments_.moments) {
      json.open('{').key("at").number(static_cast<std::uint64_t>(place_of(moment.time_ns)));
      json.key("words").string(timed(moment).words()).key("pools").open('[');
      for (std::size_t i = 0; i < pool_count(); ++i) write(json, at(moment, i), i);
      json.close(']').close('}');
    }
    json.close(']');
    if (json.full()) refuse_too_much(simulation_.trace);
    const std::string text = json.take();
    // Inside <script> only this letter ends anything, and JSON may write it so.
    std::string safe;
    for (const char c : text) c == '<' ? safe += "\\u003c" : safe += c;
    return safe;
  }

  void write(JsonText& json, const PoolMoment& pool, std::size_t number) const {
    json.open('{').key("state").string(state_of(pool, number)).key("held").open('[');
    for (const HeldCells& cells : pool.cells) {
      json.number(cells.first).number(cells.count).number(colour_of_[cells.asker]);
      json.number(cells.mostly ? 1 : 0);
    }
    json.close(']').key("shares").open('[');
    for (const auto& share : pool.shares) {
      json.open('[').string(moments_.askers[share.asker]).number(share.blocks);
      json.string(size_text(share.bytes)).close(']');
    }
    if (pool.more_holders != 0) {
      json.open('[').string(fmt::format("and {} more", pool.more_holders));
      json.number(pool.more_blocks).string(size_text(pool.more_bytes)).close(']');
    }
    json.close(']').close('}');
  }

  const Simulation& simulation_;
  const Moments& moments_;
  Timeline made_;
  std::vector<std::size_t> colour_of_;  ///< of each asker
};

}  // namespace

Timeline timeline_of(const Simulation& simulation, const Moments& moments) {
  return Maker{simulation, moments}.make();
}

}  // namespace carveout::cli::picture
