// What the range allocator must do, said in the plainest way: a map with the owner of every
// granule, and a search that tries every place one after the other in 128-bit arithmetic.
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "carveout/pool/range_allocator.hpp"

namespace carveout::testing {

__extension__ using Wide = unsigned __int128;

class NaivePool {
 public:
  struct Given {
    PhysRange range;
    std::uint32_t chunk;
    Holder holder;
    bool live;
  };

  struct Place {
    std::uint32_t chunk;
    PhysRange range;
    DmaAddr dma;
    std::size_t reach;
  };

  /// @param blocks   the most that may live at once.
  /// @param serials  whether the store keeps any; without, blocks are told apart by address.
  NaivePool(std::span<const PhysRange> chunks, std::uint64_t granule_bytes, std::size_t blocks,
            bool serials = true)
      : granule_{granule_bytes}, blocks_{blocks}, serials_{serials} {
    for (const PhysRange& range : chunks) {
      chunks_.push_back({range, std::vector<bool>(range.size_bytes / granule_bytes, false)});
    }
  }

  /// Where an exact search puts the request; for fit `any`, whether it has a place at all, and in
  /// which reach.
  [[nodiscard]] std::expected<Place, Error> find(const Need& need,
                                                 std::span<const Reach> reaches) const {
    if (need.size_bytes == 0) return std::unexpected{Error::zero_size};
    if (!one_bit(need.align_bytes)) return std::unexpected{Error::bad_alignment};
    if (need.boundary_bytes != 0 && !one_bit(need.boundary_bytes)) {
      return std::unexpected{Error::bad_boundary};
    }
    if (need.boundary_bytes != 0 && need.size_bytes > need.boundary_bytes) {
      return std::unexpected{Error::crosses_boundary};
    }
    const Wide granules = (Wide{need.size_bytes} + granule_ - 1) / granule_;
    if (granules * granule_ >> 64 != 0) return std::unexpected{Error::size_overflow};

    bool reached = false;
    for (std::size_t r = 0; r < reaches.size(); ++r) {
      const Reach& reach = reaches[r];
      std::optional<Place> best;
      std::size_t best_length = 0;
      for (const ChunkMap& chunk : chunks_) {
        if (shows_a_byte(reach, chunk.range)) reached = true;
      }
      for (std::uint32_t i = 0; i < chunks_.size(); ++i) {
        for (const auto& [start, length] : free_runs(i)) {
          for (std::size_t at = start; at < start + length; ++at) {
            if (at + granules > start + length) break;
            const PhysRange range = range_of(i, at, static_cast<std::size_t>(granules));
            if (!fits(need, reach, range)) continue;
            // The lowest place of this run; the search goes on in the next one.
            if (!best || length < best_length) {
              best = Place{i, range,
                           DmaAddr{reach.dma.raw() + (range.base.raw() - reach.first.raw())}, r};
              best_length = length;
            }
            break;
          }
          if (best && need.fit != Fit::best) break;
        }
        if (best && need.fit != Fit::best) break;
      }
      if (best && live_blocks() >= blocks_) return std::unexpected{Error::table_full};
      if (best) return *best;
    }
    return std::unexpected{reached ? Error::exhausted : Error::unreachable};
  }

  /// The first reach from which the range may be granted for this need; nothing where it may not.
  [[nodiscard]] std::optional<std::size_t> reach_of(const Need& need,
                                                    std::span<const Reach> reaches,
                                                    const Grant& grant) const {
    if (grant.chunk >= chunks_.size()) return std::nullopt;
    const PhysRange& chunk = chunks_[grant.chunk].range;
    const Wide granules = (Wide{need.size_bytes} + granule_ - 1) / granule_;
    if (!chunk.contains(grant.range) || grant.range.size_bytes != granules * granule_) {
      return std::nullopt;
    }
    if ((grant.range.base.raw() - chunk.base.raw()) % granule_ != 0) return std::nullopt;
    if (shares_with_a_block(grant.range)) return std::nullopt;
    for (std::size_t r = 0; r < reaches.size(); ++r) {
      const Reach& reach = reaches[r];
      if (!fits(need, reach, grant.range)) continue;
      if (grant.dma.raw() == reach.dma.raw() + (grant.range.base.raw() - reach.first.raw()))
        return r;
    }
    return std::nullopt;
  }

  /// Whether the grant is new under its tag and serial.
  bool take(const Grant& grant, Holder holder) {
    if (!serials_) given_.erase({grant.tag, grant.serial});
    mark(grant.range, true);
    peak_ = std::max(peak_, used_bytes());
    return given_
        .insert(
            {{grant.tag, grant.serial}, {grant.range, grant.chunk, serials_ ? holder : 0, true}})
        .second;
  }

  [[nodiscard]] std::optional<Error> give_back(PhysRange range, std::uint32_t tag,
                                               std::uint32_t serial) {
    if (!serials_) {
      return serial == 1 ? give_back_at(range.base, range.size_bytes) : Error::foreign_block;
    }
    const auto found = given_.find({tag, serial});
    if (found == given_.end()) return Error::foreign_block;
    Given& given = found->second;
    if (!given.live) return shares_with_a_block(range) ? Error::stale_block : Error::double_free;
    if (range.base != given.range.base) return Error::wrong_address;
    if (range.size_bytes != given.range.size_bytes) return Error::wrong_size;
    end(given);
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Error> give_back_at(PhysAddr first, std::uint64_t size_bytes) {
    for (auto& [name, given] : given_) {
      if (!given.live || !given.range.contains(first)) continue;
      if (given.range.base != first) return Error::wrong_address;
      const Wide rounded = (Wide{size_bytes} + granule_ - 1) / granule_ * granule_;
      if (rounded != given.range.size_bytes) return Error::wrong_size;
      end(given);
      return std::nullopt;
    }
    const bool ours = std::ranges::any_of(
        chunks_, [&](const ChunkMap& chunk) { return chunk.range.contains(first); });
    return ours ? Error::double_free : Error::foreign_block;
  }

  [[nodiscard]] Usage usage() const {
    Usage usage{.total_bytes = 0,
                .used_bytes = used_bytes(),
                .peak_bytes = peak_,
                .largest_run_bytes = 0,
                .blocks = 0};
    for (std::uint32_t i = 0; i < chunks_.size(); ++i) {
      usage.total_bytes += chunks_[i].range.size_bytes;
      for (const auto& [start, length] : free_runs(i)) {
        usage.largest_run_bytes = std::max(usage.largest_run_bytes, length * granule_);
      }
    }
    for (const auto& [name, given] : given_) usage.blocks += given.live ? 1 : 0;
    return usage;
  }

  [[nodiscard]] bool keeps_serials() const { return serials_; }

  /// Whether as many blocks live as may.
  [[nodiscard]] bool full() const { return live_blocks() >= blocks_; }

  /// Whether every byte of every chunk lies in the reach.
  [[nodiscard]] bool reaches_all(const Reach& reach) const {
    return std::ranges::all_of(chunks_, [&](const ChunkMap& chunk) {
      return reach.first <= chunk.range.base &&
             Wide{chunk.range.base.raw()} + chunk.range.size_bytes - 1 <= reach.last.raw();
    });
  }

  using Name = std::pair<std::uint32_t, std::uint32_t>;  ///< tag and serial
  [[nodiscard]] const std::map<Name, Given>& given() const { return given_; }

 private:
  struct ChunkMap {
    PhysRange range;
    std::vector<bool> taken;
  };

  static bool one_bit(std::uint64_t value) {
    int bits = 0;
    for (; value != 0; value >>= 1) bits += static_cast<int>(value & 1);
    return bits == 1;
  }

  static bool shows_a_byte(const Reach& reach, const PhysRange& chunk) {
    const Wide low = std::max(reach.first.raw(), chunk.base.raw());
    const Wide chunk_last = Wide{chunk.base.raw()} + chunk.size_bytes - 1;
    if (low > chunk_last || low > reach.last.raw()) return false;
    return at_device(reach, low) >> 64 == 0;
  }

  static Wide at_device(const Reach& reach, Wide place) {
    return place - reach.first.raw() + reach.dma.raw();
  }

  static bool fits(const Need& need, const Reach& reach, const PhysRange& range) {
    const Wide last = Wide{range.base.raw()} + range.size_bytes - 1;
    if (range.base < reach.first || last > reach.last.raw()) return false;
    const Wide dma = at_device(reach, range.base.raw());
    if ((dma + range.size_bytes - 1) >> 64 != 0) return false;
    if (dma % need.align_bytes != 0) return false;
    return need.boundary_bytes == 0 ||
           dma / need.boundary_bytes == (dma + need.size_bytes - 1) / need.boundary_bytes;
  }

  [[nodiscard]] PhysRange range_of(std::uint32_t chunk, std::size_t at,
                                   std::size_t granules) const {
    return {PhysAddr{chunks_[chunk].range.base.raw() + at * granule_}, granules * granule_};
  }

  [[nodiscard]] std::vector<std::pair<std::size_t, std::size_t>> free_runs(
      std::uint32_t chunk) const {
    std::vector<std::pair<std::size_t, std::size_t>> runs;
    const std::vector<bool>& taken = chunks_[chunk].taken;
    for (std::size_t at = 0; at < taken.size(); ++at) {
      if (taken[at]) continue;
      if (at == 0 || taken[at - 1]) runs.emplace_back(at, 0);
      ++runs.back().second;
    }
    return runs;
  }

  [[nodiscard]] std::size_t live_blocks() const {
    std::size_t count = 0;
    for (const auto& [name, given] : given_) count += given.live ? 1 : 0;
    return count;
  }

  [[nodiscard]] std::uint64_t used_bytes() const {
    std::uint64_t granules = 0;
    for (const ChunkMap& chunk : chunks_) {
      granules += static_cast<std::uint64_t>(std::ranges::count(chunk.taken, true));
    }
    return granules * granule_;
  }

  [[nodiscard]] bool shares_with_a_block(PhysRange range) const {
    return std::ranges::any_of(given_, [&](const auto& entry) {
      return entry.second.live && entry.second.range.overlaps(range);
    });
  }

  void end(Given& given) {
    given.live = false;
    mark(given.range, false);
  }

  void mark(PhysRange range, bool taken) {
    for (ChunkMap& chunk : chunks_) {
      if (!chunk.range.contains(range)) continue;
      const std::uint64_t first = (range.base.raw() - chunk.range.base.raw()) / granule_;
      for (std::uint64_t i = 0; i < range.size_bytes / granule_; ++i)
        chunk.taken[first + i] = taken;
    }
  }

  std::uint64_t granule_;
  std::size_t blocks_;
  bool serials_;
  std::uint64_t peak_ = 0;
  std::vector<ChunkMap> chunks_;
  std::map<Name, Given> given_;
};

}  // namespace carveout::testing
