#include "longest_run.hpp"

#include <algorithm>
#include <cstddef>

namespace carveout::cli {

std::uint64_t longest_run(const Pool& pool) {
  std::uint64_t longest = 0;
  std::size_t chunk = 0;
  const auto chunks = pool.chunks();
  std::uint64_t free_from = chunks.front().range.base.raw();
  const auto end_chunk = [&] {
    const PhysRange range = chunks[chunk].range;
    longest = std::max(longest, range.size_bytes - (free_from - range.base.raw()));
    if (++chunk < chunks.size()) free_from = chunks[chunk].range.base.raw();
  };
  pool.visit([&](const carveout::Held& held) {
    while (!chunks[chunk].range.contains(held.range.base)) end_chunk();
    longest = std::max(longest, held.range.base.raw() - free_from);
    free_from = held.range.base.raw() + held.range.size_bytes;
  });
  while (chunk < chunks.size()) end_chunk();
  return longest;
}

}  // namespace carveout::cli
