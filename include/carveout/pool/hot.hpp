// Which functions a caller's compiler is told to inline.
#pragma once

/// Of every alloc and free: inlined where time counts, and in a program that is compiled for size
/// one copy for all.
#ifdef __OPTIMIZE_SIZE__
#define CARVEOUT_HOT [[gnu::noinline]]
#else
#define CARVEOUT_HOT [[gnu::always_inline]]
#endif

namespace carveout::tables {

#ifdef __OPTIMIZE_SIZE__
inline constexpr bool kForSize = true;
#else
inline constexpr bool kForSize = false;
#endif

}  // namespace carveout::tables
