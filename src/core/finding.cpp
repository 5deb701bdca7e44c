#include "carveout/core/finding.hpp"

namespace carveout {

void describe(const Finding& finding, Text& text) {
  switch (finding.rule) {
    case Rule::overlapping_regions:
      if (finding.other == finding.node) {
        text.add("two of its ranges share memory: it is no pool");
        return;
      }
      text.add("shares ")
          .add_size(finding.range.size_bytes)
          .add(" from ")
          .add_hex(finding.range.base.raw());
      text.add(" with ").add(finding.other).add(": neither is used as a pool");
      return;
    case Rule::region_wraps:
      text.add("base and size pass 2^64: it is no pool");
      return;
    case Rule::malformed_region:
      if (finding.error == Error::table_full) {
        text.add("has more ranges than are looked at: it is no pool");
      } else if (finding.property == "alloc-ranges") {
        text.add(
            "is not a whole number of address and size pairs in the root's cells: it is not "
            "placed");
      } else if (finding.property == "reg") {
        text.add(
            "is not a whole number of address and size pairs in the root's cells: it has no "
            "memory");
      } else if (finding.property == "size") {
        text.add("is not one size in the root's cells: it has no memory");
      } else {
        text.add("states neither reg nor size: it has no memory");
      }
      return;
    case Rule::malformed_reserved_memory:
      if (finding.property == "ranges") {
        text.add("is absent: every region of the node is ignored");
      } else {
        text.add(
            "is not stated by the node, or not as by the root: every region of the node is "
            "ignored");
      }
      return;
    case Rule::no_map_and_reusable:
      text.add("no-map and reusable contradict each other: it is no pool");
      return;
    case Rule::neither_no_map_nor_reusable:
      text.add(
          "neither no-map nor reusable: the pool works here; 32-bit ARM Linux refuses it at boot, "
          "others when "
          "a driver attaches it");
      return;
    case Rule::not_whole_granules:
      if (finding.error == Error::bad_granule) {
        text.add("has too many granules for the pool's tables: it is no pool");
        return;
      }
      if (finding.error) {
        text.add("a range has no whole granule: it is no pool");
        return;
      }
      text.add("is not whole granules: ")
          .add_size(finding.range.size_bytes)
          .add(" at its edges are not used");
      return;
    case Rule::bad_alignment:
      text.add("is not a power of two in the root's cells: it is not placed");
      return;
    case Rule::cannot_be_placed:
      text.add("fits nowhere: no free piece of memory of ").add_size(finding.range.size_bytes);
      text.add(" where it may lie");
      return;
    case Rule::second_default:
      if (finding.error == Error::table_full) {
        text.add("gets no role: there are more defaults than are looked at");
        return;
      }
      text.add("is a second default: ").add(finding.other).add(" is the first and stays");
      return;
    case Rule::default_of_wrong_kind:
      text.add("is ignored: the region is not of the kind that it makes a default of");
      return;
    case Rule::no_such_region:
      text.add("entry ").add_decimal(finding.index).add(" is no region of /reserved-memory");
      if (!finding.other.empty()) text.add(" but ").add(finding.other);
      text.add(": it binds nothing");
      return;
    case Rule::disabled_region:
      text.add("entry ").add_decimal(finding.index).add(" is ").add(finding.other);
      text.add(
          ", which is disabled: it binds nothing, and the device is served like one without it");
      return;
    case Rule::out_of_reach:
      text.add(finding.other)
          .add(" (")
          .add_hex(finding.range.base.raw())
          .add(", ")
          .add_size(finding.range.size_bytes);
      text.add(finding.error == Error::unreachable
                   ? ") lies over the device's mask"
                   : ") lies whole in none of the device's windows");
      text.add(": the binding is refused");
      return;
    case Rule::malformed_dma_ranges:
      if (finding.error == Error::table_full) {
        text.add("translates into more windows than are looked at: the device reaches no memory");
        return;
      }
      text.add(
          "cannot be read, or nothing is left of it after translation: the device reaches no "
          "memory");
      return;
    case Rule::restricted_conflict:
      text.add("a restricted pool is neither no-map nor reusable nor a default: it is no pool");
      return;
    case Rule::no_uncached_view:
      if (finding.other.empty()) {
        text.add("the CPU has no uncached view of it: it gets no role");
        return;
      }
      text.add(finding.other)
          .add(" has no uncached view, and the device is not coherent: the binding is refused");
      return;
    case Rule::empty_region:
      text.add("has a range of 0 bytes: it is no pool");
      return;
    case Rule::malformed_blob:
      text.add("is not a well-formed flattened device tree");
      return;
  }
}

}  // namespace carveout
