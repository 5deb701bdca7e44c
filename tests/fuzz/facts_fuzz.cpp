// Any bytes as the file of --facts: facts that a board can be held against, or a refusal of one
// line.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>

#include "lint/facts.hpp"
#include "lint_with.hpp"

using namespace carveout;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cli::UserFile file = fuzz::file_of(data, size);
  try {
    cli::ChipFacts facts = cli::read_facts(file);
    for (const std::uint64_t line : facts.cache_lines) fuzz::require(std::has_single_bit(line));
    for (const PhysRange range : facts.slow) fuzz::require(!range.empty() && !range.wraps());
    for (const auto& [node, range] : facts.reaches) {
      fuzz::require(!node.empty() && !range.empty() && !range.wraps());
    }
    const std::size_t stated = facts.cache_lines.size() + facts.reaches.size() + facts.slow.size() +
                               facts.rate_critical.size() + facts.sections.size() +
                               (facts.mpu_regions ? 1 : 0);
    fuzz::require(stated <= 1 + static_cast<std::size_t>(std::ranges::count(file.bytes, '\n')));
    std::ignore = fuzz::lint_with({.facts = std::move(facts)});
  } catch (const cli::Refusal& refusal) {
    fuzz::require_refusal_of_file(refusal);
  }
  return 0;
}
