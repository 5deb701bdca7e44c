// A first coherent buffer: from a board's device tree to bytes that a device wrote and the CPU
// reads right, on a modelled machine whose cache tells the CPU lies.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carveout/carveout.hpp"
#include "carveout/device_tree/tree.hpp"
#include "carveout/setup/from_device_tree.hpp"
#include "carveout_sim/dma_engine.hpp"
#include "carveout_sim/host_port.hpp"
#include "carveout_sim/machine.hpp"

namespace cv = carveout;

// examples/boards/art-pi.dts, compiled by dtc and put into the program by embed.cmake.
extern const unsigned char art_pi_dtb[];
extern const std::size_t art_pi_dtb_bytes;

namespace {

constexpr std::string_view kSerial = "/soc/serial@40004c00";
constexpr cv::DmaAddr kMask{0xffff'ffff};  // the driver knows: a 32-bit bus master
constexpr std::string_view kMessage = "received by DMA";

// The board as hardware: 32 MiB of SDRAM at 0xc0000000, which an MPU makes uncached where the
// program wants it, and the Cortex-M7's 16 KiB cache of 32-byte lines.
constexpr cv::PhysAddr kSdram{0xc000'0000};
const cv::sim::MachineFacts kArtPi{
    .ram = {{.size_bytes = 0x200'0000, .cached = kSdram, .uncached = kSdram}},
    .cache = cv::sim::CacheGeometry{.line_bytes = 32, .sets = 128, .ways = 4}};

// Says what is wrong; main() ends with it.
int complain(std::string_view what) {
  std::fprintf(stderr, "carveout-demo: %.*s\n", static_cast<int>(what.size()), what.data());
  return 1;
}
// The library describes a refused request and a mistake in a tree alike.
int complain_of(const auto& trouble) {
  std::array<char, 256> storage;
  cv::Text text{storage};
  cv::describe(trouble, text);
  return complain(text.view());
}

void print_address(const char* whose, std::uint64_t address, const char* remark) {
  std::printf("  %-17s 0x%llx  %s\n", whose, static_cast<unsigned long long>(address), remark);
}

// Prints what was read, dots for zeros, and answers whether it is the device's message.
bool print_read(const char* view, std::span<const char> bytes, const char* remark) {
  const std::string_view read{bytes.data(), kMessage.size()};
  std::string shown{read};
  std::ranges::replace(shown, '\0', '.');
  std::printf("  %-31s %s  %s\n", view, shown.c_str(), remark);
  return read == kMessage;
}

}  // namespace

int main() {
  cv::sim::Machine machine{kArtPi};
  cv::sim::HostPort port{machine};
  std::printf(
      "the ART-Pi, modelled: 32 MiB of SDRAM at 0x%llx, a cache that nobody keeps coherent\n",
      static_cast<unsigned long long>(kSdram.raw()));

  // 1. The tree says what memory there is; the driver says how far its device counts.
  const auto blob = std::as_bytes(std::span{art_pi_dtb, art_pi_dtb_bytes});
  const auto scratch_bytes = cv::device_tree::Tree::measure(blob);
  if (!scratch_bytes) return complain(scratch_bytes.error().what());
  std::vector<std::byte> scratch(*scratch_bytes);
  const auto tree = cv::device_tree::Tree::open(blob, scratch);
  if (!tree) return complain(tree.error().what());

  constexpr std::array kDevices{cv::setup::DeviceSpec{.node = kSerial, .coherent_mask = kMask}};
  const cv::Platform platform{.port = port, .aliases = machine.aliases()};
  const auto storage_bytes = cv::setup::measure(*tree, kDevices, platform);
  if (!storage_bytes) return complain_of(storage_bytes.error());
  std::vector<std::byte> storage(*storage_bytes);
  const auto system = cv::setup::build(*tree, kDevices, platform, storage,
                                       [](const cv::Finding& finding) { complain_of(finding); });
  if (!system) return complain_of(system.error());

  // 2. The driver asks for a buffer. It names no pool: the route finds it.
  const cv::Device& serial = *(*system)->find_device(kSerial);
  const auto buffer = cv::alloc_coherent<char[]>(serial, 64);
  if (!buffer) return complain_of(buffer.error());
  const cv::Block& block = buffer->block();

  std::printf("%.*s got %llu coherent bytes from %.*s:\n", static_cast<int>(kSerial.size()),
              kSerial.data(), static_cast<unsigned long long>(block.size_bytes),
              static_cast<int>(block.pool->name().size()), block.pool->name().data());
  print_address("physical address", block.phys.raw(), "what the tree calls these bytes");
  print_address("device address", buffer->dma().raw(),
                "what the driver tells the device; this bus has no offset");
  std::printf("  %-17s %-10s  %s\n", "CPU pointer", "uncached",
              "what the driver uses; an MPU region keeps the cache out of it");

  // 3. Something pulls the line into the cache: speculation, or a mapping that was forgotten.
  std::byte* const twin_bytes = machine.cached_view({block.phys, block.size_bytes});
  const auto through_cache = [&] {
    std::array<char, kMessage.size()> bytes;
    machine.read(twin_bytes, std::as_writable_bytes(std::span{bytes}));
    return bytes;
  };
  static_cast<void>(through_cache());

  // 4. The device writes, at its own address, past the cache.
  cv::sim::DmaEngine engine{machine, serial.translation, serial.coherent_mask};
  if (!engine.write(buffer->dma(), std::as_bytes(std::span{kMessage}))) {
    return complain("the bus refused the device's own buffer");
  }
  std::printf("its DMA engine writes \"%.*s\" to 0x%llx; then the CPU reads\n",
              static_cast<int>(kMessage.size()), kMessage.data(),
              static_cast<unsigned long long>(buffer->dma().raw()));

  // 5. The buffer is right at once. The same bytes through the cache are what they were.
  const bool right = print_read("through the uncached view", buffer->plain(), "right");
  const bool twin =
      print_read("through the cached twin", through_cache(), "stale: the line was there before");
  port.invalidate(twin_bytes, block.size_bytes);
  const bool cured = print_read("the same after an invalidate", through_cache(), "right again");

  // 6. A CPU pointer is no device address: the bus has nothing there.
  const cv::DmaAddr wrong{reinterpret_cast<std::uintptr_t>(buffer->plain().data())};
  const bool moved = engine.write(wrong, std::as_bytes(std::span{kMessage})).has_value();
  if (!moved)
    std::printf("given the CPU's pointer instead of the device address, it moves nothing\n");

  return right && !twin && cured && !moved ? 0 : complain("the machine did not behave like one");
}
