// Arm's PL081: one channel that moves words, and fetches one job after the other from a linked
// list. Source: Arm "PrimeCell Single Master DMA Controller (PL081) Technical Reference Manual"
// (DDI 0218), 3.2 and 3.4.
#pragma once

#include <cstdint>
#include <utility>

#include "carveout/core/endian.hpp"
#include "carveout/ops/ring.hpp"
#include "mmio.hpp"

namespace an505 {

class Pl081 {
 public:
  /// A job as the engine reads it from memory. Its last word is what the engine would act on.
  struct Job {
    carveout::LittleEndian<std::uint32_t> source;
    carveout::LittleEndian<std::uint32_t> destination;
    carveout::LittleEndian<std::uint32_t> next;  ///< device address of the next job; 0: the last
    carveout::LittleEndian<std::uint32_t> control;
  };
  static_assert(sizeof(Job) == 16);
  /// Jobs that one copy is cut into.
  static constexpr std::uint32_t kJobs = 4;

  static carveout::Result<Pl081> create(const carveout::Device& device) {
    auto jobs = carveout::alloc_coherent<Job[]>(device, kJobs);
    if (!jobs) return std::unexpected{jobs.error()};
    return Pl081{std::move(*jobs)};
  }

  /// @param length_bytes  a multiple of 16: each job moves a quarter.
  bool copy(carveout::DmaAddr to, carveout::DmaAddr from, std::uint32_t length_bytes) {
    constexpr std::uint32_t kWords = 2U << 18 | 2U << 21;  // both sides 32 bits wide
    constexpr std::uint32_t kIncrement = 1U << 26 | 1U << 27;
    constexpr std::uint32_t kInterrupt = 1U << 31;
    const std::uint32_t part = length_bytes / kJobs;
    const auto job = [&](std::uint32_t i) {
      const bool last = i + 1 == kJobs;
      const std::uint64_t next = last ? 0 : jobs_.dma().raw() + (i + 1) * sizeof(Job);
      return Job{.source = word(from.raw() + i * part),
                 .destination = word(to.raw() + i * part),
                 .next = word(next),
                 .control = part / 4 | kWords | kIncrement | (last ? kInterrupt : 0)};
    };
    for (std::uint32_t i = 1; i < kJobs; ++i) jobs_.write(i, job(i));
    const Job first = job(0);  // in the registers; the list begins with the second
    put(kTerminalClear, 1);
    put(kErrorClear, 1);
    put(kSource, first.source.value());
    put(kDestination, first.destination.value());
    put(kNext, first.next.value());
    put(kControl, first.control.value());
    constexpr std::uint32_t kEnableWithInterrupt = 1U << 0 | 1U << 15;
    jobs_.publish([] { put(kChannel, kEnableWithInterrupt); });
    constexpr std::uint32_t kPatience = 100'000;
    for (std::uint32_t i = 0; i < kPatience; ++i) {
      if ((get(kTerminal) & 1) != 0) return (get(kError) & 1) == 0;
    }
    return false;
  }

 private:
  static constexpr std::uintptr_t kBase = 0x5011'0000;  ///< DMA 0, by its secure address
  static constexpr std::uintptr_t kTerminal = 0x14;
  static constexpr std::uintptr_t kTerminalClear = 0x08;
  static constexpr std::uintptr_t kError = 0x18;
  static constexpr std::uintptr_t kErrorClear = 0x10;
  static constexpr std::uintptr_t kConfiguration = 0x30;
  static constexpr std::uintptr_t kSource = 0x100;
  static constexpr std::uintptr_t kDestination = 0x104;
  static constexpr std::uintptr_t kNext = 0x108;
  static constexpr std::uintptr_t kControl = 0x10c;
  static constexpr std::uintptr_t kChannel = 0x110;

  explicit Pl081(carveout::Coherent<Job[]> jobs) : jobs_{std::move(jobs)} {
    put(kConfiguration, 1);
  }

  static std::uint32_t word(std::uint64_t device_address) {
    return carveout::narrow<std::uint32_t>(carveout::DmaAddr{device_address});
  }
  static void put(std::uintptr_t offset, std::uint32_t value) {
    board::mmio(kBase + offset) = value;
  }
  static std::uint32_t get(std::uintptr_t offset) { return board::mmio(kBase + offset); }

  carveout::DescriptorRing<&Job::control> jobs_;
};

}  // namespace an505
