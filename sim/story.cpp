#include "story.hpp"

#include <algorithm>
#include <array>

#include "carveout/core/size.hpp"
#include "lines.hpp"
#include "text.hpp"

namespace carveout::sim {
namespace {

constexpr std::size_t kShownBytes = 4;

std::string two_digits(std::byte value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto number = std::to_integer<unsigned>(value);
  return {kDigits[number >> 4], kDigits[number & 15]};
}

/// The first place at which two spans of one length differ.
std::optional<std::size_t> difference(std::span<const std::byte> one,
                                      std::span<const std::byte> other) {
  if (one.size() != other.size()) return std::nullopt;
  const auto at = std::ranges::mismatch(one, other).in1;
  if (at == one.end()) return std::nullopt;
  return static_cast<std::size_t>(at - one.begin());
}

bool same_deed(const Step& before, const Step& step) {
  return before.actor == step.actor && before.which == step.which && before.verb == step.verb &&
         step.actor != Actor::lender && !before.report && !step.report;
}

bool goes_on(PhysRange before, PhysRange range) {
  return range == before || range.base.raw() == before.base.raw() + before.size_bytes;
}

}  // namespace

std::string_view name_of(Cell cell) {
  constexpr std::array<std::string_view, 4> kNames{"not cached", "clean", "dirty", "stale"};
  return kNames[static_cast<std::size_t>(cell)];
}

Story::Story(const RunRecord& run) : run_{run} {
  find_mistake();
  choose_lines();
  choose_columns();
}

std::optional<WrongByte> Story::wrong_in(PhysRange range, std::size_t after) const {
  for (const PhysAddr base : run_.lines()) {
    const PhysRange part = range.intersection({base, run_.line_bytes()});
    const LineNow* const now = run_.line(base, after);
    if (part.empty() || now == nullptr || now->ram.empty()) continue;
    const std::size_t offset = bytes_between(base, part.base);
    for (std::uint32_t cpu = 0; cpu < run_.cpus(); ++cpu) {
      const CachedLine& cached = now->cpus[cpu];
      if (!cached.state.valid) continue;
      const auto theirs = std::span{cached.bytes}.subspan(offset, size_of(part));
      const auto at = difference(theirs, std::span{now->ram}.subspan(offset, size_of(part)));
      if (!at) continue;
      return WrongByte{PhysAddr{part.base.raw() + *at}, cpu, theirs[*at], now->ram[offset + *at]};
    }
  }
  return std::nullopt;
}

void Story::find_mistake() {
  const auto& steps = run_.steps();
  std::optional<std::size_t> reported, saw;
  for (std::size_t i = 0; i < steps.size() && !(reported && wrong_); ++i) {
    const bool looks = steps[i].verb == "loads" || steps[i].verb == "reads";
    if (!steps[i].report && !looks) continue;
    const PhysRange range =
        steps[i].report ? run_.reports()[*steps[i].report].range : steps[i].range;
    const auto wrong = wrong_in(range, i + 1);
    if (steps[i].report && (wrong || !reported)) {
      reported = i;
      wrong_ = wrong;
    } else if (!reported && wrong) {
      saw = i;
    }
  }
  step_ = reported ? reported : saw;
  if (reported) return;
  if (saw) {
    wrong_ = wrong_in(steps[*saw].range, *saw + 1);
    return;
  }
  // Plain loads are no steps: then what is wrong is so when the run ends.
  for (const PhysAddr line : run_.lines()) {
    if (!wrong_) wrong_ = wrong_in({line, run_.line_bytes()}, steps.size());
  }
}

void Story::choose_lines() {
  const auto& steps = run_.steps();
  const std::vector<PhysAddr> known = run_.lines();
  if (known.empty()) return;
  PhysAddr about = known.front();
  if (wrong_) {
    about = wrong_->at;
  } else if (step_ && steps[*step_].report) {
    about = run_.reports()[*steps[*step_].report].range.base;
  } else if (step_) {
    about = steps[*step_].range.base;
  }
  const std::uint64_t line_bytes = run_.line_bytes();
  about_ = PhysAddr{align_down(about.raw(), line_bytes)};
  // It, its neighbours, what the hardware did something to, and any others: as many as there is
  // room for.
  const auto choose = [&](auto wanted) {
    for (const PhysAddr base : known) {
      if (lines_.size() == kMostLines) break;
      if (wanted(base) && std::ranges::find(lines_, base) == lines_.end()) lines_.push_back(base);
    }
  };
  choose([&](PhysAddr base) { return base == about_; });
  choose([&](PhysAddr base) {
    return base.raw() + line_bytes == about_.raw() || about_.raw() + line_bytes == base.raw();
  });
  choose([&](PhysAddr base) {
    return std::ranges::any_of(steps, [&](const Step& step) {
      return step.actor == Actor::hardware && step.range.overlaps({base, line_bytes});
    });
  });
  if (known.size() <= kMostLines) choose([](PhysAddr) { return true; });
  std::ranges::sort(lines_);
  for (const PhysAddr base : lines_) {
    std::uint64_t from = 0;
    if (wrong_ && base.raw() == align_down(wrong_->at.raw(), run_.line_bytes())) {
      from = wrong_->at.raw() - base.raw();
    } else if (const LineNow* first = run_.line(base, 0), *last = run_.line(base, steps.size());
               first != nullptr && last != nullptr) {
      from = difference(first->ram, last->ram).value_or(0);
    }
    const std::uint64_t most = run_.line_bytes() - std::min(run_.line_bytes(), kShownBytes);
    shown_from_[base.raw()] = base.raw() + std::min(from, most);
  }
}

bool Story::matters(const Step& step) const {
  if (step.report || step.range.empty()) return true;
  return std::ranges::any_of(
      lines_, [&](PhysAddr line) { return step.range.overlaps({line, run_.line_bytes()}); });
}

bool Story::changes(std::size_t step) const {
  return std::ranges::any_of(
      lines_, [&](PhysAddr base) { return run_.line(base, step + 1) != run_.line(base, step); });
}

bool Story::in_one_line(PhysRange one, PhysRange other) const {
  if (one.empty() || other.empty()) return false;
  const auto line = [&](PhysAddr at) { return align_down(at.raw(), run_.line_bytes()); };
  return line(one.base) == line(other.last()) && line(one.last()) == line(other.base);
}

template <class LeftOut, class GoesOn>
void Story::make_columns(LeftOut left_out, GoesOn goes_on) {
  const auto& steps = run_.steps();
  columns_.clear();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool out = left_out(i);
    if (!columns_.empty() && columns_.back().left_out == out) {
      const Step& before = steps[columns_.back().last];
      if (out || (same_deed(before, steps[i]) && goes_on(before.range, steps[i].range))) {
        columns_.back().last = i;
        continue;
      }
    }
    columns_.push_back({i, i, out});
  }
}

void Story::choose_columns() {
  const auto& steps = run_.steps();
  make_columns([&](std::size_t i) { return !matters(steps[i]); }, goes_on);
  if (columns_.size() > kMostColumns) {
    // Then accesses that change nothing are left out as well, and those of one line are one.
    make_columns(
        [&](std::size_t i) {
          const bool access = steps[i].actor == Actor::cpu && !steps[i].range.empty();
          return !matters(steps[i]) || (access && !steps[i].report && i != step_ && !changes(i));
        },
        [&](PhysRange before, PhysRange range) {
          return goes_on(before, range) || in_one_line(before, range);
        });
  }
  const auto column_of_mistake = [&]() -> std::size_t {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (step_ && columns_[i].first <= *step_ && *step_ <= columns_[i].last) return i;
    }
    return columns_.size();
  };
  // What came long before the mistake, and after it, is left out where there is no room.
  if (columns_.size() > kMostColumns) {
    constexpr std::size_t kBehind = 5;
    const std::size_t end = std::min(column_of_mistake() + 1 + kBehind, columns_.size());
    const std::size_t begin = end > kMostColumns - 2 ? end - (kMostColumns - 2) : 0;
    std::vector<Column> kept;
    if (begin != 0) kept.push_back({0, columns_[begin].first - 1, true});
    for (std::size_t i = begin; i < end; ++i) kept.push_back(columns_[i]);
    if (end < columns_.size()) kept.push_back({columns_[end].first, columns_.back().last, true});
    columns_ = std::move(kept);
  }
  if (const std::size_t at = column_of_mistake(); at != columns_.size()) mistake_ = at;
}

const Report* Story::report() const {
  if (!step_ || !run_.steps()[*step_].report) return nullptr;
  return &run_.reports()[*run_.steps()[*step_].report];
}

std::string Story::seen() const {
  if (!wrong_ || !step_) return {};
  const std::string& verb = run_.steps()[*step_].verb;
  if (verb == "loads") return two_digits(wrong_->cached);
  return verb == "reads" ? two_digits(wrong_->in_ram) : std::string{};
}

std::string Story::wrong_in_words() const {
  if (!wrong_) return {};
  const std::string at = "at " + hex(wrong_->at.raw()) + " ";
  const std::string cpu = "CPU " + std::to_string(wrong_->cpu);
  const std::string cached = two_digits(wrong_->cached);
  const std::string in_ram = two_digits(wrong_->in_ram);
  if (!step_) {
    return joined({at, "the cache of ", cpu, " holds ", cached, " in the end, and RAM ", in_ram});
  }
  const Step& step = run_.steps()[*step_];
  if (step.verb == "loads") return joined({at, cpu, " saw ", cached, ", and RAM held ", in_ram});
  if (step.verb == "reads") {
    return joined({at, run_.device_name(step.which), " saw ", in_ram, ", and the cache of ", cpu,
                   " held ", cached});
  }
  return joined({at, "the cache of ", cpu, " holds ", cached, ", and RAM holds ", in_ram});
}

PhysRange Story::range_of(const Column& column) const {
  PhysRange all = first_of(column).range;
  for (std::size_t i = column.first + 1; i <= column.last; ++i) {
    const PhysRange& range = run_.steps()[i].range;
    if (range.empty()) continue;
    all = PhysRange::from_to(std::min(all.base, range.base), std::max(all.last(), range.last()));
  }
  return all;
}

std::size_t Story::times(const Column& column) const {
  std::uint64_t bytes = 0;
  for (std::size_t i = column.first; i <= column.last; ++i) {
    bytes += run_.steps()[i].range.size_bytes;
  }
  const bool once = bytes == range_of(column).size_bytes;
  return column.left_out || once ? 1 : column.last - column.first + 1;
}

std::string Story::actor_of(const Column& column) const {
  if (column.left_out) return {};
  const Step& step = first_of(column);
  switch (step.actor) {
    case Actor::cpu:
      return "CPU " + std::to_string(step.which);
    case Actor::hardware:
      return "the hardware, by itself";
    case Actor::device:
      return run_.device_name(step.which);
    case Actor::lender:
      return "the driver";
    case Actor::checker:
      return "the checker";
  }
  return {};
}

std::string Story::deed_of(const Column& column) const {
  if (column.left_out) return std::to_string(column.last - column.first + 1) + " steps elsewhere";
  const Step& step = first_of(column);
  const PhysRange range = range_of(column);
  if (step.actor == Actor::hardware) {
    return step.verb + " " + hex(step.range.base.raw()) + " (cache of CPU " +
           std::to_string(step.which) + ")";
  }
  std::string deed = step.verb;
  if (step.actor == Actor::lender) {
    deed = step.lent ? "lends to the device, " + step.verb + "," : "takes back";
  }
  if (range.empty()) return deed;
  deed += " " + hex(range.base.raw()) + ", " + count_of_bytes(range.size_bytes);
  return times(column) == 1 ? deed : deed + ", " + std::to_string(times(column)) + " times";
}

std::string Story::implied_by(const Column& column) const {
  const Step& step = first_of(column);
  const bool access = step.verb.starts_with("loads") || step.verb.starts_with("stores");
  if (column.left_out || step.actor != Actor::cpu || !access) return {};
  bool fills = false, evicts = false;
  for (const PhysAddr line : lines_) {
    const LineNow* const before = run_.line(line, column.first);
    const LineNow* const now = after(line, column);
    if (before == nullptr || now == nullptr) continue;
    const bool was = before->cpus[step.which].state.valid;
    const bool is = now->cpus[step.which].state.valid;
    fills = fills || (!was && is);
    evicts = evicts || (was && !is);
  }
  if (evicts) return fills ? "fills a line, evicts another" : "evicts a line to make room";
  return fills ? "fills the line" : "";
}

Cell Story::cell(PhysAddr line, std::uint32_t cpu, const Column& column) const {
  const LineNow* const now = after(line, column);
  if (now == nullptr || !now->cpus[cpu].state.valid) return Cell::absent;
  if (now->cpus[cpu].state.dirty) return Cell::dirty;
  return now->cpus[cpu].is_stale(now->ram) ? Cell::stale : Cell::clean;
}

PhysRange Story::shown(PhysAddr line) const {
  return {PhysAddr{shown_from_.at(line.raw())}, std::min(kShownBytes, run_.line_bytes())};
}

std::string Story::hex_bytes(PhysAddr line, std::span<const std::byte> bytes) const {
  if (bytes.empty()) return {};
  std::string text;
  const PhysRange part = shown(line);
  for (const std::byte each : bytes.subspan(bytes_between(line, part.base), size_of(part))) {
    if (!text.empty()) text += ' ';
    text += two_digits(each);
  }
  return text;
}

std::string Story::cached_bytes(PhysAddr line, std::uint32_t cpu, const Column& column) const {
  const LineNow* const now = after(line, column);
  return now != nullptr ? hex_bytes(line, now->cpus[cpu].bytes) : std::string{};
}

std::string Story::ram_bytes(PhysAddr line, const Column& column) const {
  const LineNow* const now = after(line, column);
  return now != nullptr ? hex_bytes(line, now->ram) : std::string{};
}

bool Story::store_waits(PhysAddr line, std::uint32_t cpu, const Column& column) const {
  const LineNow* const now = after(line, column);
  return now != nullptr && now->cpus[cpu].store_waits;
}

std::string Story::owner(const Column& column) const {
  std::string owner;
  for (std::size_t i = 0; i <= column.last; ++i) {
    const Step& step = run_.steps()[i];
    if (step.actor != Actor::lender || !step.range.overlaps({about_, run_.line_bytes()})) continue;
    owner = step.lent ? "the device: " + step.verb : "the CPU";
  }
  return owner;
}

}  // namespace carveout::sim
