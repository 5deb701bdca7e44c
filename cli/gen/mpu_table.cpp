// carveout_mpu.hpp: the regions that make the pools uncached, and the proof that they do.
#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "carveout/port/pmsa_v8.hpp"
#include "gen/files.hpp"
#include "gen/mpu.hpp"

namespace carveout::cli {
namespace {

/// What differs between the two architectures.
struct Architecture {
  std::string_view name_space;
  std::string_view second_register;
  std::string_view order;
};

constexpr Architecture kV7{.name_space = "pmsa_v7",
                           .second_register = "rasr",
                           .order =
                               "// Give them the highest numbers of the unit: of two regions "
                               "over one address the higher\n// number wins.\n"};
constexpr Architecture kV8{.name_space = "pmsa_v8",
                           .second_register = "rlar",
                           .order =
                               "// No other region may have an address of theirs: that is a "
                               "fault.\n"};

/// Of a region, the bytes that are no pool's.
std::uint64_t swallowed_bytes(const GenPlan& plan, const GenRegion& region) {
  std::uint64_t bytes = region.covered.size_bytes;
  for (const GenPool& pool : plan.pools) {
    for (const GenRange& chunk : pool.chunks) {
      bytes -= region.covered.intersection(chunk.range).size_bytes;
    }
  }
  return bytes;
}

/// The first region with a byte of a chunk, and how many there are up to the last.
std::pair<std::size_t, std::size_t> regions_over(const GenPlan& plan, PhysRange chunk) {
  std::size_t first = 0;
  while (!plan.regions[first].covered.overlaps(chunk)) ++first;
  std::size_t end = plan.regions.size();
  while (!plan.regions[end - 1].covered.overlaps(chunk)) --end;
  return {first, end - first};
}

/// What the Secure world tells its security attribution unit of the pools.
std::string non_secure_text(const GenPlan& plan) {
  std::string rows;
  std::string proof;
  std::size_t count = 0;
  for (std::size_t pool = 0; pool < plan.pools.size(); ++pool) {
    if (plan.pools[pool].secure) continue;
    for (std::size_t i = 0; i < plan.pools[pool].chunks.size(); ++i) {
      const GenRange& chunk = plan.pools[pool].chunks[i];
      // Whole granules of 32 bytes, under 4 GiB: it was in a region of the MPU.
      const auto region = *pmsa_v8::non_secure_around(chunk.range);
      rows += fmt::format("    // {}\n    {{.rbar = {:#x}, .rlar = {:#x}}},\n", chunk.id,
                          region.rbar, region.rlar);
      proof += fmt::format(
          "static_assert(kNonSecureRegions[{}].covered() == kChunks{}[{}],\n"
          "              \"not what of {} is Non-secure\");\n",
          count++, pool, i, chunk.id);
    }
  }
  if (count == 0) return {};
  return fmt::format(
      "/// For SAU_RBAR and SAU_RLAR. Pools that are in none of them stay Secure.\n"
      "inline constexpr carveout::pmsa_v8::NonSecure kNonSecureRegions[]{{\n{}}};\n{}\n",
      rows, proof);
}

}  // namespace

std::string mpu_text(const GenPlan& plan, const GenRequest& request, std::string_view layout) {
  const Architecture& v = request.target == GenTarget::armv7m ? kV7 : kV8;
  std::string text;
  const auto add = [&]<class... T>(fmt::format_string<T...> format, T&&... arguments) {
    fmt::format_to(std::back_inserter(text), format, std::forward<T>(arguments)...);
  };
  add("// clang-format off\n"
      "// Made by `carveout gen`: a change is lost when it is made again.\n"
      "//\n"
      "// The regions of the memory protection unit that make the pools of carveout_tables.hpp "
      "uncached.\n"
      "#pragma once\n"
      "\n"
      "#include <carveout/map/alias.hpp>\n"
      "#include <carveout/port/{0}.hpp>\n"
      "#include <cstddef>\n"
      "#include <cstdint>\n"
      "#include <iterator>\n"
      "\n"
      "#include \"carveout_tables.hpp\"\n"
      "\n"
      "namespace {1} {{\n"
      "\n"
      "static_assert(kLayout == 0x{2}, \"carveout_tables.hpp is of another run\");\n"
      "\n",
      v.name_space, request.name_space, layout.empty() ? "0" : layout);
  if (request.target == GenTarget::armv8m) {
    add("/// The field of MPU_MAIR1 (bits 31 to 24) that the regions name, and what it is to "
        "say.\n"
        "inline constexpr unsigned kMairIndex = {};\n"
        "inline constexpr std::uint32_t kMairValue = carveout::pmsa_v8::kNonCacheable;\n\n",
        kMairIndex);
  }
  if (!plan.regions.empty()) {
    add("{}inline constexpr carveout::{}::Region kMpuRegions[]{{\n", v.order, v.name_space);
    for (const GenRegion& region : plan.regions) {
      add("    // {}: {:#x} to {:#x}", names_in(plan, region), region.covered.base.raw(),
          region.covered.last().raw());
      if (const std::uint64_t extra = swallowed_bytes(plan, region); extra != 0) {
        add(", {:#x} bytes more than the pool", extra);
      }
      add("\n    {{.rbar = {:#x}, .{} = {:#x}}},\n", region.rbar, v.second_register,
          region.rasr_or_rlar);
    }
    add("}};\n"
        "static_assert(std::size(kMpuRegions) <= {}, \"more than `--mpu-regions`\");\n",
        request.mpu_regions);
    for (std::size_t pool = 0; pool < plan.pools.size(); ++pool) {
      for (std::size_t i = 0; i < plan.pools[pool].chunks.size(); ++i) {
        const GenRange& chunk = plan.pools[pool].chunks[i];
        const auto [first, count] = regions_over(plan, chunk.range);
        add("static_assert(carveout::{}::cover({{&kMpuRegions[{}], {}}}, "
            "kChunks{}[{}]),\n              \"{} is cached\");\n",
            v.name_space, first, count, pool, i, chunk.id);
      }
    }
    add("\n/// With the regions in force the pools are at one address, and not cached: for "
        "Platform::aliases.\n"
        "inline constexpr carveout::Alias kAliases[]{{\n");
    for (std::size_t pool = 0; pool < plan.pools.size(); ++pool) {
      for (std::size_t i = 0; i < plan.pools[pool].chunks.size(); ++i) {
        add("    {{kChunks{0}[{1}].base, kChunks{0}[{1}].base, kChunks{0}[{1}].size_bytes}},\n",
            pool, i);
      }
    }
    add("}};\n\n");
  }
  if (request.world == GenWorld::secure) text += non_secure_text(plan);
  add("}}  // namespace {}\n", request.name_space);
  return text;
}

}  // namespace carveout::cli
