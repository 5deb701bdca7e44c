#include "trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace carveout::cli {
namespace {

/// Bit of an owner in LiveIds: what failed when it was recorded has the address 0, as others may.
constexpr std::uint32_t kOfFailed = std::uint32_t{1} << 31;

bool is_csv_header(std::string_view line) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // as spreadsheets write it
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line == kCsvHeader;
}

TraceForm form_of(TraceText& text) {
  const auto line = text.next();
  if (!line) throw Refusal{text.source(), "is empty, and no trace", "line 1"};
  if (is_csv_header(*line)) return TraceForm::csv;
  if (line->starts_with("\x17\x08\x44tracing")) {
    throw text.refusal("is the binary file of trace-cmd: give the text of 'trace-cmd report'");
  }
  try {
    TraceEvent event;
    std::ignore = read_kernel_line(*line, event);
  } catch (const BadLine&) {
    throw text.refusal(fmt::format(
        "is no trace: neither the header '{}' nor what the kernel's tracing prints", kCsvHeader));
  }
  return TraceForm::kernel;
}

}  // namespace

Trace::Trace(TraceText text) : text_{std::move(text)}, form_{form_of(text_)} { rewind(); }

void Trace::rewind() {
  text_.rewind();
  if (form_ == TraceForm::csv) std::ignore = text_.next();
  counts_ = {};
  has_time_ = false;
  ids_.clear();
  live_.clear();
  to_give_back_.reset();
}

bool Trace::read(TraceEvent& event) {
  while (const auto line = text_.next()) {
    try {
      if (form_ == TraceForm::csv) {
        read_csv_line(*line, event, unquoted_);
        return true;
      }
      const KernelLine kind = read_kernel_line(*line, event);
      if (kind == KernelLine::event) return true;
      if (kind == KernelLine::other) ++counts_.other_events;
    } catch (const BadLine& bad) {
      throw text_.refusal(bad.what);
    }
  }
  return false;
}

void Trace::check_time(const TraceEvent& event) {
  if (!std::exchange(has_time_, true)) {
    counts_.first_ns = event.time_ns;
  } else if (event.time_ns < counts_.last_ns) {
    throw text_.refusal("is earlier than the line before it");
  }
  counts_.last_ns = event.time_ns;
}

std::uint32_t Trace::device_of(std::string_view name) {
  if (last_device_ < devices_.size() && devices_[last_device_].name == name) return last_device_;
  const auto known = by_name_.find(std::string{name});
  if (known != by_name_.end()) return last_device_ = known->second;
  if (devices_.size() == kMaxDevices) {
    throw text_.refusal(fmt::format("names one device more than the {} of any trace", kMaxDevices));
  }
  last_device_ = static_cast<std::uint32_t>(devices_.size());
  devices_.push_back({std::string{name}, text_.number()});
  by_name_.emplace(name, last_device_);
  return last_device_;
}

void Trace::allocate(const TraceEvent& event, TraceStep& step) {
  if (event.id.size() > LiveIds::kMaxIdBytes) {
    throw text_.refusal(
        fmt::format("has an id of more than {} bytes", std::size_t{LiveIds::kMaxIdBytes}));
  }
  const std::uint32_t device = device_of(event.device);
  const std::uint32_t owner = form_ == TraceForm::csv       ? 0
                              : event.refused_when_recorded ? device | kOfFailed
                                                            : device;
  const auto [slot, is_new] = ids_.add(owner, event.id);
  if (!is_new) {
    throw text_.refusal(
        fmt::format("allocates {}, which lives since line {}", event.id, live_[slot].line));
  }
  if (ids_.count() > kMaxLive) {
    throw text_.refusal(fmt::format("is where more than {} allocations live at once", kMaxLive));
  }
  if (slot == live_.size()) live_.emplace_back();
  live_[slot] = {.size_bytes = *event.size_bytes,
                 .align_bytes = event.align_bytes.value_or(1),
                 .time_ns = event.time_ns,
                 .line = text_.number(),
                 .device = device,
                 .attributes = event.attributes,
                 .context = event.context};
  ++counts_.allocations;
  counts_.most_live = std::max(counts_.most_live, ids_.count());
  if (event.refused_when_recorded) {
    ++counts_.refused_before;
    to_give_back_ = slot;
    std::ignore = ids_.remove(owner, event.id);
  }
  step = {.is_alloc = true, .slot = slot, .request = live_[slot]};
}

void Trace::check_free(const TraceEvent& event, const TraceRequest& request) {
  const auto differs = [&](std::string_view what) {
    throw text_.refusal(
        fmt::format("frees {} with another {} than it was allocated with in line {}", event.id,
                    what, request.line));
  };
  if (event.size_bytes && *event.size_bytes != request.size_bytes) differs("size");
  if (event.align_bytes && *event.align_bytes != request.align_bytes) differs("alignment");
  if (!event.device.empty() && event.device != devices_[request.device].name) differs("device");
}

bool Trace::release(const TraceEvent& event, TraceStep& step) {
  const std::uint32_t owner = form_ == TraceForm::csv ? 0 : device_of(event.device);
  const auto slot =
      event.id.size() > LiveIds::kMaxIdBytes ? std::nullopt : ids_.remove(owner, event.id);
  if (!slot && form_ == TraceForm::kernel) {
    ++counts_.freed_unseen;
    return false;
  }
  if (!slot) throw text_.refusal(fmt::format("frees {}, which does not live", event.id));
  const TraceRequest& request = live_[*slot];
  check_free(event, request);
  ++counts_.frees;
  step = {.is_alloc = false, .slot = *slot, .request = request};
  step.request.time_ns = event.time_ns;
  step.request.line = text_.number();
  return true;
}

bool Trace::next(TraceStep& step) {
  if (to_give_back_) {
    const std::uint32_t slot = *std::exchange(to_give_back_, std::nullopt);
    step = {.is_alloc = false, .slot = slot, .request = live_[slot]};
    return true;
  }
  while (read(event_)) {
    check_time(event_);
    if (event_.op == TraceEvent::Op::alloc) {
      allocate(event_, step);
      return true;
    }
    if (release(event_, step)) return true;
  }
  return false;
}

}  // namespace carveout::cli
