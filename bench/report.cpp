#include "bench/report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "bench/workloads.hpp"

namespace carveout::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 2> kPools{kLarge.name, kSmall.name};

/// printf for what these tables need: a number with so many digits behind the point.
std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string nanoseconds(double ns) { return fixed(ns, ns < 99.95 ? 1 : 0); }

/// The rows of a measurement by pool, workload and peer.
class Rows {
 public:
  explicit Rows(const Json& measured) {
    if (!measured.contains("rows")) return;
    for (const Json& row : measured["rows"]) {
      const std::string peer = row["peer"];
      if (std::ranges::find(peers_, peer) == peers_.end()) peers_.push_back(peer);
      rows_[key(row["pool"].get<std::string>(), row["workload"].get<std::string>(), peer)]
          .push_back(&row);
    }
  }

  [[nodiscard]] std::optional<double> get(std::string_view pool, std::string_view workload,
                                          std::string_view peer, const char* what) const {
    const auto found = rows_.find(key(pool, workload, peer));
    if (found == rows_.end()) return std::nullopt;
    for (const Json* row : found->second) {
      if (row->contains(what) && !(*row)[what].is_null()) return (*row)[what].get<double>();
    }
    return std::nullopt;
  }

  [[nodiscard]] bool has(std::string_view pool, std::string_view workload,
                         std::string_view peer) const {
    return rows_.contains(key(pool, workload, peer));
  }

  /// In the order of the measurement, which is that of the columns.
  [[nodiscard]] std::vector<std::string> peers(bool locked) const {
    std::vector<std::string> some;
    for (const std::string& peer : peers_) {
      const bool is_locked = peer.ends_with("-locked") || peer == "carveout-pool";
      if (is_locked == locked) some.push_back(peer);
    }
    return some;
  }

 private:
  static std::string key(std::string_view pool, std::string_view workload, std::string_view peer) {
    return std::string{pool} + '\n' + std::string{workload} + '\n' + std::string{peer};
  }

  std::vector<std::string> peers_;
  std::map<std::string, std::vector<const Json*>> rows_;  ///< of several measurements
};

using Cell = std::function<std::string(const std::string& peer)>;

/// Lines without a single entry are left out, and so is a table without lines.
class Table {
 public:
  Table(std::string title, std::vector<std::string> peers)
      : title_{std::move(title)}, peers_{std::move(peers)} {}

  void line(const std::string& name, const Cell& cell) {
    std::string text = "| " + name + " |";
    bool any = false;
    for (const std::string& peer : peers_) {
      const std::string entry = cell(peer);
      any = any || !entry.empty();
      text += ' ' + (entry.empty() ? "-" : entry) + " |";
    }
    if (any) lines_.push_back(text);
  }

  void print(std::ostream& out) const {
    if (lines_.empty()) return;
    out << "| " << title_ << " |";
    for (const std::string& peer : peers_) out << ' ' << peer << " |";
    out << "\n|---|";
    for (std::size_t i = 0; i < peers_.size(); ++i) out << "--:|";
    out << '\n';
    for (const std::string& line : lines_) out << line << '\n';
    out << '\n';
  }

 private:
  std::string title_;
  std::vector<std::string> peers_;
  std::vector<std::string> lines_;
};

/// Of peers that refuse so much, the time is that of refusals.
constexpr double kManyRefusals = 0.10;

void print_times(std::ostream& out, const Rows& rows) {
  for (const std::string_view pool : kPools) {
    std::vector<std::string> peers;
    for (const std::string& peer : rows.peers(false)) {
      const bool any = std::ranges::any_of(
          kWorkloads, [&](std::string_view name) { return rows.has(pool, name, peer); });
      if (any) peers.push_back(peer);
    }
    Table table{std::string{pool} + ", ns", peers};
    for (const std::string_view name : kWorkloads) {
      table.line(std::string{name}, [&](const std::string& peer) -> std::string {
        const auto ns = rows.get(pool, name, peer, "ns_pair");
        if (!ns) return {};
        const double failed = rows.get(pool, name, peer, "failed").value_or(0);
        return failed > kManyRefusals ? '(' + nanoseconds(*ns) + ')' : nanoseconds(*ns);
      });
    }
    for (const std::string_view name : {"W2", "W3-50", "W3-85", "W3-85-natural"}) {
      table.line(std::string{name} + " refused, %", [&](const std::string& peer) -> std::string {
        const auto failed = rows.get(pool, name, peer, "failed");
        return failed ? fixed(*failed * 100, 2) : "";
      });
    }
    table.line("W3-85 taken / asked", [&](const std::string& peer) -> std::string {
      const auto taken = rows.get(pool, "W3-85", peer, "taken_per_asked");
      return taken ? fixed(*taken, 2) : "";
    });
    table.line("first refusal at, %", [&](const std::string& peer) -> std::string {
      const auto full = rows.get(pool, "W3-85", peer, "full_at");
      return full ? fixed(*full * 100, 1) : "";
    });
    table.line("W3-85 worst alloc, ns", [&](const std::string& peer) -> std::string {
      const auto worst = rows.get(pool, "W3-85", peer, "worst_alloc_ns");
      return worst ? fixed(*worst, 0) : "";
    });
    table.line("W3-85 worst free, ns", [&](const std::string& peer) -> std::string {
      const auto worst = rows.get(pool, "W3-85", peer, "worst_free_ns");
      return worst ? fixed(*worst, 0) : "";
    });
    table.line("metadata outside, bytes", [&](const std::string& peer) -> std::string {
      const auto bytes = rows.get(pool, "W3-85", peer, "metadata_bytes");
      return bytes && *bytes > 0 ? fixed(*bytes, 0) : "";
    });
    table.print(out);
  }
}

void print_threads(std::ostream& out, const Rows& rows) {
  std::vector<std::string> peers;
  for (const bool locked : {true, false}) {
    for (const std::string& peer : rows.peers(locked)) {
      const bool any = std::ranges::any_of(kPools, [&](std::string_view pool) {
        return rows.has(pool, "W6", peer) || rows.has(pool, "W6b", peer);
      });
      if (any) peers.push_back(peer);
    }
  }
  Table table{"threads, ns", peers};
  for (const std::string_view pool : kPools) {
    for (const std::string_view name : {"W4-4096", "W6", "W6b"}) {
      const std::string title = std::string{pool} + ' ' + std::string{name} +
                                (name == "W4-4096" ? ", one thread" : ", two");
      table.line(title, [&](const std::string& peer) -> std::string {
        const auto ns = rows.get(pool, name, peer, "ns_pair");
        return ns ? nanoseconds(*ns) : "";
      });
    }
  }
  table.print(out);
}

// ---- against what is required -------------------------------------------------------------------

using Names = std::vector<std::string_view>;

/// A figure of Carveout's, of some workloads, that is to be at most a factor of the same figure of
/// a peer; or at most a number, where no peer is named.
struct Claim {
  Names pools;
  Names workloads;
  const char* what;
  std::string_view peer;
  double require;
  double aim = 0;     ///< 0: none
  bool noisy = true;  ///< a time
  std::string_view who = "carveout";
};

std::vector<Claim> claims() {
  const Names both{kLarge.name, kSmall.name};
  const Names large{kLarge.name};
  const Names small{kSmall.name};
  const Names hot{"W1", "W4-64", "W4-4096", "W4-65536", "W4c", "W5"};
  const Names one_size{"W1", "W4-64", "W4-4096", "W4-65536"};
  const Names mixed{"W3-50", "W3-85"};
  const Names natural{"W3-85-natural"};
  const Names steady{"W1", "W2", "W3-50", "W3-85"};
  return {
      {both, hot, "ns_pair", "o1heap", 1, 0.55},
      {both, hot, "ns_pair", "OffsetAllocator", 0.6},
      {both, one_size, "ns_pair", "rte_mempool", 0.9},
      {both, {"W2"}, "ns_pair", "OffsetAllocator", 0.75},
      {both, {"W2"}, "ns_pair", "o1heap", 1.1, 0.95},
      {large, mixed, "ns_pair", "OffsetAllocator", 0.8},
      {large, mixed, "ns_pair", "o1heap", 1, 0.75},
      {large, mixed, "ns_pair", "TLSF", 0.25},
      {large, mixed, "ns_pair", "cma", 0.08},
      {small, mixed, "ns_pair", "OffsetAllocator", 0.75},
      {small, mixed, "ns_pair", "Zephyr", 0.95},
      {small, mixed, "ns_pair", "o1heap", 0, 1},
      {both, natural, "ns_pair", "cma", 0.3},
      {large, natural, "ns_pair", "VMA", 0.3},
      {small, natural, "ns_pair", "VMA", 0.6},
      {both, natural, "failed", "cma", 1 / 1.7, 0, false},
      {both, natural, "failed", "VMA", 0, 1, false},
      {both, {"W3-85"}, "failed", "genalloc-first-fit", 1, 0, false},
      {both, {"W3-85"}, "failed", "genalloc-best-fit", 0, 1, false},
      {both, {"W2"}, "failed", "", 0.0035, 0, false},
      {both, steady, "worst_alloc_ns", "", 100, 60},
      {both, steady, "worst_free_ns", "", 60},
      {both, {"W4-4096"}, "ns_pair", "", 16, 13, true, "carveout-pool"},
      {both, {"W6b"}, "ns_pair", "jemalloc", 1.1, 1, true, "carveout-pool"},
      {large, {"W3-85"}, "metadata_bytes", "", 0.004 * static_cast<double>(kLarge.bytes), 0, false},
      {small,
       {"storage"},
       "metadata_bytes",
       "",
       0,
       0.01 * static_cast<double>(kSmall.bytes),
       false,
       "carveout-bitmap"},
      {{kLarge.name}, {"W1"}, "instructions_pair", "", 90, 0, false},
      {{kLarge.name}, {"W3-50"}, "instructions_pair", "", 230, 180, false},
      {{kLarge.name}, {"W4-4096"}, "instructions_pair", "", 75, 0, false},
  };
}

/// Times have slack: the same code differs by that much.
constexpr double kSlack = 1.25;

/// How often a limit held, within the slack, or not at all.
struct Score {
  int held = 0;
  int slack = 0;
  int missed = 0;

  void count(double value, double limit, bool noisy) {
    (value <= limit ? held : noisy && value <= limit * kSlack ? slack : missed) += 1;
  }
  [[nodiscard]] std::string text() const {
    const int all = held + slack + missed;
    if (held == all) return "met";
    if (slack == all) return "within 25 %";
    if (missed == all) return "**not met**";
    const std::string of = " of " + std::to_string(all);
    std::string text = held > 0 ? "met by " + std::to_string(held) + of : "";
    if (slack > 0) text += (text.empty() ? "" : ", ") + ("within 25 % by " + std::to_string(slack));
    if (missed > 0) text += ", **not met** by " + std::to_string(missed);
    return text;
  }
};

/// Whether what is required holds, as far as it was measured.
bool judge(std::ostream& out, const Rows& rows, const Claim& claim) {
  bool good = true;
  const bool share = std::string_view{claim.what} == "failed";
  const auto number = [&](double value) {
    if (claim.peer.empty() && !share) return fixed(value, value < 99.95 && claim.noisy ? 1 : 0);
    return share && claim.peer.empty() ? fixed(value * 100, 2) + " %" : fixed(value, 2);
  };
  for (const std::string_view pool : claim.pools) {
    Score required;
    Score aimed;
    std::string figures;
    bool compared = false;
    for (const std::string_view name : claim.workloads) {
      const auto own = rows.get(pool, name, claim.who, claim.what);
      const auto other = claim.peer.empty() ? std::optional<double>{1}
                                            : rows.get(pool, name, claim.peer, claim.what);
      if (!own || !other) continue;
      compared = true;
      const double ratio = *other > 0 ? *own / *other : (*own > 0 ? 99 : 0);
      const double limit = claim.require > 0 ? claim.require : claim.aim;
      const std::string figure = number(ratio);
      figures += (figures.empty() ? "" : ", ") + std::string{name} + ' ' +
                 (ratio <= limit ? figure : "**" + figure + "**");
      required.count(ratio, claim.require, claim.noisy);
      aimed.count(ratio, claim.aim, false);
    }
    const std::string against =
        claim.peer.empty() ? "-" : std::string{claim.peer} + (compared ? "" : " (not measured)");
    out << "| " << pool << " | " << claim.what << (claim.who == "carveout" ? "" : ", ")
        << (claim.who == "carveout" ? std::string_view{} : claim.who) << " | " << against << " | "
        << figures << " | " << (claim.require > 0 ? number(claim.require) : "-") << " | "
        << (claim.require > 0 && compared ? required.text() : "-") << " | "
        << (claim.aim > 0 ? number(claim.aim) : "-") << " | "
        << (claim.aim > 0 && compared ? aimed.text() : "-") << " |\n";
    good = good && (claim.require == 0 || required.missed == 0);
  }
  return good;
}

}  // namespace

void print_tables(std::ostream& out, const Json& measured) {
  const Rows rows{measured};
  if (!measured.contains("rounds")) {
    out << "Instructions for one alloc and one free, without the loop. "
        << measured["compiler"].get<std::string>() << ", commit "
        << measured["commit"].get<std::string>() << ".\n\n";
    std::vector<std::string> peers = rows.peers(false);
    std::ranges::copy(rows.peers(true), std::back_inserter(peers));
    Table table{std::string{kLarge.name} + ", instructions", peers};
    for (const std::string_view name : kWorkloads) {
      table.line(std::string{name}, [&](const std::string& peer) -> std::string {
        const auto count = rows.get(kLarge.name, name, peer, "instructions_pair");
        return count ? fixed(*count, 0) : "";
      });
    }
    table.print(out);
    return;
  }
  out << "Nanoseconds for one alloc and one free, median of " << measured["rounds"] << " rounds. "
      << measured["cpu"].get<std::string>() << ", " << measured["compiler"].get<std::string>()
      << ", commit " << measured["commit"].get<std::string>() << ".\n\n";
  print_times(out, rows);
  print_threads(out, rows);
}

bool print_verdict(std::ostream& out, const Json& measured) {
  const Rows rows{measured};
  bool good = true;
  out << "| pool | figure | against | ratio, or figure | required | | aim | |\n"
         "|---|---|---|---|--:|---|--:|---|\n";
  for (const Claim& claim : claims()) good = judge(out, rows, claim) && good;
  for (const std::string_view pool : kPools) {
    const auto w5 = rows.get(pool, "W5", "carveout", "ns_pair");
    for (const std::string_view name : {"W1", "W1-turns"}) {
      const auto w1 = rows.get(pool, name, "carveout", "ns_pair");
      if (!w5 || !w1) continue;
      Score score;
      score.count(*w5 / *w1, 2, true);
      const bool required = name == "W1";
      good = good && (!required || score.missed == 0);
      out << "| " << pool << " | ns_pair | its own " << name << " | W5 " << fixed(*w5 / *w1, 2)
          << " | " << (required ? "2.00 | " + score.text() : "- | -") << " | - | - |\n";
    }
  }
  if (const auto bytes = rows.get(kSmall.name, "W3-85", "carveout", "metadata_bytes")) {
    const double live = rows.get(kSmall.name, "W3-85", "carveout", "most_live").value_or(0);
    const double most = 24 * live + 2048;
    Score score;
    score.count(*bytes, most, false);
    good = good && score.missed == 0;
    out << "| " << kSmall.name << " | metadata_bytes | 24 x " << fixed(live, 0)
        << " blocks + 2 KiB | " << fixed(*bytes, 0) << " | " << fixed(most, 0) << " | "
        << score.text() << " | - | - |\n";
  }
  return good;
}

// ---- the picture --------------------------------------------------------------------------------

namespace {

struct Mark {
  std::string_view peer;
  std::string_view colour;
  char shape;  ///< o circle, s square, d diamond, t triangle
};

constexpr std::array<Mark, 16> kMarks{{
    {"carveout", "#d1242f", 'd'},
    {"dma-coherent", "#0b5cad", 'o'},
    {"genalloc-first-fit", "#4a9be8", 's'},
    {"genalloc-best-fit", "#9ccbf5", 't'},
    {"cma", "#0b5cad", 's'},
    {"rte_malloc", "#1a7f37", 'o'},
    {"rte_mempool", "#6fbf73", 's'},
    {"jemalloc", "#6e7781", 'o'},
    {"mimalloc", "#8c959f", 's'},
    {"std-pmr", "#afb8c1", 't'},
    {"o1heap", "#bf8700", 'o'},
    {"OffsetAllocator", "#bf8700", 's'},
    {"TLSF", "#e0b95b", 't'},
    {"VMA", "#8250df", 'o'},
    {"Zephyr", "#b58df1", 's'},
    {"", "", 'o'},
}};

void shape(std::ostream& out, const Mark& mark, double x, double y) {
  const auto at = [](double value) { return fixed(value, 1); };
  const double r = mark.shape == 'd' ? 7 : 4.5;
  const std::string style =
      " fill=\"" + std::string{mark.colour} + "\" stroke=\"#ffffff\" stroke-width=\"1\"/>";
  switch (mark.shape) {
    case 's':
      out << "<rect x=\"" << at(x - 4) << "\" y=\"" << at(y - 4) << "\" width=\"8\" height=\"8\""
          << style;
      return;
    case 't':
      out << "<path d=\"M" << at(x) << ' ' << at(y - 5) << 'L' << at(x + 5) << ' ' << at(y + 4)
          << 'L' << at(x - 5) << ' ' << at(y + 4) << "Z\"" << style;
      return;
    case 'd':
      out << "<path d=\"M" << at(x) << ' ' << at(y - r) << 'L' << at(x + r) << ' ' << at(y) << 'L'
          << at(x) << ' ' << at(y + r) << 'L' << at(x - r) << ' ' << at(y) << "Z\"" << style;
      return;
    default:
      out << "<circle cx=\"" << at(x) << "\" cy=\"" << at(y) << "\" r=\"4.5\"" << style;
  }
}

}  // namespace

void draw(std::ostream& out, const Json& measured) {
  const Rows rows{measured};
  constexpr double kWidth = 960;
  constexpr double kLeft = 120;
  constexpr double kRight = kWidth - 36;
  constexpr double kLine = 25;
  constexpr double kDecades = 5;  // 1 ns to 100 us
  constexpr double kPanel = 46 + kLine * kWorkloads.size() + 34;
  const auto x_of = [&](double ns) {
    return kLeft + (kRight - kLeft) * std::clamp(std::log10(ns), 0.0, kDecades) / kDecades;
  };

  std::vector<Mark> marks;
  for (const std::string& peer : rows.peers(false)) {
    const auto* const mark = std::ranges::find(kMarks, std::string_view{peer}, &Mark::peer);
    if (mark != kMarks.end()) marks.push_back(*mark);
  }
  constexpr std::size_t kPerLine = 5;
  const double legend = 22.0 * static_cast<double>((marks.size() + kPerLine - 1) / kPerLine);
  const double height = 70 + legend + 2 * kPanel;

  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 960 " << fixed(height, 0)
      << "\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"13\" fill=\"#1f2328\">\n"
      << "<title>Nanoseconds for one alloc and one free, by workload and allocator</title>\n"
      << "<rect width=\"960\" height=\"" << fixed(height, 0) << "\" fill=\"#ffffff\"/>\n"
      << "<text x=\"20\" y=\"28\" font-size=\"17\" font-weight=\"bold\">One alloc and one free, "
         "nanoseconds (logarithmic; further left is faster)</text>\n"
      << "<text x=\"20\" y=\"48\" fill=\"#59636e\">" << measured["cpu"].get<std::string>() << ", "
      << measured["compiler"].get<std::string>() << ", commit "
      << measured["commit"].get<std::string>() << "; median of " << measured["rounds"]
      << " rounds, all in one process</text>\n";
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const double x = 28 + 184 * static_cast<double>(i % kPerLine);
    const double y = 72 + 22 * static_cast<double>(i / kPerLine);
    shape(out, marks[i], x, y);
    out << "<text x=\"" << fixed(x + 12, 0) << "\" y=\"" << fixed(y + 4.5, 1) << "\""
        << (marks[i].peer == "carveout" ? " font-weight=\"bold\"" : "") << '>' << marks[i].peer
        << "</text>\n";
  }

  double top = 70 + legend;
  for (const std::string_view pool : kPools) {
    const double first = top + 46;
    const double last = first + kLine * static_cast<double>(kWorkloads.size());
    out << "<text x=\"20\" y=\"" << fixed(top + 26, 0) << "\" font-weight=\"bold\">Pool " << pool
        << "</text>\n";
    constexpr std::array<std::string_view, 6> kLabels{"1 ns", "10 ns", "100 ns",
                                                      "1 us", "10 us", "100 us"};
    for (std::size_t i = 0; i < kLabels.size(); ++i) {
      const double x = kLeft + (kRight - kLeft) * static_cast<double>(i) / kDecades;
      out << "<path d=\"M" << fixed(x, 1) << ' ' << fixed(first - 8, 1) << 'V' << fixed(last - 4, 1)
          << "\" stroke=\"#d1d9e0\"/><text x=\"" << fixed(x, 1) << "\" y=\"" << fixed(last + 12, 1)
          << "\" text-anchor=\"middle\" fill=\"#59636e\">" << kLabels[i] << "</text>\n";
    }
    for (std::size_t i = 0; i < kWorkloads.size(); ++i) {
      const double y = first + 6 + kLine * static_cast<double>(i);
      out << "<text x=\"20\" y=\"" << fixed(y + 4.5, 1) << "\">" << kWorkloads[i]
          << "</text><path d=\"M" << fixed(kLeft, 1) << ' ' << fixed(y, 1) << 'H'
          << fixed(kRight, 1) << "\" stroke=\"#eff2f5\"/>\n";
      // Carveout's mark lies on top of the others.
      for (auto mark = marks.rbegin(); mark != marks.rend(); ++mark) {
        const auto ns = rows.get(pool, kWorkloads[i], mark->peer, "ns_pair");
        const double failed = rows.get(pool, kWorkloads[i], mark->peer, "failed").value_or(0);
        if (!ns || failed > kManyRefusals) continue;
        shape(out, *mark, x_of(*ns), y);
        out << '\n';
      }
    }
    top += kPanel;
  }
  out << "</svg>\n";
}

}  // namespace carveout::bench
