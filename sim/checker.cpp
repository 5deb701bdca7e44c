#include "carveout_sim/checker.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "report_text.hpp"

namespace carveout::sim {
namespace {

constexpr std::uint64_t kPage = 4096;

}  // namespace

std::string Report::text() const {
  std::string text = "carveout: " + std::string{name_of(mistake)} + "\n  what:   " + what + "\n";
  if (!buffer.empty()) text += "  buffer: " + buffer + "\n";
  for (const Happening& happening : history) {
    text += "    #" + std::to_string(happening.number) + " " + happening.what + ": " +
            text_of(happening.range) + "\n";
  }
  text += stacks;
  text += "  why:    " + std::string{why(mistake)} + "\n";
  text += "  add:    " + std::string{cure(mistake)} + "\n";
  return text;
}

void Checker::print(const Report& report) { std::fputs(report.text().c_str(), stderr); }

Checker::Checker(BusSide& machine) : Checker{machine, Settings{}} {}

Checker::Checker(BusSide& machine, Settings settings)
    : machine_{machine},
      settings_{std::move(settings)},
      line_bytes_{machine.line_bytes()},
      book_{{},
            {.callback =
                 [](void* checker, const MappingBook::Report& report) {
                   static_cast<Checker*>(checker)->found(report);
                 },
             .context = this,
             .line_bytes = line_bytes_,
             .errors = settings_.errors}},
      cpus_(new_cpus()) {
  machine_.set_observer(this);
}

Checker::~Checker() {
  owns_no_more(lent());
  machine_.forget(*this);
}

std::vector<Checker::CpuState> Checker::new_cpus() const {
  return {machine_.cpus(), CpuState{MarkedLines{line_bytes_}, {}, {}, {}}};
}

void Checker::machine_resets() {
  const std::lock_guard guard{mutex_};
  book_.clear();
  cpus_ = new_cpus();
  reported_.clear();
}

std::uint64_t Checker::count(Mistake mistake) const {
  const std::lock_guard guard{mutex_};
  return counts_[static_cast<std::size_t>(mistake)];
}

std::uint64_t Checker::count() const {
  const std::lock_guard guard{mutex_};
  std::uint64_t all = 0;
  for (const std::uint64_t count : counts_) all += count;
  return all;
}

std::vector<Report> Checker::reports() const {
  const std::lock_guard guard{mutex_};
  return reports_;
}

PhysRange Checker::canonical(PhysRange range) const {
  return {machine_.canonical(range.base), range.size_bytes};
}

Checker::Device* Checker::device_of(Master device) {
  if (device == kAnyMaster || device > devices_.size()) return nullptr;
  return &devices_[device - 1];
}

std::string Checker::name_of_device(Master device) {
  const Device* const known = device_of(device);
  return known == nullptr ? "a device" : "\"" + known->name + "\"";
}

Buffer& Checker::buffer_of(const MappingBook::Entry& entry) {
  if (entry.slot >= buffers_.size()) buffers_.resize(entry.slot + 1);
  Buffer& buffer = buffers_[entry.slot];
  if (!buffer.is_of(entry)) {
    buffer = Buffer{entry};
    buffer.note(++happened_, call_, buffer.range());
  }
  return buffer;
}

Buffer* Checker::find(PhysRange range) {
  for (const MappingBook::Entry& entry : book_.living()) {
    if (range_of(entry.bytes).overlaps(range)) return &buffer_of(entry);
  }
  return nullptr;
}

void Checker::note(std::string_view what, PhysRange range) {
  ++happened_;
  for (const MappingBook::Entry& entry : book_.living()) {
    if (const PhysRange part = range_of(entry.bytes).intersection(range); !part.empty()) {
      buffer_of(entry).note(happened_, what, part);
    }
  }
}

std::string Checker::text_of_buffer(const Buffer& buffer) {
  const bool lives = std::ranges::any_of(
      book_.living(), [&](const MappingBook::Entry& entry) { return buffer.is_of(entry); });
  return joined({buffer.text(name_of_device(buffer.device())),
                 "; owner: ", lives ? buffer.owner() : "the CPU"});
}

void Checker::report(Mistake mistake, PhysRange range, Buffer* buffer, std::string what,
                     std::string_view stacks) {
  if (buffer != nullptr) {
    if (!buffer->is_first(mistake)) return;
  } else if (!reported_.insert({mistake, range.base.raw() / kPage}).second) {
    return;
  }
  ++counts_[static_cast<std::size_t>(mistake)];
  Report report{.mistake = mistake,
                .what = std::move(what),
                .range = range,
                .buffer = {},
                .history = {},
                .stacks = std::string{stacks}};
  if (buffer != nullptr) {
    report.buffer = text_of_buffer(*buffer);
    report.history = buffer->history();
  }
  if (Witness* const witness = machine_.witness()) witness->found(report);
  settings_.callback(report);
  if (settings_.then == OnReport::abort) std::abort();
  if (reports_.size() < kReports) reports_.push_back(std::move(report));
}

// ---- devices, and what is said of memory -------------------------------------------------------

Master Checker::attach(std::string name, const DeviceLimits& limits) {
  const std::lock_guard guard{mutex_};
  devices_.push_back({std::move(name), limits, true});
  return static_cast<Master>(devices_.size());
}

void Checker::detach(Master device, Where where) {
  owns_no_more(lent(device));
  const std::lock_guard guard{mutex_};
  Device* const known = device_of(device);
  if (known == nullptr) return;
  known->attached = false;
  call_ = name_of_device(device) + " is detached at " + text_of(where) + ", with";
  book_.detach({.device = device, .where = where});
}

void Checker::forbid(PhysRange range, Mistake mistake) {
  const std::lock_guard guard{mutex_};
  forbidden_.push_back({bytes_of(canonical(range)), mistake});
  book_.forbid(forbidden_);
}

void Checker::flag(PhysRange range) {
  const std::lock_guard guard{mutex_};
  flags_.add(canonical(range));
}

}  // namespace carveout::sim
