// Threads on one machine under one checker, for ThreadSanitizer: each is a CPU with a device of its
// own, which keeps the rules on bytes of its own; all share the machine, its adversary and the
// checker. In the end everybody saw its own bytes, and nothing was reported but the mistake that
// each thread makes on purpose, once.
//
//   machine_stress THREADS ROUNDS
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "carveout_sim/adversary.hpp"
#include "carveout_sim/checker.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/machine.hpp"

namespace carveout::sim {
namespace {

constexpr PhysAddr kRam{0x3'5a00'0000};
constexpr std::size_t kBytes = 256;
constexpr Window kWindows[] = {kOddWindow};

class Stress {
 public:
  Stress(std::uint32_t threads, unsigned rounds)
      : rounds_{rounds}, machine_{{.cpus = threads, .write_buffer_stores = 4}} {
    machine_.set_adversary(&adversary_);
  }
  ~Stress() { machine_.set_adversary(nullptr); }
  Stress(const Stress&) = delete;
  Stress& operator=(const Stress&) = delete;

  bool run() {
    std::vector<std::thread> threads;
    for (std::uint32_t i = 0; i < machine_.cpus(); ++i)
      threads.emplace_back([this, i] { play(i); });
    for (std::thread& thread : threads) thread.join();
    for (const Report& report : checker_.reports()) {
      if (report.mistake != Mistake::double_unmap) std::fputs(report.text().c_str(), stderr);
    }
    return wrong_ == 0 && checker_.count() == machine_.cpus() &&
           checker_.count(Mistake::double_unmap) == machine_.cpus();
  }

 private:
  void play(std::uint32_t index) {
    Cpu& cpu = machine_.cpu(index);
    const Master master = checker_.attach("device " + std::to_string(index));
    DmaEngine engine{machine_, Translation::through(kWindows), DmaAddr{0xffff'ffff}, master};
    const std::size_t offset = index * 2 * kBytes;
    const PhysRange range{PhysAddr{kRam.raw() + offset}, kBytes};
    const DmaAddr dma{kOddWindow.dma.raw() + offset};
    std::byte* const cached = machine_.cached_view(range);
    std::array<std::byte, kBytes> bytes{};
    for (unsigned round = 0; round < rounds_; ++round) {
      const auto sent = static_cast<std::byte>(round + index);
      cpu.write(cached, std::array<std::byte, 2>{sent, sent});
      cpu.clean(cached, kBytes);
      cpu.publish_barrier();
      checker_.map(master, range, Direction::to_device);
      if (!engine.read(dma, bytes) || bytes[1] != sent) ++wrong_;
      checker_.unmap(master, range, Direction::to_device);

      cpu.invalidate(cached, kBytes);
      checker_.map(master, range, Direction::from_device);
      if (!engine.fill(dma, kBytes, ~sent)) ++wrong_;
      checker_.sync_for_cpu(master, range, Direction::from_device);
      cpu.observe_barrier();
      cpu.invalidate(cached, kBytes);
      cpu.read(cached, bytes);
      if (bytes[kBytes - 1] != ~sent) ++wrong_;
      checker_.unmap(master, range, Direction::from_device);
      if (checker_.count(Mistake::table_full) != 0) ++wrong_;
    }
    checker_.unmap(master, range, Direction::from_device);
    checker_.detach(master);
  }

  unsigned rounds_;
  Machine machine_;
  Adversary adversary_ = Adversary::seeded(1);
  Checker checker_{machine_, {.callback = Checker::silent}};
  std::atomic<unsigned> wrong_ = 0;
};

}  // namespace
}  // namespace carveout::sim

int main(int count, char** arguments) {
  if (count != 3) return 2;
  carveout::sim::Stress stress{static_cast<std::uint32_t>(std::atoi(arguments[1])),
                               static_cast<unsigned>(std::atoi(arguments[2]))};
  if (!stress.run()) {
    std::puts("machine_stress: wrong");
    return 1;
  }
  std::puts("machine_stress: right");
  return 0;
}
