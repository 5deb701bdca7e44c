// Streaming with owners: who may touch the bytes is what the types say. A StreamBuffer is the
// CPU's, a Mapping the device's, a CpuTurn a part of a mapping that is the CPU's for a while.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "carveout/core/assert.hpp"
#include "carveout/core/attributes.hpp"
#include "carveout/core/direction.hpp"
#include "carveout/core/error.hpp"
#include "carveout/map/device.hpp"
#include "carveout/ops/streaming.hpp"
#include "carveout/pool/pool.hpp"

namespace carveout {

namespace detail {
class Loan;
}

/// Bytes that are the CPU's, and can be lent. Move-only. Bytes of a pool are given back when it
/// ends; adopted ones stay whose they are.
class StreamBuffer {
 public:
  StreamBuffer(StreamBuffer&& other) noexcept
      : bytes_{std::exchange(other.bytes_, kNone)},
        block_{std::exchange(other.block_, std::nullopt)} {}
  StreamBuffer& operator=(StreamBuffer&& other) noexcept {
    if (this != &other) {
      give_back();
      bytes_ = std::exchange(other.bytes_, kNone);
      block_ = std::exchange(other.block_, std::nullopt);
    }
    return *this;
  }
  StreamBuffer(const StreamBuffer&) = delete;
  StreamBuffer& operator=(const StreamBuffer&) = delete;
  ~StreamBuffer() { give_back(); }

  /// The bytes, for as long as the buffer is not lent: map() moves from it, and what was moved from
  /// has none. Whoever keeps the span beyond that uses bytes of the device's.
  [[nodiscard]] std::span<std::byte> bytes() & {
    return {bytes_.cpu, static_cast<std::size_t>(bytes_.size_bytes)};
  }
  [[nodiscard]] std::span<const std::byte> bytes() const& {
    return {bytes_.cpu, static_cast<std::size_t>(bytes_.size_bytes)};
  }
  void bytes() && = delete;
  void bytes() const&& = delete;

  [[nodiscard]] std::uint64_t size_bytes() const { return bytes_.size_bytes; }

 private:
  friend class detail::Loan;
  friend StreamBuffer adopt(std::span<std::byte> bytes, PhysAddr phys);
  friend Result<StreamBuffer> adopt(const Device& device, std::span<std::byte> bytes);
  friend Result<StreamBuffer> alloc_stream(const Device& device, std::uint64_t size_bytes,
                                           const Options& options);

  static constexpr CpuBytes kNone{.cpu = nullptr, .phys = PhysAddr{0}, .size_bytes = 0};

  explicit StreamBuffer(const CpuBytes& bytes, std::optional<Block> block = std::nullopt)
      : bytes_{bytes}, block_{block} {}
  void give_back();

  CpuBytes bytes_;
  std::optional<Block> block_;
};

/// Takes memory that CPU and device share by turns: ordinary, cacheable memory, by the route of
/// Attributes::non_coherent. All zero, but under Attributes::uninitialized. Where the device
/// reaches coherent memory only, the buffer is some, and no cache work is ever done for it.
///
/// The buffer owns its cache lines whole, so no direction makes it partial_line.
///
/// @param size_bytes  1 or more. The buffer is as long as asked; its last granule is padding.
/// Fails like alloc_coherent(), and with bad_attributes (no_cpu_mapping, which leaves nothing to
/// write; require_coherent).
[[nodiscard]] Result<StreamBuffer> alloc_stream(const Device& device, std::uint64_t size_bytes,
                                                const Options& options = {});

/// Memory that somebody else owns, and that the CPU uses through its cache: the one door by which
/// it comes in. It outlives the buffer and every mapping of it, and nobody uses it but through
/// them. The owner of a mapping of it finishes: it has no pool in which it could wait.
///
/// @param phys  the address that the CPU emits for the first byte.
[[nodiscard]] StreamBuffer adopt(std::span<std::byte> bytes, PhysAddr phys);

/// The same where the port knows the address. Fails with: zero_size, unknown_memory.
[[nodiscard]] Result<StreamBuffer> adopt(const Device& device, std::span<std::byte> bytes);

namespace detail {

/// A buffer that is lent, whatever the direction: what Mapping and CpuTurn do is done here.
class Loan {
 public:
  static Result<Loan> make(const Device& device, StreamBuffer&& buffer, Direction direction,
                           const MapOptions& options);

  Loan(Loan&& other) noexcept
      : device_{std::exchange(other.device_, nullptr)},
        mapped_{other.mapped_},
        buffer_{std::move(other.buffer_)} {}
  Loan& operator=(Loan&& other) noexcept;
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;
  ~Loan() { end(); }

  [[nodiscard]] const MappedBytes& mapped() const {
    CARVEOUT_ASSERT(device_ != nullptr);
    return mapped_;
  }
  [[nodiscard]] Result<void> to_cpu(Part part) const;
  void to_device(Part part) const;
  // Each ends it.
  [[nodiscard]] StreamBuffer finish();
  [[nodiscard]] StreamBuffer finish_after_turn(Part turn);
  [[nodiscard]] StreamBuffer abandon();

 private:
  Loan(const Device& device, const MappedBytes& mapped, StreamBuffer&& buffer)
      : device_{&device}, mapped_{mapped}, buffer_{std::move(buffer)} {}
  void end();

  const Device* device_;  ///< nullptr: moved from, or ended
  MappedBytes mapped_;
  StreamBuffer buffer_;
};

}  // namespace detail

template <Direction direction>
class CpuTurn;

/// A buffer that is the device's: there is no way to its bytes. Move-only; made by map().
///
/// One that ends without finish() may still be written by the device, so its memory is not given
/// back: it waits in the device's quarantine, and where that is full it stays taken for ever. Of
/// adopted memory, which has nowhere to wait, that is a broken precondition.
template <Direction direction>
class [[nodiscard]] Mapping {
 public:
  explicit Mapping(detail::Loan&& loan) : loan_{std::move(loan)} {}

  /// What the device is told.
  [[nodiscard]] DmaAddr dma() const { return loan_.mapped().dma; }
  [[nodiscard]] std::uint64_t size_bytes() const { return loan_.mapped().bytes.size_bytes; }

  /// Takes the buffer back. The device is done with it.
  ///
  /// Context: where the port's lock may be waited for, if the mapping is bounced.
  [[nodiscard]] StreamBuffer finish() && { return loan_.finish(); }
  /// The same of a buffer that the device was never told of: no cache work, no copying back.
  [[nodiscard]] StreamBuffer abandon() && { return loan_.abandon(); }

  /// Gives the CPU all of the bytes for a while.
  [[nodiscard]] CpuTurn<direction> sync_for_cpu() && {
    auto turn = std::move(*this).sync_for_cpu({.offset_bytes = 0, .size_bytes = size_bytes()});
    CARVEOUT_ASSERT(turn.has_value());
    return std::move(*turn);
  }
  /// A part of them, which is widened to whole cache lines inside the mapping; the device leaves
  /// those alone meanwhile. Moves from the mapping only on success.
  ///
  /// Fails with: outside_mapping, zero_size.
  [[nodiscard]] Result<CpuTurn<direction>> sync_for_cpu(Part part) && {
    if (const auto synced = loan_.to_cpu(part); !synced) return std::unexpected{synced.error()};
    return CpuTurn<direction>{std::move(loan_), part};
  }

 private:
  detail::Loan loan_;
};

/// A part of a mapping while it is the CPU's turn. Move-only; made by Mapping::sync_for_cpu(). Of
/// what the device writes and the CPU reads, the bytes are const: to write into a received buffer,
/// finish() it. One that ends goes the way of its mapping.
template <Direction direction>
class [[nodiscard]] CpuTurn {
 public:
  using Byte = std::conditional_t<direction == Direction::from_device, const std::byte, std::byte>;

  CpuTurn(detail::Loan&& loan, Part part) : loan_{std::move(loan)}, part_{part} {}

  [[nodiscard]] std::span<Byte> bytes() & {
    return {loan_.mapped().bytes.cpu + part_.offset_bytes,
            static_cast<std::size_t>(part_.size_bytes)};
  }
  void bytes() && = delete;

  /// Gives the part back to the device.
  [[nodiscard]] Mapping<direction> sync_for_device() && {
    loan_.to_device(part_);
    return Mapping<direction>{std::move(loan_)};
  }
  /// Takes the whole buffer back, with what the CPU wrote in its turn. The device is done with it.
  [[nodiscard]] StreamBuffer finish() && { return loan_.finish_after_turn(part_); }

 private:
  detail::Loan loan_;
  Part part_;
};

/// Lends a buffer: map<Direction::from_device>(device, std::move(buffer)). Moves from it only on
/// success. Fails like map() of its bytes.
template <Direction direction>
[[nodiscard]] Result<Mapping<direction>> map(const Device& device, StreamBuffer&& buffer,
                                             const MapOptions& options = {}) {
  auto loan = detail::Loan::make(device, std::move(buffer), direction, options);
  if (!loan) return std::unexpected{loan.error()};
  return Mapping<direction>{std::move(*loan)};
}

/// Lends a list, entry by entry; nothing is merged. All or nothing: if an entry fails, the buffers
/// before it are back in their places, as if they had not been lent.
///
/// @param mapped  as long as `buffers`, and empty, as it is left on failure.
/// Fails like map(). Context: where the port's lock may be waited for.
template <Direction direction>
Result<void> map_each(const Device& device, std::span<StreamBuffer> buffers,
                      std::span<std::optional<Mapping<direction>>> mapped,
                      const MapOptions& options = {}) {
  CARVEOUT_ASSERT(buffers.size() == mapped.size());
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    auto entry = map<direction>(device, std::move(buffers[i]), options);
    if (!entry) {
      for (; i > 0; --i) {
        buffers[i - 1] = std::move(*mapped[i - 1]).abandon();
        mapped[i - 1].reset();
      }
      return std::unexpected{entry.error()};
    }
    mapped[i].emplace(std::move(*entry));
  }
  return {};
}

/// Takes them back, each to its place, and empties the list.
template <Direction direction>
void finish_each(std::span<std::optional<Mapping<direction>>> mapped,
                 std::span<StreamBuffer> buffers) {
  CARVEOUT_ASSERT(buffers.size() == mapped.size());
  for (std::size_t i = 0; i < mapped.size(); ++i) {
    if (!mapped[i]) continue;
    buffers[i] = std::move(*mapped[i]).finish();
    mapped[i].reset();
  }
}

}  // namespace carveout
