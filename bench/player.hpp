// Plays a trace on a peer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "bench/workloads.hpp"

namespace carveout::bench {

/// A peer is an allocator over one pool of a shape:
///   Handle                            what it needs to give a block back
///   static Handle nothing()           a handle of no block
///   bool take(Handle&, size)          false where it has no room
///   bool take(Handle&, size, align)   the same, for traces with alignments
///   void give_back(const Handle&)
template <class Peer>
struct Seat {
  typename Peer::Handle handle = Peer::nothing();
  bool taken = false;
};

/// How many requests were refused. Not inlined: the loop's code is then the same in every program.
template <class Peer, bool kAligned = false>
[[gnu::noinline]] std::size_t play(Peer& peer, std::span<const Step> steps,
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
  explicit Nobody(const PoolShape& /*pool*/) {}
  bool take(Handle& /*handle*/, std::uint32_t size_bytes) { return size_bytes != 0; }
  bool take(Handle& handle, std::uint32_t size_bytes, std::uint32_t /*align_bytes*/) {
    return take(handle, size_bytes);
  }
  void give_back(const Handle& handle) { asm volatile("" : : "r"(&handle) : "memory"); }
};

}  // namespace carveout::bench
