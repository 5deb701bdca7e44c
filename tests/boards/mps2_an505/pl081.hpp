// Arm's PL081: one channel that moves words, and fetches one item after the other from a linked
// list. Source: Arm "PrimeCell Single Master DMA Controller (PL081) Technical Reference Manual"
// (DDI 0218), 3.2 and 3.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "carveout/core/endian.hpp"
#include "carveout/ops/ring.hpp"
#include "mmio.hpp"
#include "wait_for.hpp"

namespace an505 {

class Pl081 {
 public:
  /// An item as the engine reads it from memory. It only ever reads it: nothing in an item says
  /// that it was done, and the terminal-count interrupt does not say which item was.
  struct Item {
    carveout::LittleEndian<std::uint32_t> source;
    carveout::LittleEndian<std::uint32_t> destination;
    carveout::LittleEndian<std::uint32_t> next;  ///< device address of the next item; 0: the last
    carveout::LittleEndian<std::uint32_t> control;
  };
  /// A descriptor of the ring: an item that moves data, and one that hands the descriptor back, by
  /// moving `done` to `status`. The engine ends an item before it fetches the next one, so whoever
  /// sees the status sees the data.
  struct Job {
    Item move;
    Item report;
    carveout::LittleEndian<std::uint32_t> done;
    carveout::LittleEndian<std::uint32_t> status;  ///< kDone: the CPU's; else the engine's
  };
  static_assert(sizeof(Item) == 16 && sizeof(Job) == 40);
  /// Jobs that one copy is cut into, and the ring's: no multiple, so that lists go over its end.
  static constexpr std::uint32_t kJobs = 4;
  static constexpr std::size_t kDescriptors = 6;

  static carveout::Result<Pl081> create(const carveout::Device& device) {
    auto jobs = carveout::alloc_coherent<Job[]>(device, kDescriptors);
    if (!jobs) return std::unexpected{jobs.error()};
    return Pl081{std::move(*jobs)};
  }

  /// @param length_bytes  a multiple of 16: each job moves a quarter.
  bool copy(carveout::DmaAddr to, carveout::DmaAddr from, std::uint32_t length_bytes) {
    const std::uint32_t part = length_bytes / kJobs;
    const std::size_t first = index_;
    for (std::uint32_t i = 0; i < kJobs; ++i) {
      const Job next = job(to.raw() + i * part, from.raw() + i * part, part, i + 1 == kJobs);
      if (i == 0) load(next.move);
      jobs_.write(index_, next);
      index_ = jobs_.after(index_);
    }
    jobs_.publish([] { put(kChannel, kEnable); });
    for (std::size_t due = first; due != index_; due = jobs_.after(due)) {
      const auto taken =
          board::wait_for(jobs_, [](auto status) { return status.value() == kDone; });
      if (!taken || taken->index != due) return stop();
    }
    return true;
  }

 private:
  static constexpr std::uintptr_t kBase = 0x5011'0000;  ///< DMA 0, by its secure address
  static constexpr std::uintptr_t kConfiguration = 0x30;
  static constexpr std::uintptr_t kSource = 0x100;
  static constexpr std::uintptr_t kDestination = 0x104;
  static constexpr std::uintptr_t kNext = 0x108;
  static constexpr std::uintptr_t kControl = 0x10c;
  static constexpr std::uintptr_t kChannel = 0x110;
  static constexpr std::uint32_t kEnable = 1;
  static constexpr std::uint32_t kDone = 1;

  explicit Pl081(carveout::Coherent<Job[]> jobs) : jobs_{std::move(jobs)} {
    put(kConfiguration, 1);
  }

  /// The next descriptor, as it stands in the ring.
  Job job(std::uint64_t to, std::uint64_t from, std::uint32_t length_bytes, bool last) const {
    constexpr std::uint32_t kWords = 2U << 18 | 2U << 21;  // both sides 32 bits wide
    constexpr std::uint32_t kIncrement = 1U << 26 | 1U << 27;
    const std::uint64_t here = address(index_);
    return {.move = {.source = word(from),
                     .destination = word(to),
                     .next = word(here + offsetof(Job, report)),
                     .control = length_bytes / 4 | kWords | kIncrement},
            .report = {.source = word(here + offsetof(Job, done)),
                       .destination = word(here + offsetof(Job, status)),
                       .next = last ? 0 : word(address(jobs_.after(index_))),
                       .control = 1U | kWords},
            .done = kDone,
            .status = 0};
  }
  /// The first item is in the registers: the engine fetches those behind it.
  static void load(const Item& item) {
    put(kSource, item.source.value());
    put(kDestination, item.destination.value());
    put(kNext, item.next.value());
    put(kControl, item.control.value());
  }
  /// A list that came to no end is given up: the channel is off, and the ring begins anew.
  bool stop() {
    put(kChannel, 0);
    jobs_.restart();
    index_ = 0;
    return false;
  }

  [[nodiscard]] std::uint64_t address(std::size_t index) const {
    return jobs_.dma().raw() + index * sizeof(Job);
  }
  static std::uint32_t word(std::uint64_t device_address) {
    return carveout::narrow<std::uint32_t>(carveout::DmaAddr{device_address});
  }
  static void put(std::uintptr_t offset, std::uint32_t value) {
    board::mmio(kBase + offset) = value;
  }

  carveout::DescriptorRing<&Job::status> jobs_;
  std::size_t index_ = 0;  ///< of the descriptor that is written next
};

}  // namespace an505
