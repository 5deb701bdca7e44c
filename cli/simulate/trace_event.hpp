// One line of a trace, in either of the two forms that `simulate` reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "carveout/core/attributes.hpp"

namespace carveout::cli {

/// The two forms. Which one a trace has is seen by its first line.
enum class TraceForm : std::uint8_t {
  csv,     ///< `time,op,id,device,size,align`
  kernel,  ///< what Linux's events dma:dma_alloc and dma:dma_free print
};

/// What a line says. The texts are good until the next line is read.
struct TraceEvent {
  enum class Op : std::uint8_t { alloc, free };

  Op op = Op::alloc;
  std::uint64_t time_ns = 0;
  /// Names the allocation among those that live: what was written, or the device address.
  std::string_view id = {};
  std::string_view device = {};  ///< as written; empty: none is named
  /// Nothing where the line of a free does not say.
  std::optional<std::uint64_t> size_bytes = std::nullopt;
  std::optional<std::uint64_t> align_bytes = std::nullopt;
  Attributes attributes = Attributes::none;
  Context context = Context::may_wait;
  bool refused_when_recorded = false;  ///< an alloc that failed on the machine of the trace
};

/// What is wrong with a line. Caught by the reader, which knows its number.
struct BadLine {
  std::string what;
};

inline constexpr std::string_view kCsvHeader = "time,op,id,device,size,align";

/// Reads a line of the first form. Fields may stand in double quotes, and then hold commas, and
/// quotes that are written twice. Throws BadLine.
///
/// Writes field by field, and leaves alone what this form cannot say: a whole event that is made
/// and then copied takes a tenth of the time of a replay.
///
/// @param unquoted  room for what quotes change; the event may look into it.
void read_csv_line(std::string_view line, TraceEvent& event, std::string& unquoted);

/// What a line of the second form is.
enum class KernelLine : std::uint8_t {
  event,   ///< dma_alloc or dma_free
  other,   ///< another event
  header,  ///< of the recording: a comment, how many processors, an empty buffer
};

/// Reads a line of the second form. Throws BadLine: it is none of these, or says that events were
/// lost.
///
/// Source: Linux v6.12 to 2026, include/trace/events/dma.h; the words around the events are those
/// of the file `trace` of tracefs, `trace-cmd report` and `perf script`.
[[nodiscard]] KernelLine read_kernel_line(std::string_view line, TraceEvent& event);

/// Seconds as digits, perhaps a point, digits, and an exponent; digits past the nanosecond are cut
/// off. Throws BadLine.
[[nodiscard]] std::uint64_t nanoseconds(std::string_view seconds);

}  // namespace carveout::cli
