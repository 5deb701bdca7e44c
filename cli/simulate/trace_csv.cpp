// The CSV form of a trace, and times as both forms write them.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

#include "sizes.hpp"
#include "trace_event.hpp"

namespace carveout::cli {
namespace {

constexpr std::size_t kFields = 6;
using Fields = std::array<std::string_view, kFields>;

[[noreturn]] void bad_count(std::size_t fields) {
  throw BadLine{fmt::format("has {}{} fields, not the {} of '{}'", fields,
                            fields > kFields ? " or more" : "", kFields, kCsvHeader)};
}

Fields split(std::string_view line) {
  Fields fields;
  std::size_t count = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != ',') continue;
    if (count + 1 == kFields) bad_count(kFields + 1);
    fields[count++] = line.substr(first, i - first);
    first = i + 1;
  }
  fields[count++] = line.substr(first);
  if (count != kFields) bad_count(count);
  return fields;
}

/// The same of a line that has quotes. What they enclose is written to `room`, which never grows
/// past the line, so that what was written there stays where it is.
Fields split_quoted(std::string_view line, std::string& room) {
  room.clear();
  room.reserve(line.size());
  Fields fields;
  std::size_t count = 0;
  while (true) {
    if (count == kFields) bad_count(kFields + 1);
    const std::size_t begin = room.size();
    if (line.starts_with('"')) {
      line.remove_prefix(1);
      while (true) {
        const std::size_t quote = line.find('"');
        if (quote == std::string_view::npos) throw BadLine{"has a quote that does not end"};
        room += line.substr(0, quote);
        line.remove_prefix(quote + 1);
        if (!line.starts_with('"')) break;
        room += '"';
        line.remove_prefix(1);
      }
      if (!line.empty() && line.front() != ',') {
        throw BadLine{"has something behind the quote that ends a field"};
      }
      fields[count++] = std::string_view{room}.substr(begin);
    } else {
      const std::string_view field = line.substr(0, line.find(','));
      if (field.contains('"')) throw BadLine{"has a quote inside a field"};
      fields[count++] = field;
      line.remove_prefix(field.size());
    }
    if (line.empty()) break;
    line.remove_prefix(1);  // the comma
  }
  if (count != kFields) bad_count(count);
  return fields;
}

/// A size as people type it; most are a few decimal digits.
std::uint64_t size_of(std::string_view field) {
  std::uint64_t value = 0;
  if (!field.empty() && field.size() < 19) {
    std::size_t i = 0;
    for (; i < field.size(); ++i) {
      const unsigned digit = static_cast<unsigned char>(field[i]) - unsigned{'0'};
      if (digit > 9) break;
      value = value * 10 + digit;
    }
    if (i == field.size()) return value;
  }
  const auto size = parse_size(field);
  if (!size) throw BadLine{fmt::format("{} ({})", size.error().what, size.error().where)};
  return *size;
}

[[noreturn]] void bad_time(std::string_view seconds) {
  throw BadLine{fmt::format("'{}' is no time in seconds", seconds)};
}

constexpr std::uint64_t kMaxSeconds = 9'000'000'000;  // in nanoseconds under 2^63
constexpr std::uint64_t kNsInSecond = 1'000'000'000;

/// With an exponent, or without a digit in front of the point.
std::uint64_t nanoseconds_slowly(std::string_view seconds) {
  double value = 0;
  const char* const last = seconds.data() + seconds.size();
  const auto [end, error] = std::from_chars(seconds.data(), last, value);
  const bool fits = value >= 0 && value < static_cast<double>(kMaxSeconds);
  if (error != std::errc{} || end != last || std::signbit(value) || !fits) bad_time(seconds);
  return static_cast<std::uint64_t>(value * static_cast<double>(kNsInSecond));
}

}  // namespace

std::uint64_t nanoseconds(std::string_view seconds) {
  std::uint64_t whole = 0;
  std::size_t i = 0;
  const auto digit_at = [&](std::size_t at) {
    return at < seconds.size() ? static_cast<unsigned char>(seconds[at]) - unsigned{'0'} : 10U;
  };
  for (unsigned digit = digit_at(i); digit < 10; digit = digit_at(++i)) {
    whole = whole * 10 + digit;
    if (whole >= kMaxSeconds) bad_time(seconds);
  }
  std::uint64_t fraction = 0;
  const bool has_whole = i != 0;
  if (has_whole && i < seconds.size() && seconds[i] == '.') {
    ++i;
    std::uint64_t unit = kNsInSecond / 10;
    for (unsigned digit = digit_at(i); digit < 10; digit = digit_at(++i)) {
      fraction += digit * unit;
      unit /= 10;
    }
  }
  if (has_whole && i == seconds.size()) return whole * kNsInSecond + fraction;
  return nanoseconds_slowly(seconds);
}

void read_csv_line(std::string_view line, TraceEvent& event, std::string& unquoted) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) throw BadLine{"is empty"};
  const Fields fields = line.contains('"') ? split_quoted(line, unquoted) : split(line);
  const auto& [time, op, id, device, size, align] = fields;
  event = {};
  event.time_ns = nanoseconds(time);
  if (op == "free") {
    event.op = TraceEvent::Op::free;
  } else if (op != "alloc") {
    throw BadLine{fmt::format("'{}' is no op: alloc or free", op)};
  }
  if (id.empty()) throw BadLine{"has no id"};
  event.id = id;
  event.device = device;
  if (!size.empty()) event.size_bytes = size_of(size);
  if (!align.empty()) event.align_bytes = size_of(align);
  if (event.op == TraceEvent::Op::alloc && !event.size_bytes) throw BadLine{"allocates no size"};
}

}  // namespace carveout::cli
