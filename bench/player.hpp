// Plays a trace on a peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "bench/workloads.hpp"

namespace carveout::bench {

/// Where a peer is to work.
struct Site {
  PoolShape pool;
  std::uint32_t blocks;           ///< the most that will live at once
  std::uint32_t only_size_bytes;  ///< of every request; 0 where they differ
};

inline Site site_for(const PoolShape& pool, const Trace& trace) {
  return {pool, trace.slots, trace.only_size_bytes};
}

template <class Peer>
struct Seat {
  typename Peer::Handle handle = Peer::nothing();
  bool taken = false;
};

/// How many requests were refused. Not inlined, so that the loop is the same in every program; all
/// that a peer has in headers is part of it.
template <class Peer, bool kAligned = false>
[[gnu::noinline, gnu::flatten]] std::size_t play(Peer& peer, std::span<const Step> steps,
                                                 std::span<Seat<Peer>> seats) {
  std::size_t refused = 0;
  for (const Step& step : steps) {
    Seat<Peer>& seat = seats[step.slot];
    if (step.size_bytes != 0) {
      if constexpr (kAligned) {
        seat.taken = peer.take(seat.handle, step.size_bytes, step.align_bytes);
      } else {
        seat.taken = peer.take(seat.handle, step.size_bytes);
      }
      refused += seat.taken ? 0 : 1;
    } else if (seat.taken) {
      peer.give_back(seat.handle);
      seat.taken = false;
    }
  }
  return refused;
}

/// Does nothing: what the loop itself costs.
class Nobody {
 public:
  struct Handle {};
  static Handle nothing() { return {}; }
  explicit Nobody(const Site& /*site*/) {}
  bool take(Handle& /*handle*/, std::uint32_t size_bytes) { return size_bytes != 0; }
  bool take(Handle& handle, std::uint32_t size_bytes, std::uint32_t /*align_bytes*/) {
    return take(handle, size_bytes);
  }
  void give_back(const Handle& handle) { asm volatile("" : : "r"(&handle) : "memory"); }
  static std::uint64_t taken_bytes(const Handle& /*handle*/) { return 0; }
};

}  // namespace carveout::bench
