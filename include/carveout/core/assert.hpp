// Preconditions. Removed by their own name and never by NDEBUG: a release build of an application
// should not lose the checks of its memory by accident.
#pragma once

namespace carveout {

/// Called when the caller of the library broke a precondition. The application defines it when it
/// builds with CARVEOUT_ASSERT_HOOK; without, a broken precondition traps.
[[noreturn]] void assertion_failed(const char* what, const char* file, int line) noexcept;

}  // namespace carveout

#if defined(CARVEOUT_NO_ASSERT)
#define CARVEOUT_ASSERT(condition) static_cast<void>(0)
#elif defined(CARVEOUT_ASSERT_HOOK)
#define CARVEOUT_ASSERT(condition)    \
  ((condition) ? static_cast<void>(0) \
               : ::carveout::assertion_failed(#condition, __FILE__, __LINE__))
#else
#define CARVEOUT_ASSERT(condition) ((condition) ? static_cast<void>(0) : __builtin_trap())
#endif
