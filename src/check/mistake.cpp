#include "carveout/check/mistake.hpp"

#include <array>

namespace carveout {
namespace {

constexpr std::array<std::string_view, kMistakes> kNames{
    "partial_line",
    "map_overlap",
    "too_many_overlaps",
    "maps_stack",
    "maps_text",
    "maps_no_ram",
    "unmap_unknown",
    "double_unmap",
    "failed_mapping_used",
    "wrong_function",
    "wrong_size_at_unmap",
    "wrong_count_at_unmap",
    "wrong_direction_at_unmap",
    "unchecked_mapping",
    "sync_unknown",
    "sync_outside_range",
    "sync_for_cpu_of_to_device",
    "sync_for_device_of_from_device",
    "wrong_direction_at_sync",
    "wrong_count_at_sync",
    "free_unknown",
    "double_free",
    "wrong_size_at_free",
    "wrong_pointer_at_free",
    "leaked_mapping",
    "leaked_block",
    "table_full",
    "outside_window",
    "segment_too_long",
    "crosses_boundary",
    "use_after_detach",
    "missing_sync_before_device_reads",
    "missing_sync_after_device_wrote",
    "dirty_line_over_device_data",
    "line_shared",
    "store_lost_by_invalidate",
    "touch_while_device_owns",
    "cached_twin",
    "overrun",
    "missing_publish_barrier",
    "published_before_data",
    "missing_observe_barrier",
    "device_access_unmapped",
    "device_write_to_read_only",
};
static_assert(kNames.back() == "device_write_to_read_only");

}  // namespace

std::string_view name_of(Mistake mistake) { return kNames[static_cast<std::size_t>(mistake)]; }

}  // namespace carveout
