// carveout.ld: the memory that is left, and the pools as sections that nothing else can be put
// into.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "gen/files.hpp"

namespace carveout::cli {
namespace {

constexpr std::string_view kHead =
    R"(/* Made by `carveout gen`: a change is lost when it is made again.
   For the linker script of an image: INCLUDE it outside of any command.

   Memory that the board's tree states and nobody has is memory_*; say where your sections go:
     REGION_ALIAS("ram", memory_...)
   The pools are sections of their own, from carveout_pool_*_start up to carveout_pool_*_end. */
)";

/// As far as its base and its size are multiples of it, and no further than a page.
std::uint64_t alignment_of(PhysRange range) {
  constexpr std::uint64_t kPage = 4096;
  const std::uint64_t common = range.base.raw() | range.size_bytes;
  return std::min(common & (~common + 1), kPage);
}

}  // namespace

std::string linker_text(const GenPlan& plan, std::string_view layout) {
  std::string text{kHead};
  const auto add = [&]<class... T>(fmt::format_string<T...> format, T&&... arguments) {
    fmt::format_to(std::back_inserter(text), format, std::forward<T>(arguments)...);
  };
  const auto region = [&](const GenRange& named) {
    add("  {} : ORIGIN = {:#x}, LENGTH = {:#x}\n", named.id, named.range.base.raw(),
        named.range.size_bytes);
  };
  add("\nMEMORY {{\n");
  for (const GenRange& memory : plan.memory) region(memory);
  for (const GenPool& pool : plan.pools) {
    add("  /* {} */\n", in_comment(pool.path));
    for (const GenRange& chunk : pool.chunks) region(chunk);
  }
  add("}}\n\nSECTIONS {{\n");
  for (const GenPool& pool : plan.pools) {
    for (const GenRange& chunk : pool.chunks) {
      add("  .carveout.{0} (NOLOAD) : ALIGN({1:#x}) {{\n"
          "    carveout_{0}_start = .;\n"
          "    . += LENGTH({0});\n"
          "    carveout_{0}_end = .;\n"
          "  }} > {0}\n",
          chunk.id, alignment_of(chunk.range));
    }
  }
  add("}}\n\n");
  add("/* Defined by carveout_tables.hpp of the same run. */\n"
      "EXTERN(carveout_layout_{0})\n"
      "ASSERT(DEFINED(carveout_layout_{0}),\n"
      "       \"carveout.ld: no object includes the carveout_tables.hpp of the same run\")\n",
      layout);
  return text;
}

}  // namespace carveout::cli
