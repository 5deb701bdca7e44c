// A ring of descriptors that the CPU and a device hand each other, in coherent memory. The device
// may be hostile: what it writes is copied once, and believed only as far as it was looked at.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "carveout/core/assert.hpp"
#include "carveout/ops/buffer.hpp"

namespace carveout {

/// A length that a device claims, cut to what it was given. `claimed_bytes` is believed nowhere
/// else.
[[nodiscard]] constexpr std::size_t clamp(std::uint64_t claimed_bytes, std::size_t most_bytes) {
  return claimed_bytes < most_bytes ? static_cast<std::size_t>(claimed_bytes) : most_bytes;
}

namespace detail {

template <class Member>
struct MemberOf;
template <class Class, class Member>
struct MemberOf<Member Class::*> {
  using ClassType = Class;
  using Type = Member;
};

}  // namespace detail

/// A ring of descriptors over memory that this object owns:
/// `DescriptorRing<&Descriptor::status> ring{std::move(*memory)}`.
///
/// @tparam ownership  the member that says whose a descriptor is: one machine word or less, aligned
///                    to its size. Its bits, and the byte order of all members, are the
///                    descriptor's business (LittleEndian, BigEndian).
///
/// There is no reference to a descriptor: take() gives a copy, and write() stores one. Not
/// thread-safe: one context takes, and one writes each descriptor.
template <auto ownership>
class DescriptorRing {
 public:
  using Descriptor = typename detail::MemberOf<decltype(ownership)>::ClassType;
  using Ownership = typename detail::MemberOf<decltype(ownership)>::Type;
  static_assert(sizeof(Ownership) == alignof(Ownership) &&
                    sizeof(Ownership) <= sizeof(std::uintptr_t),
                "ownership changes hands in one access: one machine word or less, aligned");

  /// A descriptor that is the CPU's. It says what it said when it was looked at, whatever the
  /// device writes afterwards.
  struct Taken {
    std::size_t index;
    Descriptor descriptor;
  };

  /// @param memory  holds at least one descriptor; the ring is all of it.
  explicit DescriptorRing(Coherent<Descriptor[]>&& memory) : memory_{std::move(memory)} {
    CARVEOUT_ASSERT(memory_.size() != 0);
  }

  /// What the device is told: the address of the first descriptor.
  [[nodiscard]] DmaAddr dma() const { return memory_.dma(); }
  /// How many descriptors.
  [[nodiscard]] std::size_t size() const { return memory_.size(); }
  /// The index behind `index`: 0 behind the last.
  [[nodiscard]] std::size_t after(std::size_t index) const {
    return index + 1 >= size() ? 0 : index + 1;
  }

  /// The next descriptor in order, if it is the CPU's; nothing where it is not yet.
  ///
  /// Looks at the ownership word once. What the device wrote before it handed the descriptor over
  /// is there; what it writes afterwards, which it should not, does not change the copy's ownership
  /// word. A descriptor is taken once: until the ring comes round to it, give it back by write().
  /// A device may hand back without end, so a loop over take() is bounded by whoever writes it.
  ///
  /// @param is_mine  says of an Ownership whether the CPU has the descriptor.
  /// Cost: one load while it is the device's, else linear in the descriptor, and a barrier.
  /// Context: any, interrupts too.
  template <class IsMine>
    requires std::is_invocable_r_v<bool, IsMine&, Ownership>
  [[nodiscard]] std::optional<Taken> take(IsMine&& is_mine) {
    CARVEOUT_ASSERT(next_ < size());  // nothing is left of a ring that was moved from
    const Descriptor* const shared = memory_.plain().data() + next_;
    std::optional<Taken> taken{std::in_place, next_};
    Descriptor& copy = taken->descriptor;
    copy_ownership(&copy, shared);
    if (!is_mine(std::as_const(copy.*ownership))) return std::nullopt;
    memory_.observe();  // the rest is not older than the ownership word
    copy_rest(&copy, shared);
    next_ = after(next_);
    return taken;
  }

  /// Stores a descriptor and, by its ownership word, hands it over: the word comes last, and the
  /// device that sees it sees all the rest.
  ///
  /// @param index  less than size(). Any descriptor that is the CPU's: of a receive ring the one
  ///               that was taken, of a transmit ring the one after() the last that was written.
  /// Cost: linear in the descriptor, and a barrier. Context: any, interrupts too.
  void write(std::size_t index, const Descriptor& descriptor) const {
    CARVEOUT_ASSERT(index < size());
    Descriptor* const shared = memory_.plain().data() + index;
    copy_rest(shared, &descriptor);
    memory_.publish();  // before the device may look
    copy_ownership(shared, &descriptor);
  }

  /// Tells the device: whatever was written before is there when `doorbell` runs, which stores to
  /// the device's register.
  template <class Doorbell>
    requires std::is_invocable_v<Doorbell&>
  void publish(Doorbell&& doorbell) const {
    memory_.publish();
    doorbell();
  }

  /// Takes from the first descriptor again: for a device that was reset.
  void restart() { next_ = 0; }

 private:
  /// Words no longer than the ownership word, so that it shares none with another member.
  static constexpr std::size_t kWordBytes =
      std::min(detail::kWordBytes<Descriptor>, sizeof(Ownership));

  static std::size_t ownership_offset(const Descriptor& in) {
    const auto* const member = reinterpret_cast<const std::byte*>(&(in.*ownership));
    return static_cast<std::size_t>(member - reinterpret_cast<const std::byte*>(&in));
  }
  static void copy_ownership(Descriptor* to, const Descriptor* from) {
    detail::copy_once<sizeof(Ownership)>(&(to->*ownership), &(from->*ownership));
  }
  static void copy_rest(Descriptor* to, const Descriptor* from) {
    const std::size_t at = ownership_offset(*from);
    detail::copy_once<kWordBytes>(to, from, 0, at);
    detail::copy_once<kWordBytes>(to, from, at + sizeof(Ownership), sizeof(Descriptor));
  }

  Coherent<Descriptor[]> memory_;
  std::size_t next_ = 0;
};

}  // namespace carveout
