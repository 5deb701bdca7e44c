// A program of allocator operations, on pools of any layout and store: what the naive pool says, or
// a finding. The tables are walked at the end and where the program says so.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/support/random_play.hpp"

/// What was freed long ago is no matter here: the allocator has no heap. Without, most of the time
/// would go into fresh pages.
extern "C" const char* __asan_default_options() {  // NOLINT(bugprone-reserved-identifier)
  return "quarantine_size_mb=1:malloc_context_size=1:detect_leaks=0";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  carveout::testing::Bytes stream{{data, size}};
  carveout::testing::Tally tally;
  const std::string fault =
      carveout::testing::play(stream, tally, carveout::testing::Walk::when_told);
  if (!fault.empty()) {
    static_cast<void>(std::fprintf(stderr, "%s\n", fault.c_str()));
    std::abort();
  }
  return 0;
}
