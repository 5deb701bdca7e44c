// Any bytes as the file of --elf, where it says and loaded elsewhere: what is in memory, or a
// refusal of one line.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include "lint/facts.hpp"
#include "lint_with.hpp"

using namespace carveout;

namespace {

std::optional<cli::Program> read(const cli::UserFile& file, std::optional<std::uint64_t> load) {
  try {
    cli::Program program = cli::read_program(file, load);
    std::size_t name_bytes = 0;
    fuzz::require(!program.segments.empty());
    for (const PhysRange range : program.segments) fuzz::require(!range.empty() && !range.wraps());
    for (const auto& [name, range] : program.sections) {
      name_bytes += name.size();
      fuzz::require(!range.empty() && !range.wraps());
    }
    fuzz::require(name_bytes <= file.bytes.size());
    return program;
  } catch (const cli::Refusal& refusal) {
    fuzz::require_refusal_of_file(refusal);
    return std::nullopt;
  }
}

std::uint64_t lowest(const cli::Program& program) {
  std::uint64_t base = UINT64_MAX;
  for (const PhysRange range : program.segments) {
    if (range.base.raw() < base) base = range.base.raw();
  }
  return base;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const cli::UserFile file = fuzz::file_of(data, size);
  auto stated = read(file, std::nullopt);
  for (const std::uint64_t load :
       {std::uint64_t{0}, std::uint64_t{0x8010'0000}, std::uint64_t{0xffff'ffff'ffff'0000}}) {
    const auto moved = read(file, load);
    if (!moved) continue;
    // As far apart as before, and nothing below the first.
    fuzz::require(stated && moved->segments.size() == stated->segments.size());
    for (std::size_t i = 0; i < moved->segments.size(); ++i) {
      const PhysRange from = stated->segments[i];
      const PhysRange to = moved->segments[i];
      fuzz::require(to.base.raw() >= load && to.size_bytes == from.size_bytes);
      fuzz::require(to.base.raw() - load == from.base.raw() - lowest(*stated));
    }
  }
  if (stated) {
    cli::ChipFacts facts;
    facts.sections.emplace_back(".dma_buffers");
    std::ignore = fuzz::lint_with({.facts = std::move(facts), .program = std::move(*stated)});
  }
  return 0;
}
