// The form that Linux's tracing prints.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>
#include <tuple>

#include "trace_event.hpp"

namespace carveout::cli {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// What stands behind the name of the task: a time, an event, what it says.
struct Parts {
  std::string_view seconds;
  std::string_view event;
  std::string_view said;
};

/// Finds ` 123.456789: dma_alloc: `. A task may have any name, so what counts is the first time
/// that is followed by the name of an event.
std::optional<Parts> parts_of(std::string_view line) {
  for (std::size_t colon = line.find(": "); colon != std::string_view::npos;
       colon = line.find(": ", colon + 1)) {
    std::size_t first = colon;
    while (first > 0 && (is_digit(line[first - 1]) || line[first - 1] == '.')) --first;
    const std::string_view seconds = line.substr(first, colon - first);
    const bool alone = first == 0 || line[first - 1] == ' ' || line[first - 1] == '\t';
    if (!alone || std::ranges::count(seconds, '.') != 1 || !is_digit(seconds.front())) continue;
    std::string_view rest = line.substr(colon + 1);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (rest.starts_with("dma:")) rest.remove_prefix(4);  // as perf script names the system
    const auto end =
        static_cast<std::size_t>(std::ranges::find_if_not(rest, is_word) - rest.begin());
    if (end == 0 || end == rest.size() || rest[end] != ':') continue;
    return Parts{seconds, rest.substr(0, end), rest.substr(end + 1)};
  }
  return std::nullopt;
}

/// The value behind ` key=`, up to a space; nothing where there is no such key.
std::optional<std::string_view> value_of(std::string_view said, std::string_view key) {
  const std::size_t at = said.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  said.remove_prefix(at + key.size());
  return said.substr(0, said.find(' '));
}

std::uint64_t number_of(std::string_view said, std::string_view key, int base) {
  const auto text = value_of(said, key);
  if (!text) throw BadLine{fmt::format("has no '{}'", key.substr(1))};
  std::string_view digits = *text;
  if (base == 16 && digits.starts_with("0x")) digits.remove_prefix(2);
  std::uint64_t value = 0;
  const char* const last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, value, base);
  if (error != std::errc{} || end != last) {
    throw BadLine{fmt::format("has '{}{}', which is no number of 64 bits", key.substr(1), *text)};
  }
  return value;
}

/// As the kernel prints it, as trace-cmd and perf do, which leave it to glibc, or as zeroes.
/// Source: libtraceevent of 2024, src/event-parse.c, print_arg_pointer().
bool is_null(std::string_view pointer) {
  if (pointer == "(null)" || pointer == "(nil)") return true;
  if (pointer.starts_with("0x")) pointer.remove_prefix(2);
  return !pointer.empty() && pointer.find_first_not_of('0') == std::string_view::npos;
}

/// What decides who serves the request: the attributes, and whether the caller may be kept waiting.
void read_wishes(std::string_view said, TraceEvent& event) {
  const auto attributes = value_of(said, " attrs=");
  if (attributes && attributes->contains("NO_KERNEL_MAPPING")) {
    event.attributes = event.attributes | Attributes::no_cpu_mapping;
  }
  if (attributes && attributes->contains("FORCE_CONTIGUOUS")) {
    event.attributes = event.attributes | Attributes::force_contiguous;
  }
  const auto flags = value_of(said, " flags=");
  if (flags && (flags->contains("GFP_ATOMIC") || flags->contains("GFP_NOWAIT"))) {
    event.context = Context::must_not_wait;
  }
}

void read_event(const Parts& parts, TraceEvent& event) {
  std::string_view said = parts.said;
  event = {};
  event.op = parts.event == "dma_free" ? TraceEvent::Op::free : TraceEvent::Op::alloc;
  event.time_ns = nanoseconds(parts.seconds);
  const std::size_t behind = std::min(said.find(" dir="), said.find(" dma_addr="));
  if (behind == std::string_view::npos) throw BadLine{"has no 'dma_addr='"};
  event.device = said.substr(0, behind);
  event.device.remove_prefix(std::min(event.device.find_first_not_of(' '), behind));
  if (event.device.empty()) throw BadLine{"names no device"};
  said.remove_prefix(behind);
  std::ignore = number_of(said, " dma_addr=", 16);
  event.id = *value_of(said, " dma_addr=");
  event.size_bytes = number_of(said, " size=", 10);
  if (event.op == TraceEvent::Op::free) return;
  const auto pointer = value_of(said, " virt_addr=");
  event.refused_when_recorded = pointer && is_null(*pointer);
  read_wishes(said, event);
}

bool is_header(std::string_view line) {
  constexpr std::string_view kStarts[] = {"#", "cpus=", "version = "};
  for (const std::string_view start : kStarts) {
    if (line.starts_with(start)) return true;
  }
  return line.starts_with("CPU ") && line.ends_with(" is empty");
}

}  // namespace

KernelLine read_kernel_line(std::string_view line, TraceEvent& event) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (is_header(line)) return KernelLine::header;
  if (const auto parts = parts_of(line)) {
    if (parts->event != "dma_alloc" && parts->event != "dma_free") return KernelLine::other;
    read_event(*parts, event);
    return KernelLine::event;
  }
  if (line.contains("EVENTS DROPPED") || (line.contains("[LOST ") && line.contains(" EVENTS]"))) {
    throw BadLine{
        "says that events were lost, so nobody knows what lives: record again with a larger "
        "buffer"};
  }
  throw BadLine{"is no event with a time in seconds"};
}

}  // namespace carveout::cli
