// The CSV form of a trace, and times as both forms write them.
#include <fmt/format.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
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

constexpr std::uint64_t kEach = 0x0101010101010101U;

/// Eight characters, of which the first is the lowest byte.
std::uint64_t eight_at(const char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof(word));
  if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
  return word;
}

/// Which of at most 64 bytes are that one, a bit each. Eight at a time, and without a branch on
/// what they are: fields have any lengths, and a wrong guess for each is most of the cost of a
/// line.
std::uint64_t places_of(char byte, std::string_view text) {
  constexpr std::uint64_t kLow = 0x7f * kEach;
  const std::uint64_t eight_times = kEach * static_cast<unsigned char>(byte);
  const auto among_eight = [&](std::size_t from) {
    const std::uint64_t differs = eight_at(text.data() + from) ^ eight_times;
    const std::uint64_t same = ~(((differs & kLow) + kLow) | differs | kLow);  // the top bits
    return (((same >> 7) * 0x0102040810204080U) >> 56) << from;                // put together
  };
  std::uint64_t places = 0;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) places |= among_eight(i);
  if (i == text.size()) return places;
  if (i != 0) return places | among_eight(text.size() - 8);  // some of them twice
  for (; i < text.size(); ++i) places |= std::uint64_t{text[i] == byte} << i;
  return places;
}

Fields split(std::string_view line) {
  std::array<std::size_t, kFields> ends;  // NOLINT: written before it is read
  std::size_t count = 0;
  for (std::size_t block = 0; block < line.size(); block += 64) {
    std::uint64_t commas = places_of(',', line.substr(block, 64));
    for (; commas != 0; commas &= commas - 1) {
      if (count + 1 == kFields) bad_count(kFields + 1);
      ends[count++] = block + static_cast<unsigned>(std::countr_zero(commas));
    }
  }
  ends[count++] = line.size();
  if (count != kFields) bad_count(count);
  const auto field = [&](std::size_t i) {
    const std::size_t first = i == 0 ? 0 : ends[i - 1] + 1;
    return std::string_view{line.data() + first, ends[i] - first};
  };
  return {field(0), field(1), field(2), field(3), field(4), field(5)};
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

TraceEvent::Op op_of(std::string_view field) {
  if (field == "alloc") return TraceEvent::Op::alloc;
  if (field == "free") return TraceEvent::Op::free;
  throw BadLine{fmt::format("'{}' is no op: alloc or free", field)};
}

/// A size as people type it, or nothing; most are a few decimal digits.
void read_size(std::string_view field, std::optional<std::uint64_t>& bytes) {
  bytes.reset();
  if (field.empty()) return;
  std::uint64_t value = 0;
  std::size_t i = 0;
  for (; i < field.size() && i < 19; ++i) {
    const unsigned digit = static_cast<unsigned char>(field[i]) - unsigned{'0'};
    if (digit > 9) break;
    value = value * 10 + digit;
  }
  bytes = value;
  if (i == field.size()) return;
  const auto size = parse_size(field);
  if (!size) throw BadLine{fmt::format("{} ({})", size.error().what, size.error().where)};
  bytes = *size;
}

[[noreturn]] void bad_time(std::string_view seconds) {
  throw BadLine{fmt::format("'{}' is no time in seconds", seconds)};
}

constexpr std::uint64_t kMaxSeconds = 9'000'000'000;  // in nanoseconds under 2^63
constexpr std::uint64_t kNsInSecond = 1'000'000'000;
constexpr std::uint64_t kPowersOfTen[] = {1,       10,        100,        1'000,      10'000,
                                          100'000, 1'000'000, 10'000'000, 100'000'000};

/// The number that the last characters are, one to eight of a text of eight or more; nothing where
/// one of them is no digit.
std::optional<std::uint64_t> last_digits(std::string_view text, std::size_t count) {
  const std::uint64_t others = (std::uint64_t{1} << (8 * (8 - count))) - 1;
  const std::uint64_t word = eight_at(text.data() + text.size() - 8);
  std::uint64_t digits = (word ^ ('0' * kEach)) & ~others;
  if (((digits | (digits + 0x76 * kEach)) & (0x80 * kEach)) != 0) return std::nullopt;
  digits = (digits * (10 * 0x100 + 1)) >> 8;  // pairs, then pairs of them, then both halves
  digits = ((digits & 0x00ff00ff00ff00ffU) * (100 * 0x10000 + 1)) >> 16;
  return ((digits & 0x0000ffff0000ffffU) * (10000 * 0x100000000U + 1)) >> 32;
}

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
    const std::size_t decimals = seconds.size() - i;
    if (decimals != 0 && decimals <= 8 && seconds.size() >= 8) {
      const auto digits = last_digits(seconds, decimals);
      if (digits) return whole * kNsInSecond + *digits * kPowersOfTen[9 - decimals];
    }
    unsigned places = 0;
    for (unsigned digit = digit_at(i); digit < 10; digit = digit_at(++i)) {
      if (places == 9) continue;
      fraction = fraction * 10 + digit;
      ++places;
    }
    for (; places < 9; ++places) fraction *= 10;
  }
  if (has_whole && i == seconds.size()) return whole * kNsInSecond + fraction;
  return nanoseconds_slowly(seconds);
}

void read_csv_line(std::string_view line, TraceEvent& event, std::string& unquoted) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) throw BadLine{"is empty"};
  const Fields fields = line.contains('"') ? split_quoted(line, unquoted) : split(line);
  const auto& [time, op, id, device, size, align] = fields;
  event.op = op_of(op);
  event.time_ns = nanoseconds(time);
  event.id = id;
  event.device = device;
  read_size(size, event.size_bytes);
  read_size(align, event.align_bytes);
  if (id.empty()) throw BadLine{"has no id"};
  if (event.op == TraceEvent::Op::alloc && size.empty()) throw BadLine{"allocates no size"};
}

}  // namespace carveout::cli
