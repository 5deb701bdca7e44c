// Memory for a device that copies memory, and what was found in it afterwards, byte for byte.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "board.hpp"
#include "carveout/ops/buffer.hpp"
#include "carveout/ops/streaming.hpp"

namespace board {

/// A device that copies memory by its own addresses. copy() returns when it says that it is done,
/// or false where it says that it failed; whether it did it is what the checks below find out.
template <class E>
concept CopyEngine =
    requires(E& engine, carveout::DmaAddr to, carveout::DmaAddr from, std::uint32_t length_bytes) {
      { engine.copy(to, from, length_bytes) } -> std::same_as<bool>;
    };

/// What became of a destination.
enum class Outcome : std::uint8_t { all_moved, nothing_moved, other };

/// Bytes around a copy's destination that have to stay as they are.
inline constexpr std::size_t kGuard = 64;

inline std::byte source_byte(std::size_t i) { return static_cast<std::byte>(i * 7 + (i >> 8) + 1); }
inline constexpr std::byte kUntouched{0xa5};

inline void prepare(std::span<std::byte> source, std::span<std::byte> destination) {
  for (std::size_t i = 0; i < source.size(); ++i) source[i] = source_byte(i);
  std::ranges::fill(destination, kUntouched);
}

/// @param destination  with a guard on both sides of what was to be written.
inline Outcome outcome(std::size_t length_bytes, std::span<const std::byte> destination) {
  bool moved = true;
  bool untouched = true;
  for (std::size_t i = 0; i < destination.size(); ++i) {
    const bool inside = i >= kGuard && i - kGuard < length_bytes;
    const std::byte want = inside ? source_byte(i - kGuard) : kUntouched;
    moved = moved && destination[i] == want;
    untouched = untouched && destination[i] == kUntouched;
  }
  return moved ? Outcome::all_moved : untouched ? Outcome::nothing_moved : Outcome::other;
}

inline void check_moved(Outcome found) {
  switch (found) {
    case Outcome::all_moved:
      check(true, "every byte arrived, and none beside them");
      break;
    case Outcome::nothing_moved:
      check(false, "nothing was moved: memory is as before");
      break;
    case Outcome::other:
      check(false, "bytes are wrong, or beside the destination");
      break;
  }
}

/// Coherent memory for copies of one length.
class CopyBench {
 public:
  static carveout::Result<CopyBench> create(const carveout::Device& device,
                                            std::uint32_t length_bytes) {
    auto source = carveout::alloc_coherent<std::byte[]>(device, length_bytes);
    if (!source) return std::unexpected{source.error()};
    auto destination = carveout::alloc_coherent<std::byte[]>(device, length_bytes + 2 * kGuard);
    if (!destination) return std::unexpected{destination.error()};
    return CopyBench{std::move(*source), std::move(*destination)};
  }

  void prepare() { board::prepare(source_.plain(), destination_.plain()); }
  [[nodiscard]] Outcome outcome() const {
    return board::outcome(source_.size(), destination_.plain());
  }
  [[nodiscard]] carveout::DmaAddr source_dma() const { return source_.dma(); }
  [[nodiscard]] carveout::DmaAddr destination_dma() const {
    return carveout::DmaAddr{destination_.dma().raw() + kGuard};
  }

 private:
  CopyBench(carveout::Coherent<std::byte[]> source, carveout::Coherent<std::byte[]> destination)
      : source_{std::move(source)}, destination_{std::move(destination)} {}

  carveout::Coherent<std::byte[]> source_;
  carveout::Coherent<std::byte[]> destination_;
};

/// The engine moves coherent memory by the addresses that the blocks came with.
template <CopyEngine E>
void check_copy(E& engine, const carveout::Device& device, std::uint32_t length_bytes) {
  count("a copy of bytes:", length_bytes);
  auto bench = CopyBench::create(device, length_bytes);
  if (!bench) return fail(bench.error(), "memory for a copy");
  bench->prepare();
  check(engine.copy(bench->destination_dma(), bench->source_dma(), length_bytes),
        "the engine says that it is done");
  check_moved(bench->outcome());
}

/// And ordinary memory of the CPU's, by the addresses of its mappings.
///
/// @param source, destination  used through the cache, whole lines.
template <CopyEngine E>
void check_streaming_copy(E& engine, const carveout::Device& device, std::span<std::byte> source,
                          std::span<std::byte> destination) {
  using carveout::Direction;
  const auto length = static_cast<std::uint32_t>(destination.size() - 2 * kGuard);
  const auto out = carveout::bytes_at(device, source.data(), length);
  const auto in = carveout::bytes_at(device, destination.data(), destination.size());
  if (!check(out && in, "the port says where the CPU's own bytes lie")) return;
  prepare(source.first(length), destination);
  const auto sent = carveout::map(device, *out, Direction::to_device);
  if (!sent) return fail(sent.error(), "a buffer is lent to the device");
  const auto received = carveout::map(device, *in, Direction::from_device);
  if (!received) return fail(received.error(), "a buffer to write is lent to the device");
  check(engine.copy(carveout::DmaAddr{received->dma.raw() + kGuard}, sent->dma, length),
        "the engine says that it is done with lent memory");
  check(carveout::unmap(device, *received) && carveout::unmap(device, *sent),
        "both are taken back");
  check_moved(outcome(length, destination));
}

/// And by no other addresses: what is off by `wrong` bytes, where the engine finds nothing of ours,
/// leaves memory as it is.
template <CopyEngine E>
void check_wrong_destination(E& engine, const carveout::Device& device, std::uint64_t wrong) {
  constexpr std::uint32_t kLength = 1024;
  auto bench = CopyBench::create(device, kLength);
  if (!bench) return fail(bench.error(), "memory for a copy");
  bench->prepare();
  engine.copy(carveout::DmaAddr{bench->destination_dma().raw() + wrong}, bench->source_dma(),
              kLength);
  check(bench->outcome() == Outcome::nothing_moved, "a wrong destination gets none of it");
  check(engine.copy(bench->destination_dma(), bench->source_dma(), kLength) &&
            bench->outcome() == Outcome::all_moved,
        "and the right one all of it");
}

}  // namespace board
