// A second opinion on the allocator's tables: a walk that shares no code with the allocator and
// judges every rule that its comments state. Tests call it after each step.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "carveout/pool/range_allocator.hpp"

namespace carveout {

struct RangeAllocatorAudit {
  struct Live {
    PhysRange range;
    std::uint32_t chunk;
    std::uint32_t tag;
    std::uint32_t serial;
    Holder holder;

    bool operator==(const Live&) const = default;
  };

  /// What is wrong with the tables; empty where nothing is. `live` receives every block, in the
  /// order of chunks and addresses.
  static std::string fault(const RangeAllocator& allocator, std::vector<Live>& live) {
    const auto& nodes = allocator.nodes_;
    std::vector<bool> seen(nodes.size(), false);
    std::uint64_t total = 0;
    std::uint64_t used = 0;

    for (std::uint32_t chunk = 0; chunk < allocator.chunks_.size(); ++chunk) {
      const auto& area = allocator.chunks_[chunk];
      if (area.first != total) return "chunk " + std::to_string(chunk) + " is not numbered on";
      std::uint64_t at = area.first;
      std::uint32_t previous = RangeAllocator::kNone;
      bool previous_is_free = false;
      for (std::uint32_t tag = area.lowest; tag != RangeAllocator::kNone; tag = nodes[tag].next) {
        if (tag >= nodes.size()) return "a link leads out of the tables: " + std::to_string(tag);
        if (seen[tag]) return "run " + std::to_string(tag) + " is linked twice";
        seen[tag] = true;
        const auto& node = nodes[tag];
        if (node.previous != previous)
          return "run " + std::to_string(tag) + " has a wrong previous";
        if (node.first != at) return "run " + std::to_string(tag) + " leaves a gap or overlaps";
        if (node.granules == 0) return "run " + std::to_string(tag) + " is empty";
        const bool is_live = node.serial % 2 == 1;
        if (!is_live && previous_is_free) return "run " + std::to_string(tag) + " was not merged";
        if (is_live) {
          used += node.granules;
          live.push_back(
              {.range = {PhysAddr{area.base.raw() + (at - area.first) * allocator.granule_bytes()},
                         node.granules * allocator.granule_bytes()},
               .chunk = chunk,
               .tag = tag,
               .serial = node.serial,
               .holder = node.holder});
        }
        at += node.granules;
        previous = tag;
        previous_is_free = !is_live;
      }
      if (at != std::uint64_t{area.first} + area.granules) {
        return "the runs of chunk " + std::to_string(chunk) + " do not fill it";
      }
      total += area.granules;
    }

    for (std::uint32_t tag = allocator.spares_; tag != RangeAllocator::kNone;
         tag = nodes[tag].next) {
      if (tag >= nodes.size()) return "a spare leads out of the tables: " + std::to_string(tag);
      if (seen[tag]) return "spare " + std::to_string(tag) + " is linked twice, or is a run";
      seen[tag] = true;
      if (nodes[tag].granules != 0) return "spare " + std::to_string(tag) + " has granules";
      if (nodes[tag].serial % 2 == 1) return "spare " + std::to_string(tag) + " is a live block";
    }
    for (std::size_t tag = 0; tag < seen.size(); ++tag) {
      if (!seen[tag]) return "node " + std::to_string(tag) + " is lost";
    }

    if (allocator.total_ != total) return "the total is wrong";
    if (allocator.used_ != used) return "what is used is wrong";
    if (allocator.peak_ < used) return "the peak is less than what is used";
    if (allocator.blocks_ != live.size()) return "the number of blocks is wrong";
    return {};
  }

  static std::string fault(const RangeAllocator& allocator) {
    std::vector<Live> live;
    return fault(allocator, live);
  }

  static std::size_t node_count(const RangeAllocator& allocator) { return allocator.nodes_.size(); }

  /// Everything that the allocator knows, to prove that a refused call changed nothing.
  struct Snapshot {
    std::vector<std::byte> bytes;
    bool operator==(const Snapshot&) const = default;
  };

  static Snapshot snapshot(const RangeAllocator& allocator) {
    const auto areas = std::as_bytes(allocator.chunks_);
    const auto nodes = std::as_bytes(allocator.nodes_);
    std::vector<std::byte> bytes;
    bytes.insert(bytes.end(), areas.begin(), areas.end());
    bytes.insert(bytes.end(), nodes.begin(), nodes.end());
    for (const std::uint32_t field : {allocator.spares_, allocator.total_, allocator.used_,
                                      allocator.peak_, allocator.blocks_}) {
      const auto raw = std::as_bytes(std::span{&field, 1});
      bytes.insert(bytes.end(), raw.begin(), raw.end());
    }
    return {std::move(bytes)};
  }

  /// A second allocator in the same state, over tables of its own.
  ///
  /// @param storage  as long as the storage of the original, at least.
  static RangeAllocator clone(const RangeAllocator& original, std::span<std::byte> storage) {
    const auto areas = std::as_bytes(original.chunks_);
    const auto nodes = std::as_bytes(original.nodes_);
    if (!areas.empty()) std::memcpy(storage.data(), areas.data(), areas.size());
    if (!nodes.empty()) std::memcpy(storage.data() + areas.size(), nodes.data(), nodes.size());
    auto* const at = static_cast<void*>(storage.data());
    auto* const behind = static_cast<void*>(storage.data() + areas.size());
    RangeAllocator copy{{static_cast<RangeAllocator::Area*>(at), original.chunks_.size()},
                        {static_cast<RangeAllocator::Node*>(behind), original.nodes_.size()},
                        original.granule_shift_};
    copy.spares_ = original.spares_;
    copy.total_ = original.total_;
    copy.used_ = original.used_;
    copy.peak_ = original.peak_;
    copy.blocks_ = original.blocks_;
    return copy;
  }

  /// Puts a tag where only billions of allocations would bring it.
  static void set_serial(RangeAllocator& allocator, std::uint32_t tag, std::uint32_t serial) {
    allocator.nodes_[tag].serial = serial;
  }
};

}  // namespace carveout
