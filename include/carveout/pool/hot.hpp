// Which functions a caller's compiler is told to inline.
#pragma once

#include <type_traits>

/// Of every alloc and free: inlined where time counts. For size, the compiler decides.
#ifdef __OPTIMIZE_SIZE__
#define CARVEOUT_HOT
#else
#define CARVEOUT_HOT [[gnu::always_inline]]
#endif

/// Of what is seldom called: kept out of the way of what is not. For size, the compiler decides.
#ifdef __OPTIMIZE_SIZE__
#define CARVEOUT_RARE
#else
#define CARVEOUT_RARE [[gnu::noinline]]
#endif

/// Of what is long and has one caller in every store: for size, one copy for all. Where time
/// counts, the compiler decides.
#ifdef __OPTIMIZE_SIZE__
#define CARVEOUT_ONE_COPY [[gnu::noinline]]
#else
#define CARVEOUT_ONE_COPY
#endif

namespace carveout::tables {

/// What is compiled for size has one way to allocate instead of two: it parks no block, and treats
/// a plain request as any other. What it promises is the same.
#ifdef __OPTIMIZE_SIZE__
inline constexpr bool kForSize = true;
#else
inline constexpr bool kForSize = false;
#endif

/// How what is inlined hands an argument to what is not: by a copy, so that its own has no address
/// and stays in registers.
template <class T>
using Apart = std::conditional_t<kForSize, const T&, T>;

}  // namespace carveout::tables
