// What can be wrong with the way in which a program shares memory with devices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace carveout {

/// docs/machine.md has a row for each: who finds it, and what for.
enum class Mistake : std::uint8_t {
  // From the calls alone: MappingBook finds these.
  partial_line,
  map_overlap,
  too_many_overlaps,
  maps_stack,
  maps_text,
  maps_no_ram,
  unmap_unknown,
  double_unmap,
  failed_mapping_used,
  wrong_function,
  wrong_size_at_unmap,
  wrong_count_at_unmap,
  wrong_direction_at_unmap,
  unchecked_mapping,
  sync_unknown,
  sync_outside_range,
  sync_for_cpu_of_to_device,
  sync_for_device_of_from_device,
  wrong_direction_at_sync,
  wrong_count_at_sync,
  free_unknown,
  double_free,
  wrong_size_at_free,
  wrong_pointer_at_free,
  leaked_mapping,
  leaked_block,
  table_full,
  // From the calls and what the device is like.
  outside_window,
  segment_too_long,
  crosses_boundary,
  use_after_detach,
  // From what CPUs and devices do to memory.
  missing_sync_before_device_reads,
  missing_sync_after_device_wrote,
  dirty_line_over_device_data,
  line_shared,
  store_lost_by_invalidate,
  touch_while_device_owns,
  cached_twin,
  overrun,
  missing_publish_barrier,
  published_before_data,
  missing_observe_barrier,
  device_access_unmapped,
  device_write_to_read_only,
};
inline constexpr std::size_t kMistakes = 44;
/// The first so many are a MappingBook's.
inline constexpr auto kMistakesOfCalls = static_cast<std::size_t>(Mistake::outside_window);
/// The first so many are MappingBook's.
inline constexpr std::size_t kBookMistakes = 27;

/// As it is written above. A program that does not ask for names does not carry them.
[[nodiscard]] std::string_view name_of(Mistake mistake);

}  // namespace carveout
