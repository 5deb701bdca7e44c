// `simulate` for people: each pool with the two allocators side by side, and the first failure.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "page.hpp"
#include "simulation.hpp"

namespace carveout::cli {
namespace {

constexpr std::size_t kListed = 8;  // blocks at each end of a long list
constexpr std::size_t kLabelColumns = 21;
constexpr std::size_t kCellColumns = 24;

class Report {
 public:
  Report(const Board& board, const SimulateRequest& request, const Simulation& simulation,
         bool colour)
      : request_{request},
        simulation_{simulation},
        page_{board.source, colour},
        source_{board.source} {}

  std::string print() {
    title();
    for (std::size_t i = 0; i < simulation_.pools.size(); ++i) pool(i);
    first_failure();
    return page_.take();
  }

 private:
  [[nodiscard]] std::string where(std::uint64_t ns, std::uint64_t line) const {
    return fmt::format("{}, line {}", seconds(ns - simulation_.counts.first_ns), line);
  }

  void fact(std::string_view label, std::string_view text) {
    Words words;
    words.keep(fmt::format("{:<{}}", label, kLabelColumns - 1), Style::faint).say(text);
    page_.line(words, 2, 2 + kLabelColumns);
  }

  void title() {
    const TraceCounts& counts = simulation_.counts;
    page_.line(Words{}
                   .keep(simulation_.trace, Style::heading)
                   .say(fmt::format("on the pools of {}: {} allocations and {} frees in {}",
                                    source_, counts.allocations, counts.frees,
                                    seconds(counts.last_ns - counts.first_ns))),
               0, 2);
    std::string granted =
        fmt::format("{} of {}", counts.allocations - simulation_.failures, counts.allocations);
    for (const auto& [code, count] : simulation_.failures_by_code) {
      granted += fmt::format("; {} refused: {}", count, carveout::name_of(code));
    }
    fact("granted", granted);
    if (simulation_.ordinary != 0) {
      fact("ordinary memory",
           fmt::format("serves {} of them; it is not Carveout's, and not replayed",
                       simulation_.ordinary));
    }
    fact("alive at once",
         fmt::format("{} at most; {} never freed", counts.most_live, simulation_.never_freed));
    if (counts.freed_unseen != 0) {
      fact("freed unseen", fmt::format("{} frees of what was allocated before the trace begins",
                                       counts.freed_unseen));
    }
    if (counts.refused_before != 0) {
      fact("failed when recorded",
           fmt::format("{} allocations: asked for here, and given back at once",
                       counts.refused_before));
    }
    if (counts.other_events != 0) {
      fact("other events",
           fmt::format("{} are neither dma_alloc nor dma_free: not replayed", counts.other_events));
    }
  }

  void row(std::string_view label, std::string_view ours, std::string_view in_linux) {
    std::string cells = fmt::format("{:<{}}{}", label, kLabelColumns, ours);
    if (!in_linux.empty()) {
      cells = fmt::format("{:<{}}{}", cells, kLabelColumns + kCellColumns, in_linux);
    }
    Words words;
    words.keep(cells);
    page_.line(words, 2, 2);
  }

  static std::string waste(const Fill& fill) {
    if (fill.peak_bytes == 0) return "-";
    const std::uint64_t bytes = fill.peak_bytes - fill.asked_at_peak_bytes;
    return fmt::format("{} ({} %)", size_text(bytes), bytes * 100 / fill.peak_bytes);
  }

  /// A size that was found, and whether it is known to be the least.
  static std::string found(const std::optional<Smallest>& smallest) {
    if (!smallest) return "-";
    if (!smallest->bytes) return "none";
    return fmt::format("{}{}", size_text(*smallest->bytes),
                       *smallest->bytes == smallest->at_least_bytes ? ", proved" : "");
  }

  void pool(std::size_t number) {
    const PoolRecord& pool = simulation_.pools[number];
    page_.blank();
    Words heading;
    heading.keep(pool.name, Style::heading).glue(":").keep(size_text(pool.size_bytes));
    heading.say("at").keep(hex(pool.base)).glue(",").say("granule");
    heading.keep(size_text(pool.granule_bytes));
    page_.line(heading, 0, 2);

    const auto& in_linux = pool.in_linux;
    const auto linux_cell = [&](auto text) { return in_linux ? text(*in_linux) : std::string{}; };
    row("", "Carveout", in_linux ? "Linux's allocator" : "");
    row("granted", fmt::to_string(pool.ours.granted),
        linux_cell([](const Fill& fill) { return fmt::to_string(fill.granted); }));
    row("refused", fmt::to_string(pool.ours.refused),
        linux_cell([](const Fill& fill) { return fmt::to_string(fill.refused); }));
    row("peak", size_text(pool.ours.peak_bytes),
        linux_cell([](const Fill& fill) { return size_text(fill.peak_bytes); }));
    row("of that, rounding", waste(pool.ours), linux_cell(waste));
    if (request_.smallest) {
      row("smallest that does", found(pool.smallest),
          linux_cell([&](const Fill&) { return found(pool.linux_smallest); }));
    }
    timeline(number);
    if (pool.linux_refusal) linux_refusal(*pool.linux_refusal);
  }

  void linux_refusal(const LinuxRefusal& refusal) {
    page_.line(Words{}
                   .say("Linux's allocator would first refuse at")
                   .say(where(refusal.time_ns, refusal.line))
                   .glue(":")
                   .keep(size_text(refusal.asked_bytes))
                   .say("asked,")
                   .keep(size_text(refusal.rounded_bytes))
                   .say("taken,")
                   .keep(size_text(refusal.free_bytes))
                   .say("free, the largest that it would grant")
                   .keep(size_text(refusal.largest_grant_bytes)),
               2, 4);
  }

  /// One character a period: tenths of the pool, and # for all of it.
  void timeline(std::size_t number) {
    const std::uint64_t size = simulation_.pools[number].size_bytes;
    std::string used;
    std::string run;
    const auto tenths = [&](std::uint64_t bytes) {
      // A pool of 2^64 / 10 bytes or more is divided first.
      const std::uint64_t tenth =
          size < (UINT64_MAX / 10) ? bytes * 10 / size : bytes / (size / 10);
      return tenth > 9 ? '#' : static_cast<char>('0' + static_cast<char>(tenth));
    };
    for (const Period& period : simulation_.periods) {
      const bool known = number < period.pools.size();
      used += tenths(known ? period.pools[number].most_used_bytes : 0);
      run += known ? tenths(period.pools[number].longest_run_bytes) : '#';
    }
    row("used, in tenths", used, "");
    row("longest free run", run, "");
    row("shortest of these",
        fmt::format("{}", size_text(simulation_.pools[number].least_run_bytes)), "");
  }

  void first_failure() {
    if (!simulation_.first_failure) return;
    const FirstFailure& first = *simulation_.first_failure;
    page_.blank();
    page_.line(
        Words{}
            .keep(fmt::format("First refused: {}, at {}.", carveout::name_of(first.refused.code),
                              where(first.time_ns, first.line)),
                  Style::bad)
            .keep(simulation_.devices[first.device])
            .say("asks for")
            .keep(size_text(first.size_bytes))
            .say("as")
            .keep(first.id)
            .glue(".")
            .say(first.refused.message),
        0, 2);
    if (first.blocks.empty()) return;
    page_.blank();
    page_.line(Words{}.say("Who has what of").keep(first.refused.pool).say("then"), 0, 2);
    Table shares{source_, {"SIZE", "BLOCKS", "DEVICE"}};
    for (const DeviceShare& share : first.shares) {
      shares.row({{size_text(share.bytes)},
                  {fmt::to_string(share.blocks)},
                  {simulation_.devices[share.device]}});
    }
    shares.print(page_);
    page_.blank();
    blocks(first);
  }

  void blocks(const FirstFailure& first) {
    Table table{source_, {"MEMORY", "SIZE", "ASKED", "SINCE", "LINE", "ID"}};
    const std::size_t count = first.blocks.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (count > 2 * kListed + 1 && i == kListed) {
        i = count - kListed;
        table.group(Words{}.say(fmt::format("({} more: --json lists them)", count - 2 * kListed)));
      }
      const HeldBlock& block = first.blocks[i];
      table.row({{hex(block.phys)},
                 {size_text(block.size_bytes)},
                 {size_text(block.asked_bytes)},
                 {seconds(block.since_ns - simulation_.counts.first_ns)},
                 {fmt::to_string(block.line)},
                 {block.id}});
    }
    if (first.more_blocks != 0) {
      table.group(Words{}.say(fmt::format("({} more, of higher addresses)", first.more_blocks)));
    }
    table.print(page_);
  }

  const SimulateRequest& request_;
  const Simulation& simulation_;
  Page page_;
  std::string_view source_;
};

}  // namespace

std::string seconds(std::uint64_t ns) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  std::string text = fmt::format("{}.{:09}", ns / kSecond, ns % kSecond);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text + " s";
}

std::string simulation_text(const Board& board, const SimulateRequest& request,
                            const Simulation& simulation, bool colour) {
  return Report{board, request, simulation, colour}.print();
}

}  // namespace carveout::cli
