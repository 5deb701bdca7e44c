#include "fault_words.hpp"

namespace carveout::cli {

using device_tree::DmaFault;
using device_tree::PlacementFault;
using device_tree::RegionFault;
using device_tree::ReservedMemoryFault;

std::string_view meaning_of(ReservedMemoryFault fault) {
  switch (fault) {
    case ReservedMemoryFault::none:
      return "";
    case ReservedMemoryFault::disabled:
      return "it is disabled";
    case ReservedMemoryFault::no_address_cells:
      return "it does not state #address-cells";
    case ReservedMemoryFault::no_size_cells:
      return "it does not state #size-cells";
    case ReservedMemoryFault::address_cells_differ:
      return "its #address-cells is not the root's";
    case ReservedMemoryFault::size_cells_differ:
      return "its #size-cells is not the root's";
    case ReservedMemoryFault::no_ranges:
      return "it has no ranges";
  }
  return "";
}

std::string_view meaning_of(RegionFault fault) {
  switch (fault) {
    case RegionFault::none:
      return "";
    case RegionFault::malformed_reg:
      return "reg is not a whole number of address and size pairs";
    case RegionFault::malformed_size:
      return "size is not as long as the root's #size-cells";
    case RegionFault::neither_reg_nor_size:
      return "it states neither reg nor size";
  }
  return "";
}

std::string_view meaning_of(PlacementFault fault) {
  switch (fault) {
    case PlacementFault::not_applicable:
      return "it is disabled or empty";
    case PlacementFault::malformed_alloc_ranges:
      return "alloc-ranges is malformed";
    case PlacementFault::malformed_alignment:
      return "alignment is malformed";
    case PlacementFault::alignment_no_power_of_two:
      return "alignment is not a power of two";
    case PlacementFault::no_memory:
      return "the tree states no memory (a boot loader may add it later)";
    case PlacementFault::does_not_fit:
      return "it fits in no free piece of the memory stated";
  }
  return "";
}

std::string_view meaning_of(DmaFault fault) {
  switch (fault) {
    case DmaFault::none:
      return "";
    case DmaFault::malformed:
      return "dma-ranges is not a whole number of entries";
    case DmaFault::nothing_left:
      return "dma-ranges leads to no memory";
    case DmaFault::too_many_windows:
    case DmaFault::no_room:
      return "dma-ranges makes more than 1024 windows";
  }
  return "";
}

}  // namespace carveout::cli
