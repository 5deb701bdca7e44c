// The words of the checker's reports.
#include "carveout_sim/mistake.hpp"

#include <array>

namespace carveout::sim {
namespace {

struct Words {
  Mistake mistake;
  std::string_view why;
  std::string_view cure;
};

constexpr std::array<Words, kMistakes> kWords{{
    {Mistake::partial_line,
     "the device writes into the first or the last line of this range, and other bytes are in it",
     "align the buffer to the cache line and pad its size to whole lines; or let it bounce"},
    {Mistake::map_overlap,
     "two mappings have a line in common and a device writes one of them: the sync of one "
     "destroys the other's",
     "unmap the first before the second is mapped; give each buffer lines of its own"},
    {Mistake::too_many_overlaps,
     "more than seven mappings besides share a line with this one: nobody needs as many, so some "
     "are leaked",
     "unmap(buffer) each time that the device is done"},
    {Mistake::maps_stack,
     "these bytes are on a stack: they are another function's when this one returns, and their "
     "lines are shared with what it calls",
     "give the device a static buffer, or an allocated one, of whole lines"},
    {Mistake::maps_text,
     "these bytes are the program or its constants: its memory may be slow, protected, or none "
     "that the device reaches",
     "copy what is to be sent into a buffer, and map that"},
    {Mistake::maps_no_ram,
     "no device finds these bytes by one address: they are tightly coupled memory, a window that "
     "an MMU pieced together, or nothing",
     "map() memory that the bus sees in one piece; map_resource() for registers"},
    {Mistake::unmap_unknown, "nothing is mapped for this device at this address",
     "unmap(what map() was given)"},
    {Mistake::double_unmap,
     "it was unmapped already, and the range may be mapped anew for somebody else",
     "take the second unmap() out"},
    {Mistake::failed_mapping_used,
     "this mapping failed: what was kept of it is an error, and no address",
     "ask mapping_error() at map(), and go no further where it fails"},
    {Mistake::wrong_function,
     "it was made by another kind of call (map, map_sg, map_resource, alloc), which keeps other "
     "books",
     "end it with the counterpart of the call that made it"},
    {Mistake::wrong_size_at_unmap,
     "lines of the rest stay as they are, or a neighbour's are dropped",
     "unmap() with the size that map() was given"},
    {Mistake::wrong_count_at_unmap,
     "the list was mapped with another number of entries: some stay mapped, or others' end",
     "unmap_sg() with the list and the number that map_sg() was given, not what it returned"},
    {Mistake::wrong_direction_at_unmap,
     "the direction decides what is done to the cache: the CPU may read stale bytes",
     "unmap() with the direction that map() was given"},
    {Mistake::unchecked_mapping,
     "the mapping may have failed, and nobody asked before the device was given its address",
     "mapping_error() after map(), and go no further where it fails"},
    {Mistake::sync_unknown, "nothing is mapped for this device at this address",
     "sync() what is mapped, before unmap()"},
    {Mistake::sync_outside_range,
     "the range is longer than the mapping: a neighbour's lines are dropped",
     "sync() within the range that map() was given"},
    {Mistake::sync_for_cpu_of_to_device,
     "it is mapped to_device, and here it is synced as if the device had written it: it may not",
     "map(buffer, bidirectional) if the device writes; or take this sync out"},
    {Mistake::sync_for_device_of_from_device,
     "it is mapped from_device, and here it is synced as if the device were to read it: what the "
     "CPU stores is not cleaned",
     "map(buffer, bidirectional) if the device reads; or sync with from_device to give it back"},
    {Mistake::wrong_direction_at_sync, "the direction decides what is done to the cache",
     "sync() with the direction that map() was given"},
    {Mistake::wrong_count_at_sync,
     "the list was mapped with another number of entries: some are left as they are",
     "sync_sg with the list and the number that map_sg() was given, not what it returned"},
    {Mistake::free_unknown, "no block of this device begins at this address",
     "free() what alloc() gave"},
    {Mistake::double_free, "it was given back already, and may be another's block by now",
     "take the second free() out"},
    {Mistake::wrong_size_at_free,
     "an allocator that goes by the size gives a neighbour's bytes away, or keeps some for ever",
     "free() with the size that alloc() was given"},
    {Mistake::wrong_pointer_at_free,
     "the pointer is not the one that the allocation gave: the memory freed is not the memory "
     "used",
     "free() with both the address and the pointer that alloc() gave"},
    {Mistake::leaked_mapping, "the device is gone and its mapping is not",
     "unmap(buffer) before detach()"},
    {Mistake::leaked_block, "the device is gone and its block is not",
     "free(block) before detach()"},
    {Mistake::table_full,
     "more mappings live than the table has room for; from here on calls are not checked",
     "a longer table; or look for what is mapped and never unmapped"},
    {Mistake::outside_window, "the device's address leads to no memory that it can reach",
     "give the device the address that the mapping returned, and set its mask to what it can "
     "emit; memory that it cannot reach wants a bounce buffer"},
    {Mistake::segment_too_long, "the device takes no piece as long as this",
     "cut it into pieces of at most the device's longest segment"},
    {Mistake::crosses_boundary,
     "the device counts only the low bits up, and begins again at the boundary",
     "cut it at the boundary, or allocate it aligned to its size rounded up to a power of two"},
    {Mistake::use_after_detach, "the device is gone; what it was given may be another's by now",
     "stop the device before detach()"},
    {Mistake::missing_sync_before_device_reads,
     "what the CPU stored through its cache may still be there, and the device reads memory",
     "sync_for_device(buffer) after the last store and before the device starts; or clean() of "
     "its lines"},
    {Mistake::missing_sync_after_device_wrote,
     "the CPU may have fetched the line, by speculation too, before the device wrote it, and "
     "then sees what was there before",
     "sync_for_cpu(buffer) after the device is done and before the first load; or invalidate() "
     "of its lines: one before the transfer is not enough"},
    {Mistake::dirty_line_over_device_data,
     "the line is dirty in the CPU's cache and may be written back at any time, over what the "
     "device wrote",
     "sync_for_device(buffer) before the device starts, and no store to it until it is done; or "
     "clean_invalidate() of its lines"},
    {Mistake::line_shared,
     "a line that the device writes into also has bytes that the CPU stored and that are no part "
     "of the buffer: either side's bytes are lost when the line goes out or is dropped",
     "align the buffer to the cache line, and pad its size to whole lines: alignas(line) does "
     "only the first"},
    {Mistake::store_lost_by_invalidate,
     "invalidate drops whole lines, and this byte was stored and not yet in memory",
     "give the buffer lines of its own (alignment and size); clean() what must be kept before "
     "invalidate()"},
    {Mistake::touch_while_device_owns,
     "the device may read or write these bytes at this very time; and what the CPU touches comes "
     "into its cache",
     "sync_for_cpu(buffer) or unmap(buffer) before this access"},
    {Mistake::cached_twin,
     "coherent memory is reached past the cache; its cached address brings in lines that go "
     "stale, or that are written back over it",
     "use the pointer that the allocation gave; compute none from a physical address"},
    {Mistake::overrun, "the block ends before this byte; what lies there is padding",
     "ask for as many bytes as are used"},
    {Mistake::missing_publish_barrier,
     "the store may still wait in the CPU's write buffer when the device looks",
     "publish_barrier() between the last store and the register that starts the device"},
    {Mistake::published_before_data,
     "stores reach memory in any order: the device saw the later one and may not see this one yet",
     "publish_barrier() between the data and the store that hands it over"},
    {Mistake::missing_observe_barrier,
     "loads reach memory in any order: the CPU may have had these bytes before it had the flag",
     "observe_barrier() between the load of the flag and the loads of what it speaks of"},
    {Mistake::device_access_unmapped,
     "these bytes are not the device's: never mapped for it, or unmapped by now",
     "map(buffer) before the device starts, and unmap() only when it has stopped"},
    {Mistake::device_write_to_read_only,
     "the bytes are mapped to_device: no cache was made ready for a write, and an IOMMU would "
     "stop it",
     "map(buffer, from_device), or bidirectional"},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kMistakes; ++i) {
    if (static_cast<std::size_t>(kWords[i].mistake) != i) return false;
  }
  return true;
}
static_assert(in_order());

const Words& words_of(Mistake mistake) { return kWords[static_cast<std::size_t>(mistake)]; }

}  // namespace

std::string_view why(Mistake mistake) { return words_of(mistake).why; }
std::string_view cure(Mistake mistake) { return words_of(mistake).cure; }

}  // namespace carveout::sim
