// What every verb does to memory before it hands it out.
#pragma once

#include "carveout/core/attributes.hpp"
#include "carveout/pool/pool.hpp"

namespace carveout::detail {

/// Makes a block what its owner was promised: nothing of it in a cache that could be written back
/// over it or read instead of it, and nothing of an earlier owner's in it.
///
/// @param view  through which the owner will use it.
/// @param caches_seen  whoever uses it besides the CPU sees the caches: memory without an uncached
///                     view, which is zeroed through the cache, needs no work then.
void prepare(Block& block, View view, Attributes attributes, bool caches_seen);

}  // namespace carveout::detail
