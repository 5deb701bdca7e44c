#include "bench/report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
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
      rows_[key(row["pool"].get<std::string>(), row["workload"].get<std::string>(), peer)] = &row;
    }
  }

  [[nodiscard]] std::optional<double> get(std::string_view pool, std::string_view workload,
                                          std::string_view peer, const char* what) const {
    const auto found = rows_.find(key(pool, workload, peer));
    if (found == rows_.end()) return std::nullopt;
    const Json& row = *found->second;
    if (!row.contains(what) || row[what].is_null()) return std::nullopt;
    return row[what].get<double>();
  }

  [[nodiscard]] bool has(std::string_view pool, std::string_view workload,
                         std::string_view peer) const {
    return rows_.contains(key(pool, workload, peer));
  }

  /// In the order of the measurement, which is that of the columns.
  [[nodiscard]] std::vector<std::string> peers(bool locked) const {
    std::vector<std::string> some;
    for (const std::string& peer : peers_) {
      if (peer.ends_with("-locked") == locked) some.push_back(peer);
    }
    return some;
  }

 private:
  static std::string key(std::string_view pool, std::string_view workload, std::string_view peer) {
    return std::string{pool} + '\n' + std::string{workload} + '\n' + std::string{peer};
  }

  std::vector<std::string> peers_;
  std::map<std::string, const Json*> rows_;
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

/// A figure of carveout that is to be at most a factor of the same figure of a peer, or at most a
/// figure. Several workloads are several claims.
struct Claim {
  std::string_view pool;
  std::string_view workload;
  const char* what;
  double require;
  std::string_view peer;  ///< empty: `require` is the figure itself
  double unit = 1;        ///< what is shown is the figure times this
  std::string_view who = "carveout";
};

std::vector<Claim> claims() {
  constexpr std::string_view large = kLarge.name;
  constexpr std::string_view small = kSmall.name;
  std::vector<Claim> all;
  for (const std::string_view pool : {large, small}) {
    for (const std::string_view name : {"W1", "W4-64", "W4-4096", "W4-65536", "W4c", "W5"}) {
      all.push_back({pool, name, "ns_pair", 1, "o1heap"});
      all.push_back({pool, name, "ns_pair", 0.6, "OffsetAllocator"});
      const bool one_size = name == "W1" || name.starts_with("W4-");
      if (one_size) all.push_back({pool, name, "ns_pair", 0.9, "rte_mempool"});
    }
    all.push_back({pool, "W2", "ns_pair", 0.75, "OffsetAllocator"});
    all.push_back({pool, "W2", "ns_pair", 1.1, "o1heap"});
  }
  for (const std::string_view name : {"W3-50", "W3-85"}) {
    all.push_back({large, name, "ns_pair", 0.8, "OffsetAllocator"});
    all.push_back({large, name, "ns_pair", 1, "o1heap"});
    all.push_back({large, name, "ns_pair", 0.25, "TLSF"});
    all.push_back({large, name, "ns_pair", 0.08, "cma"});
    all.push_back({small, name, "ns_pair", 0.75, "OffsetAllocator"});
    all.push_back({small, name, "ns_pair", 0.95, "Zephyr"});
  }
  for (const std::string_view pool : {large, small}) {
    all.push_back({pool, "W3-85-natural", "ns_pair", 0.3, "cma"});
    all.push_back({pool, "W3-85-natural", "ns_pair", pool == large ? 0.3 : 0.6, "VMA"});
    all.push_back({pool, "W3-85-natural", "failed", 1 / 1.7, "cma", 100});
  }
  for (const std::string_view pool : {large, small}) {
    all.push_back({pool, "W3-85", "failed", 1, "genalloc-first-fit", 100});
    all.push_back({pool, "W2", "failed", 0.0035, "", 100});
  }
  for (const std::string_view pool : {large, small}) {
    for (const std::string_view name : {"W1", "W2", "W3-50", "W3-85"}) {
      all.push_back({pool, name, "worst_alloc_ns", 100, ""});
      all.push_back({pool, name, "worst_free_ns", 60, ""});
    }
    all.push_back({pool, "W4-4096", "ns_pair", 16, "", 1, "carveout-locked"});
    all.push_back({pool, "W6b", "ns_pair", 1.1, "jemalloc", 1, "carveout-locked"});
  }
  all.push_back({large, "W3-85", "metadata_bytes", 0.004 * static_cast<double>(kLarge.bytes), ""});
  return all;
}

/// Ratios have slack for noise: performance figures of two runs differ by that much.
constexpr double kSlack = 1.25;

std::string verdict(double ratio, double require, bool noisy) {
  if (ratio <= require) return "met";
  if (noisy && ratio <= require * kSlack) return "within the slack of 25 %";
  return "**not met**";
}

void judge(std::ostream& out, const Rows& rows, const Claim& claim) {
  const auto own = rows.get(claim.pool, claim.workload, claim.who, claim.what);
  if (!own) return;
  const bool time = std::string_view{claim.what} == "ns_pair";
  const int digits = claim.unit > 1 ? 2 : time ? 1 : 0;
  out << "| " << claim.pool << ' ' << claim.workload << " | " << claim.what << " | "
      << (claim.who == "carveout" ? "" : std::string{claim.who} + ' ')
      << fixed(*own * claim.unit, digits) << " | ";
  if (claim.peer.empty()) {
    out << fixed(claim.require * claim.unit, digits) << " | " << fixed(*own / claim.require, 2)
        << " | 1 | " << verdict(*own / claim.require, 1, time) << " |\n";
    return;
  }
  const auto other = rows.get(claim.pool, claim.workload, claim.peer, claim.what);
  if (!other) {
    out << claim.peer << " not measured | - | " << fixed(claim.require, 2) << " | - |\n";
    return;
  }
  const double ratio = *other > 0 ? *own / *other : (*own > 0 ? 99 : 0);
  out << claim.peer << ' ' << fixed(*other * claim.unit, digits) << " | " << fixed(ratio, 2)
      << " | " << fixed(claim.require, 2) << " | " << verdict(ratio, claim.require, time) << " |\n";
}

}  // namespace

void print_tables(std::ostream& out, const Json& measured) {
  const Rows rows{measured};
  out << "Nanoseconds for one alloc and one free, median of " << measured["rounds"] << " rounds. "
      << measured["cpu"].get<std::string>() << ", " << measured["compiler"].get<std::string>()
      << ", commit " << measured["commit"].get<std::string>() << ".\n\n";
  print_times(out, rows);
  print_threads(out, rows);
}

void print_verdict(std::ostream& out, const Json& measured, const Json& counts) {
  const Rows rows{measured};
  out << "| workload | figure | carveout | against | ratio | required | |\n"
         "|---|---|--:|--:|--:|--:|---|\n";
  for (const Claim& claim : claims()) judge(out, rows, claim);
  for (const std::string_view pool : kPools) {
    const auto w5 = rows.get(pool, "W5", "carveout", "ns_pair");
    const auto w1 = rows.get(pool, "W1", "carveout", "ns_pair");
    if (!w5 || !w1) continue;
    out << "| " << pool << " W5 | ns_pair | " << fixed(*w5, 1) << " | its own W1 " << fixed(*w1, 1)
        << " | " << fixed(*w5 / *w1, 2) << " | 2.00 | " << verdict(*w5 / *w1, 2, true) << " |\n";
  }
  // Tables of the sparse store: 24 bytes for each live block, and 2 KiB.
  if (const auto bytes = rows.get(kSmall.name, "W3-85", "carveout", "metadata_bytes")) {
    const double live = rows.get(kSmall.name, "W3-85", "carveout", "most_live").value_or(0);
    const double most = 24 * live + 2048;
    out << "| " << kSmall.name << " W3-85 | metadata_bytes | " << fixed(*bytes, 0) << " | 24 x "
        << fixed(live, 0) << " blocks + 2048 = " << fixed(most, 0) << " | "
        << fixed(*bytes / most, 2) << " | 1 | " << verdict(*bytes / most, 1, false) << " |\n";
  }
  const Rows counted{counts};
  struct Most {
    std::string_view workload;
    double instructions;
  };
  for (const Most& most : {Most{"W1", 90}, Most{"W3-50", 230}, Most{"W4-4096", 75}}) {
    judge(out, counted, {kLarge.name, most.workload, "instructions_pair", most.instructions, ""});
  }
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
  constexpr double kRight = kWidth - 24;
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
