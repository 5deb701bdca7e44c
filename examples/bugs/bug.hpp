// A bug of the field: a driver that has it, the same driver that has not, and its name for the
// checker. Each file of this folder that is named after a bug has one.
#pragma once

#include <array>
#include <cstdint>

#include "board.hpp"

namespace bugs {

enum class Version : std::uint8_t { wrong, right };

/// @return whether the data was right in the end.
using Driver = bool (*)(Board&);

struct Bug {
  const char* name;
  sim::Mistake mistake;
  Driver wrong;
  Driver right;
};

extern const Bug receive_invalidated_only_before;
extern const Bug line_shared_with_a_neighbour;
extern const Bug dirty_eviction_over_dma_data;
extern const Bug descriptor_in_cached_memory;
extern const Bug missing_barrier;
extern const Bug unaligned_invalidate;
extern const Bug buffer_on_the_stack;
extern const Bug alias_by_pointer_arithmetic;
extern const Bug wrong_direction;
extern const Bug ring_wrapped_mid_line;

inline constexpr std::array kBugs{
    &receive_invalidated_only_before,
    &line_shared_with_a_neighbour,
    &dirty_eviction_over_dma_data,
    &descriptor_in_cached_memory,
    &missing_barrier,
    &unaligned_invalidate,
    &buffer_on_the_stack,
    &alias_by_pointer_arithmetic,
    &wrong_direction,
    &ring_wrapped_mid_line,
};

/// What came of one run.
struct Outcome {
  bool data_right;
  std::uint64_t mistakes;  ///< that the checker reported
  bool named;              ///< one of them is the bug's
};

/// One driver on a board of its own. The machine has Board::facts().
[[nodiscard]] Outcome run(sim::Machine& machine, Driver driver, sim::Mistake mistake,
                          sim::Adversary adversary);

}  // namespace bugs
