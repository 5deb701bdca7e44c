#include "carveout/core/error.hpp"

#include "carveout/core/attributes.hpp"
#include "carveout/core/text.hpp"

namespace carveout {

namespace {

struct Words {
  std::string_view name;
  std::string_view meaning;
};

constexpr Words words_of(Error error) {
  // No default: a new error without words does not compile with our warnings.
  switch (error) {
    case Error::zero_size:
      return {"zero_size", "the request is for 0 bytes"};
    case Error::bad_alignment:
      return {"bad_alignment", "the alignment is not a power of two"};
    case Error::bad_boundary:
      return {"bad_boundary", "the boundary is not a power of two"};
    case Error::crosses_boundary:
      return {"crosses_boundary", "the request is larger than the boundary that it must not cross"};
    case Error::size_overflow:
      return {"size_overflow", "the request's bytes, rounded up or multiplied, pass 2^64"};
    case Error::exhausted:
      return {"exhausted",
              "nothing of that length, alignment and boundary is free in the reachable part"};
    case Error::not_in_window:
      return {"not_in_window", "a chunk of it lies whole in none of the device's windows"};
    case Error::unreachable:
      return {"unreachable", "the device does not reach it with its windows, mask and limit"};
    case Error::no_pool:
      return {"no_pool", "no pool is there to serve the request"};
    case Error::unknown_pool:
      return {"unknown_pool", "the device has no pool of that name or index"};
    case Error::needs_iommu:
      return {"needs_iommu",
              "the device's addresses are chosen by an IOMMU, and none is driven here"};
    case Error::table_full:
      return {"table_full", "the table that the board gave for this is full"};
    case Error::would_wait:
      return {"would_wait", "an interrupt would have to wait for the pool's lock"};
    case Error::bad_attributes:
      return {"bad_attributes", "the attributes contradict each other"};
    case Error::partial_line:
      return {"partial_line",
              "the device would write part of a cache line that holds other bytes, too"};
    case Error::too_long:
      return {"too_long", "it is longer than the largest mapping or segment"};
    case Error::wrong_view:
      return {"wrong_view", "it is not memory that the CPU uses through its cache"};
    case Error::unknown_memory:
      return {"unknown_memory", "the port cannot say at which physical address the bytes lie"};
    case Error::needs_copy:
      return {"needs_copy", "coherent memory is required, and caches or a copy would have to help"};
    case Error::outside_mapping:
      return {"outside_mapping", "part of the range is not in the mapping"};
    case Error::outside_block:
      return {"outside_block", "part of the range is not in the block"};
    case Error::shared_page:
      return {"shared_page", "a page of it may hold bytes of other blocks, too"};
    case Error::double_free:
      return {"double_free", "the block is free already"};
    case Error::stale_block:
      return {"stale_block", "the block was given back before, and its range was handed out again"};
    case Error::foreign_block:
      return {"foreign_block", "the block was never given by this pool"};
    case Error::wrong_address:
      return {"wrong_address", "the address is not the first of a block"};
    case Error::wrong_size:
      return {"wrong_size", "the size is not the one that was given"};
    case Error::pool_gone:
      return {"pool_gone", "the pool was released"};
    case Error::already_declared:
      return {"already_declared", "the name or role is taken, and the first to take it stays"};
    case Error::empty_range:
      return {"empty_range", "the range has 0 bytes"};
    case Error::wraps:
      return {"wraps", "the range passes 2^64"};
    case Error::overlaps:
      return {"overlaps", "the range shares bytes with another"};
    case Error::below_granule:
      return {"below_granule", "nothing is left of it in whole granules"};
    case Error::bad_granule:
      return {"bad_granule", "the granule is not a power of two, or too small for so much memory"};
    case Error::bad_alias:
      return {"bad_alias",
              "an alias is empty, passes 2^64, or its sides differ by part of a cache line"};
    case Error::no_uncached_view:
      return {"no_uncached_view",
              "the CPU has no uncached view of it, and no device is coherent there"};
    case Error::wrong_kind:
      return {"wrong_kind", "memory of this kind cannot serve in that role"};
    case Error::in_use:
      return {"in_use", "blocks of it are in use"};
    case Error::storage_too_small:
      return {"storage_too_small", "the storage given is less than the tables need"};
    case Error::not_placed:
      return {"not_placed", "there is no place for it in memory"};
    case Error::malformed:
      return {"malformed", "the tree states it in a way that cannot be read"};
    case Error::no_such_node:
      return {"no_such_node", "the tree has no node of that path"};
  }
  return {"unknown", "an error that this version does not know"};
}

/// What Failure::other is to the error.
constexpr std::string_view link_to_other(Error error) {
  switch (error) {
    case Error::already_declared:
    case Error::overlaps:
      return ", which is ";
    case Error::in_use:
      return ", by ";
    default:
      return ", see ";
  }
}

/// What Failure::asked_bytes is to the error.
constexpr std::string_view link_to_asked(Error error) {
  switch (error) {
    case Error::double_free:
    case Error::stale_block:
    case Error::foreign_block:
    case Error::wrong_address:
    case Error::wrong_size:
      return " given back";
    case Error::pool_gone:
      return " asked or given back";
    case Error::storage_too_small:
      return " needed";
    case Error::in_use:
      return " in use";
    default:
      return " asked";
  }
}

void add_names(std::uint64_t attributes, Text& text) {
  std::string_view before = ": ";
  for (; attributes != 0; attributes &= attributes - 1) {
    text.add(before).add(name_of(static_cast<Attributes>(attributes & (0 - attributes))));
    before = " and ";
  }
}

}  // namespace

std::string_view name_of(Error error) { return words_of(error).name; }

std::string_view meaning_of(Error error) { return words_of(error).meaning; }

void describe(const Failure& failure, Text& text) {
  if (!failure.pool.empty()) text.add(failure.pool).add(": ");
  text.add(meaning_of(failure.code));
  if (!failure.other.empty()) text.add(link_to_other(failure.code)).add(failure.other);

  if (failure.code == Error::bad_attributes) {
    // Whatever the size, these are wrong.
    if (failure.stated) add_names(*failure.stated, text);
    return;
  }
  if (failure.code == Error::unknown_pool && failure.stated) {
    text.add(": index ").add_decimal(*failure.stated);
  }
  if (failure.asked_bytes == 0) return;
  text.add(": ").add_size(failure.asked_bytes).add(link_to_asked(failure.code));
  if (failure.code == Error::storage_too_small) {
    text.add(", ").add_size(failure.free_bytes).add(" given");
  }
  if (failure.stated && failure.code != Error::unknown_pool) {
    text.add(", ").add_size(*failure.stated).add(" stated");
  }
  if (failure.code == Error::exhausted || failure.code == Error::table_full) {
    text.add(", ").add_size(failure.free_bytes).add(" free, the longest free run ");
    text.add_size(failure.largest_run_bytes);
  }
  if (failure.needed_bytes != 0) {
    text.add("; it would have had to have ").add_size(failure.needed_bytes);
  }
}

}  // namespace carveout
