// `why` for people: who asks, every pool considered, and what came of it.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "carveout/core/size.hpp"
#include "page.hpp"
#include "why_request.hpp"

namespace carveout::cli {
namespace {

constexpr std::size_t kLabelColumns = 11;
constexpr std::size_t kListed = 8;  // windows, or blocks at each end of a long list

class Answer {
 public:
  Answer(const Board& board, const WhyRequest& request, const WhyAnswer& answer, bool colour)
      : request_{request}, answer_{answer}, page_{board.source, colour}, source_{board.source} {}

  std::string print() {
    title();
    facts();
    findings();
    route();
    blocks();
    refusal();
    return page_.take();
  }

 private:
  void title() {
    Words words;
    words.keep(answer_.node, Style::heading);
    if (request_.device.empty()) words.say("(any device on this bus)");
    words.say("asks for").keep(size_text(request_.size_bytes));
    if (request_.count > 1) words.glue(",").say(fmt::format("{} times", request_.count));
    page_.line(words, 0, 2);
  }

  void fact(std::string_view label, const Words& words) {
    Words line;
    line.keep(fmt::format("{:<{}}", label, kLabelColumns - 1), Style::faint);
    line.append(words);
    page_.line(line, 2, 2 + kLabelColumns);
  }

  void facts() {
    if (!answer_.enabled) {
      fact("status",
           Words{}.say("disabled in the tree; answered as if it were enabled", Style::bad));
    }
    wishes();
    fact("coherent", coherence());
    addresses();
    fact("mask", Words{}
                     .keep(fmt::format("{} bits", request_.mask_bits))
                     .say(request_.mask_given ? "(--mask);" : "assumed (--mask);")
                     .say("the driver's mask is not in the tree, and Linux starts at 32"));
    Words memory;
    memory.say("granule").keep(size_text(answer_.granule_bytes)).glue(",");
    memory.say(answer_.has_mmu ? "pages assumed;" : "no pages (arm,armv7m-nvic);");
    memory.say(answer_.uncached_view ? "an uncached view of ordinary memory"
                                     : "no uncached view of ordinary memory");
    memory.say(request_.uncached_view ? "(--uncached-view)" : "assumed (--uncached-view)");
    fact("board", memory);
  }

  /// What was asked beyond a size; nothing where that is nothing.
  void wishes() {
    Words words;
    const auto wish = [&](std::string_view text) {
      words.glue(",");
      words.say(text);
    };
    if (request_.align_bytes != 1) {
      wish(fmt::format("aligned to {}", size_text(request_.align_bytes)));
    }
    if (request_.boundary_bytes) {
      wish(fmt::format("not across a multiple of {}", size_text(*request_.boundary_bytes)));
    }
    for (const std::string_view name : names_of(request_.attributes)) wish(name);
    if (request_.context == Context::must_not_wait) wish("must_not_wait");
    if (request_.pool_index) wish(fmt::format("from its pool {}", *request_.pool_index));
    if (!request_.pool_name.empty()) wish(fmt::format("from its pool '{}'", request_.pool_name));
    if (!words.empty()) fact("wishes", words);
  }

  [[nodiscard]] Words coherence() const {
    Words words;
    words.say(answer_.coherent ? "yes" : "no").glue(",");
    if (answer_.states_coherent) return words.say("by the tree");
    words.say(request_.cpu_coherent_given ? "by --cpu-coherent:" : "assumed (--cpu-coherent):");
    words.say("the tree does not say");
    return words;
  }

  void addresses() {
    Words words;
    if (answer_.behind_iommu) {
      words.say("chosen by an IOMMU, but for the device's own pools; of those:");
      fact("addresses", words);
      words = {};
    }
    switch (answer_.translation) {
      case Translation::Kind::identity:
        words.say("a device address is the physical address");
        break;
      case Translation::Kind::invalid:
        words.say("its dma-ranges leads nowhere: it reaches no memory", Style::bad);
        break;
      case Translation::Kind::windows:
        break;
    }
    auto label = [first = !answer_.behind_iommu]() mutable {
      return std::exchange(first, false) ? "addresses" : "";
    };
    if (!words.empty()) fact(label(), words);
    for (std::size_t i = 0; i < std::min(answer_.windows.size(), kListed); ++i) {
      const Window& window = answer_.windows[i];
      fact(label(), Words{}
                        .keep(fmt::format("{} to {}", hex(window.dma.raw()),
                                          hex(window.dma_range().last().raw())))
                        .say("is memory from")
                        .keep(hex(window.cpu.raw()))
                        .say("on,")
                        .keep(size_text(window.size_bytes)));
    }
    if (answer_.windows.size() > kListed) {
      fact("", Words{}.say(fmt::format("and {} windows more", answer_.windows.size() - kListed)));
    }
  }

  void findings() {
    if (answer_.findings.empty()) return;
    page_.blank();
    page_.line("Mistakes in the tree that matter here", Style::heading);
    for (const WhyFinding& finding : answer_.findings) {
      Words words;
      words.keep(fmt::format("{} {}", rule_id(finding.rule), name_of(finding.severity)),
                 finding.severity == Severity::error ? Style::bad : Style::plain);
      words.keep(finding.node);
      if (!finding.property.empty()) words.keep(finding.property);
      words.glue(":").say(finding.sentence);
      page_.line(words, 2, 4);
    }
  }

  void route() {
    page_.blank();
    page_.line(request_.count == 1
                   ? "Pools considered"
                   : fmt::format("Pools considered for request {} of {}",
                                 answer_.blocks.size() + (answer_.failure ? 1 : 0), request_.count),
               Style::heading);
    if (answer_.route.empty()) page_.line("none", Style::plain, 2);
    std::size_t role_columns = 0;
    for (const WhyStep& step : answer_.route) {
      role_columns = std::max(role_columns, carveout::name_of(step.role).size());
    }
    std::size_t number = 0;
    for (const WhyStep& step : answer_.route) print_step(++number, role_columns, step);
    if (answer_.failure) why_no_other();
  }

  void print_step(std::size_t number, std::size_t role_columns, const WhyStep& step) {
    const bool taken = step.verdict == Verdict::taken;
    const bool refused = step.verdict == Verdict::refused;
    Words words;
    words.keep(fmt::format("{:>3}  {:<{}} ", number, carveout::name_of(step.role), role_columns));
    words.keep(taken     ? "taken   "
               : refused ? "refused "
                         : "skipped ",
               taken     ? Style::good
               : refused ? Style::bad
                         : Style::faint);
    const std::size_t indent = 3 + 2 + role_columns + 2 + 9;
    if (step.pool.empty()) {
      page_.line(words.say(step.reason), 0, indent);
    } else {
      page_.line(words.keep(step.pool, Style::heading), 0, indent);
      page_.line(step.reason, Style::plain, indent);
    }
    if (step.usage && step.verdict != Verdict::skipped) page_.line(room(step), indent, indent);
  }

  /// How the request met the pool's state.
  [[nodiscard]] Words room(const WhyStep& step) const {
    const Usage& usage = *step.usage;
    Words words;
    if (step.verdict == Verdict::refused && step.error != Error::exhausted) {
      words.say("it has").keep(size_text(usage.total_bytes));
      return words;
    }
    words.keep(size_text(request_.size_bytes)).say("asked");
    const auto rounded = align_up(request_.size_bytes, step.granule_bytes);
    if (rounded && *rounded != request_.size_bytes) {
      words.glue(",").keep(size_text(*rounded)).say("in granules of");
      words.keep(size_text(step.granule_bytes));
    }
    words.glue(";")
        .keep(size_text(usage.free_bytes()))
        .say("of")
        .keep(size_text(usage.total_bytes));
    words.say(step.verdict == Verdict::taken ? "free afterwards," : "free,");
    words.say("the longest run").keep(size_text(usage.largest_run_bytes));
    return words;
  }

  /// Why the walk ended at a refusal.
  void why_no_other() {
    if (answer_.route.empty()) return;
    const auto refused_role = [&](Role role) {
      return std::ranges::any_of(answer_.route, [&](const WhyStep& step) {
        return step.role == role && step.verdict == Verdict::refused;
      });
    };
    std::string_view sentence;
    if (request_.pool_index || !request_.pool_name.empty()) {
      sentence = "No other pool is tried: the request names this one.";
    } else if (refused_role(Role::device)) {
      sentence =
          "No other pool is tried: a device that has pools of its own gets memory from them or "
          "from nowhere, even when they are full or cannot be used.";
    } else if (refused_role(Role::bounce)) {
      sentence = "No other pool is tried: the device may reach its restricted pool only.";
    } else if (answer_.route.back().error == Error::exhausted) {
      sentence =
          "No other pool is tried: that a pool is exhausted is final, and no fallback is declared.";
    } else {
      sentence = "Nothing is left to try.";
    }
    page_.line(sentence, Style::plain, 5);
  }

  void blocks() {
    if (answer_.blocks.empty()) return;
    page_.blank();
    page_.line(answer_.blocks.size() == 1
                   ? std::string{"Granted"}
                   : fmt::format("Granted: {} blocks", answer_.blocks.size()),
               answer_.failure ? Style::heading : Style::good);
    Table table{source_, {"MEMORY", "DEVICE ADDRESS", "SIZE", "POOL"}};
    const std::size_t count = answer_.blocks.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (count > 2 * kListed + 1 && i == kListed) {
        i = count - kListed;
        table.group(
            Words{}.say(fmt::format("({} more: --json lists them all)", count - 2 * kListed)));
      }
      const WhyBlock& block = answer_.blocks[i];
      table.row({{block.phys ? hex(*block.phys) : "not Carveout's choice"},
                 {block.dma    ? hex(*block.dma)
                  : block.phys ? "the IOMMU's choice"
                               : "not Carveout's choice"},
                 {size_text(block.size_bytes)},
                 {block.pool.empty() ? "ordinary memory" : block.pool}});
    }
    table.print(page_);
  }

  void refusal() {
    if (!answer_.failure) return;
    page_.blank();
    const RefusedRequest& failure = *answer_.failure;
    page_.line(Words{}
                   .keep(fmt::format("Refused: {}.", carveout::name_of(failure.code)), Style::bad)
                   .say(failure.message),
               0, 2);
  }

  const WhyRequest& request_;
  const WhyAnswer& answer_;
  Page page_;
  std::string_view source_;
};

}  // namespace

std::string why_text(const Board& board, const WhyRequest& request, const WhyAnswer& answer,
                     bool colour) {
  return Answer{board, request, answer, colour}.print();
}

}  // namespace carveout::cli
