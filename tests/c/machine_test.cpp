// A port of C's on the machine model: each function of it by the bytes that CPU and device see.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "carveout/c/carveout.h"
#include "carveout_sim/adversary.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/host_port.hpp"
#include "tests/support/under_checker.hpp"

namespace carveout {
namespace {

using Bytes = std::array<std::byte, 64>;

Bytes all(std::uint8_t value) {
  Bytes bytes;
  bytes.fill(std::byte{value});
  return bytes;
}

sim::HostPort& port_of(void* context) { return *static_cast<sim::HostPort*>(context); }
std::byte* bytes_at(void* at) { return static_cast<std::byte*>(at); }

carveout_port c_port(sim::HostPort& port) {
  return {
      .context = &port,
      .cache_line_bytes = [](void* of) { return port_of(of).cache_line_bytes(); },
      .cpu_view = [](void* of, carveout_phys_addr first, std::uint64_t size) -> void* {
        return port_of(of).cpu_view({PhysAddr{first.raw}, size});
      },
      .clean = [](void* of, void* at, std::size_t size) { port_of(of).clean(bytes_at(at), size); },
      .invalidate = [](void* of, void* at,
                       std::size_t size) { port_of(of).invalidate(bytes_at(at), size); },
      .clean_invalidate =
          [](void* of, void* at, std::size_t size) {
            port_of(of).clean_invalidate(bytes_at(at), size);
          },
      .publish_barrier = [](void* of) { port_of(of).publish_barrier(); },
      .observe_barrier = [](void* of) { port_of(of).observe_barrier(); },
      .full_barrier = [](void* of) { port_of(of).full_barrier(); },
      .lock = [](void* /*of*/, std::uintptr_t* /*word*/) { return std::uintptr_t{0}; },
      .unlock = [](void* /*of*/, std::uintptr_t* /*word*/, std::uintptr_t /*state*/) {},
      .may_lock = nullptr,
      .processor = nullptr,
      .sync_table = nullptr,
      .phys_of = nullptr,
      .copy = nullptr};
}

constexpr std::uint64_t kOffset = 0x1000;

/// With a cache that is at its worst, or with none: then nothing but barriers orders what is
/// mapped.
class CPort : public testing::TestWithParam<bool> {
 protected:
  CPort() {
    carveout_platform platform{};
    platform.port = c_port(port_);
    EXPECT_EQ(carveout_build(&platform, nullptr, storage_.data(), sizeof storage_, nullptr, nullptr,
                             &system_, nullptr),
              CARVEOUT_OK);
    const carveout_window window{{kWindow.dma.raw()}, {kWindow.cpu.raw()}, kWindow.size_bytes};
    carveout_device_settings settings{};
    settings.name = "eth";
    settings.coherent_mask = {0xffff'ffff};
    settings.windows = &window;
    settings.window_count = 1;
    EXPECT_EQ(carveout_add_device(system_, &settings, &device_, nullptr), CARVEOUT_OK);
    machine_.set_adversary(&worst_);
  }
  ~CPort() override { machine_.set_adversary(nullptr); }

  [[nodiscard]] carveout_mapping map(carveout_direction direction) {
    const carveout_bytes bytes{.cpu = at_,
                               .phys = {kWindow.cpu.raw() + kOffset},
                               .size_bytes = sizeof(Bytes),
                               .padding_bytes = 0,
                               .view = CARVEOUT_VIEW_CACHED};
    carveout_mapping mapping{};
    EXPECT_EQ(carveout_map(device_, &bytes, direction, 0, false, &mapping, nullptr), CARVEOUT_OK);
    return mapping;
  }
  [[nodiscard]] Bytes device_reads(std::uint64_t dma) {
    Bytes bytes{};
    EXPECT_TRUE(engine_.read(DmaAddr{dma}, bytes));
    return bytes;
  }
  [[nodiscard]] Bytes cpu_reads(const std::byte* at) {
    Bytes bytes{};
    machine_.read(at, bytes);
    return bytes;
  }

  static constexpr Window kWindow = sim::kOddWindow;
  sim::Adversary worst_ = sim::Adversary::worst();
  sim::Machine machine_{{.cache = GetParam() ? std::optional{sim::CacheGeometry{}} : std::nullopt,
                         .write_buffer_stores = 8,
                         .early_loads = 8}};
  test::UnderChecker under_checker_{machine_};
  sim::HostPort port_{machine_};
  std::array<Window, 1> windows_{kWindow};
  sim::DmaEngine engine_{machine_, Translation::through(windows_), DmaAddr{0xffff'ffff}};
  alignas(8) std::array<std::byte, 8192> storage_{};
  carveout_system* system_ = nullptr;
  carveout_device* device_ = nullptr;
  std::byte* at_ = machine_.cpu_view({PhysAddr{kWindow.cpu.raw() + kOffset}, sizeof(Bytes)});
};

INSTANTIATE_TEST_SUITE_P(With, CPort, testing::Bool(),
                         [](const auto& with) { return with.param ? "ACache" : "NoCache"; });

TEST_P(CPort, ShowsADeviceWhatTheCpuStored) {
  machine_.write(at_, all(1));
  EXPECT_EQ(device_reads(map(CARVEOUT_TO_DEVICE).dma.raw), all(1));
}

TEST_P(CPort, ShowsADeviceThatWritesToo) {
  machine_.write(at_, all(1));
  EXPECT_EQ(device_reads(map(CARVEOUT_BIDIRECTIONAL).dma.raw), all(1));
}

TEST_P(CPort, ShowsTheCpuWhatADeviceWrote) {
  machine_.write(at_, all(1));
  const carveout_mapping mapping = map(CARVEOUT_FROM_DEVICE);
  ASSERT_TRUE(engine_.write(DmaAddr{mapping.dma.raw}, all(2)));
  EXPECT_EQ(carveout_unmap(device_, &mapping, 0, nullptr), CARVEOUT_OK);
  EXPECT_EQ(cpu_reads(at_), all(2));
}

TEST_P(CPort, PublishesAndObservesPastTheCache) {
  std::byte* const shared = machine_.cpu_view({machine_.aliases()[0].uncached, 0x1000});
  machine_.write(shared, all(1));
  carveout_publish_barrier(system_);
  EXPECT_EQ(device_reads(kWindow.dma.raw()), all(1));

  ASSERT_TRUE(engine_.write(kWindow.dma, all(2)));
  ASSERT_TRUE(engine_.fill(DmaAddr{kWindow.dma.raw() + 256}, 1, std::byte{1}));
  ASSERT_EQ(machine_.load(shared + 256), std::byte{1});
  carveout_observe_barrier(system_);
  EXPECT_EQ(cpu_reads(shared), all(2));
}

}  // namespace
}  // namespace carveout
