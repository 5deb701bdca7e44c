// A trace of allocations, checked as it is read: what happens, to which allocation, by whom.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "live_ids.hpp"
#include "trace_event.hpp"
#include "trace_text.hpp"

namespace carveout::cli {

/// What a trace asked for; kept for every allocation that lives.
struct TraceRequest {
  std::uint64_t size_bytes;
  std::uint64_t align_bytes;  ///< 1 where the trace does not say
  std::uint64_t time_ns;
  std::uint64_t line;
  std::uint32_t device;  ///< its place in Trace::devices()
  Attributes attributes;
  Context context;
};

/// One event, as who replays it wants it.
struct TraceStep {
  bool is_alloc;
  std::uint32_t slot;  ///< of the allocation: below Trace::slots(), and given again after the free
  TraceRequest request;  ///< of the allocation; of a free, `time_ns` and `line` are the free's
};

/// What was read besides the steps.
struct TraceCounts {
  std::uint64_t allocations = 0;
  std::uint64_t frees = 0;
  std::uint64_t other_events = 0;    ///< of the kernel's: neither dma_alloc nor dma_free
  std::uint64_t freed_unseen = 0;    ///< of the kernel's: allocated before the trace begins
  std::uint64_t refused_before = 0;  ///< of the kernel's: failed when it was recorded
  std::uint32_t most_live = 0;
  std::uint64_t first_ns = 0;
  std::uint64_t last_ns = 0;
};

/// Reads a trace from its first line to its last, as often as is wanted. What is kept is bounded by
/// the allocations that live at once and by kMaxDevices, not by the length of the trace.
///
/// Everything that does not fit is a Refusal with the line: an id that lives and is allocated, a
/// free of what does not live or with another size, alignment or device than it was allocated with,
/// time that runs backwards. In the kernel's form a free of what was allocated before the trace
/// begins is counted and no more, and what had failed when it was recorded is asked for and given
/// back at once, because its driver had nothing to give back later.
class Trace {
 public:
  static constexpr std::size_t kMaxDevices = 1024;
  static constexpr std::uint32_t kMaxLive = 1U << 24;

  /// Reads the first line. Throws Refusal: it belongs to neither form.
  explicit Trace(TraceText text);

  /// @return false behind the last event. Throws Refusal.
  [[nodiscard]] bool next(TraceStep& step);
  /// From the first event again. What is known of devices stays.
  void rewind();

  [[nodiscard]] TraceForm form() const { return form_; }
  [[nodiscard]] const std::string& source() const { return text_.source(); }
  /// Of what was read since the first event.
  [[nodiscard]] const TraceCounts& counts() const { return counts_; }
  struct Device {
    std::string name;    ///< as written; empty where none is named
    std::uint64_t line;  ///< where it is named first
  };
  /// In the order in which they were named first.
  [[nodiscard]] std::span<const Device> devices() const { return devices_; }
  /// Of a slot whose allocation lives.
  [[nodiscard]] const TraceRequest& request(std::uint32_t slot) const { return live_[slot]; }
  [[nodiscard]] const LiveIds& ids() const { return ids_; }

 private:
  bool read(TraceEvent& event);
  void check_time(const TraceEvent& event);
  std::uint32_t device_of(std::string_view name);
  void allocate(const TraceEvent& event, TraceStep& step);
  bool release(const TraceEvent& event, TraceStep& step);
  void check_free(const TraceEvent& event, const TraceRequest& request);

  TraceText text_;
  TraceForm form_ = TraceForm::csv;
  TraceEvent event_;  ///< that was read last: a new one for each line would be cleared twice
  std::string unquoted_;
  TraceCounts counts_;
  bool has_time_ = false;
  LiveIds ids_;
  std::vector<TraceRequest> live_;             ///< by slot
  std::optional<std::uint32_t> to_give_back_;  ///< asked for in the step before, and failed once
  std::vector<Device> devices_;
  std::unordered_map<std::string, std::uint32_t> by_name_;
  std::uint32_t last_device_ = 0;
};

}  // namespace carveout::cli
