#include "facts.hpp"

#include <fmt/format.h>

#include <span>

#include "carveout/core/size.hpp"
#include "refusal.hpp"
#include "sizes.hpp"

namespace carveout::cli {
namespace {

std::uint64_t size_in(std::string_view text, std::string_view subject, std::string_view where) {
  const auto number = parse_size(text);
  if (!number) throw Refusal{subject, number.error().what, where};
  return *number;
}

}  // namespace

PhysRange parse_range(std::string_view text, std::string_view subject, std::string_view where) {
  const std::size_t plus = text.find('+');
  if (plus == std::string_view::npos) {
    throw Refusal{subject, fmt::format("'{}' is no BASE+SIZE", text), where};
  }
  const PhysRange range{PhysAddr{size_in(text.substr(0, plus), subject, where)},
                        size_in(text.substr(plus + 1), subject, where)};
  if (range.empty() || range.wraps()) {
    throw Refusal{subject, fmt::format("'{}' is empty or passes 2^64", text), where};
  }
  return range;
}

ChipFacts read_facts(const UserFile& file) {
  ChipFacts facts;
  for_each_line(file, [&](std::size_t number, std::span<const std::string_view> words) {
    const std::string where = fmt::format("line {}", number);
    const std::string_view key = words[0];
    const auto is = [&](std::string_view name, std::size_t values) {
      if (key != name) return false;
      if (words.size() != values + 1) {
        throw Refusal{file.name, fmt::format("{} takes {} values", name, values), where};
      }
      return true;
    };
    if (is("cache-line", 1)) {
      const std::uint64_t line = size_in(words[1], file.name, where);
      if (!is_power_of_two(line)) throw Refusal{file.name, "a cache line is a power of two", where};
      facts.cache_lines.push_back(line);
    } else if (is("mpu-regions", 1)) {
      const auto count = parse_count(words[1], 0, 256);
      if (!count) throw Refusal{file.name, count.error().what, where};
      if (facts.mpu_regions) throw Refusal{file.name, "mpu-regions is there twice", where};
      facts.mpu_regions = static_cast<std::uint32_t>(*count);
    } else if (is("reaches", 2)) {
      facts.reaches.push_back({std::string{words[1]}, parse_range(words[2], file.name, where)});
    } else if (is("slow", 1)) {
      facts.slow.push_back(parse_range(words[1], file.name, where));
    } else if (is("rate-critical", 1)) {
      facts.rate_critical.emplace_back(words[1]);
    } else if (is("section", 1)) {
      facts.sections.emplace_back(words[1]);
    } else {
      throw Refusal{file.name, fmt::format("'{}' is no fact", key),
                    where + ": cache-line, mpu-regions, reaches, slow, rate-critical, section"};
    }
  });
  return facts;
}

}  // namespace carveout::cli
