#include "offline.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "carveout/core/text.hpp"
#include "carveout/device_tree/dma_ranges.hpp"
#include "carveout/device_tree/reserved_memory.hpp"
#include "refusal.hpp"

namespace carveout::cli {
namespace {

using device_tree::Node;
using device_tree::Tree;

constexpr std::size_t kMaxTables = std::size_t{1} << 30;
constexpr std::size_t kMaxMemo = std::size_t{64} << 20;

/// Two paths and some words are the longest.
template <class Said>
std::string described(const Said& said) {
  std::array<char, 2 * device_tree::kMaxPathBytes + 512>
      buffer;  // NOLINT: written before it is read
  Text text{buffer};
  describe(said, text);
  return std::string{text.view()};
}

/// Where the tree says that memory is. Anywhere, if it does not: a boot loader may add it.
std::vector<PhysRange> memory_of(const Tree& tree) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  std::vector<PhysRange> memory;
  device_tree::for_each_memory(tree, [&](Node, PhysRange range) { memory.push_back(range); });
  if (memory.empty()) memory.emplace_back(PhysAddr{0}, kMost);
  return memory;
}

[[noreturn]] void refuse(const Board& board, const Failure& failure) {
  throw Refusal{board.source, sentence(failure), "setup of the board"};
}

}  // namespace

std::string sentence(const Candidate& candidate) { return described(candidate); }
std::string sentence(const Failure& failure) { return described(failure); }
std::string sentence(const Finding& finding) { return described(finding); }

Offline::Offline(const Board& board, std::span<const setup::DeviceSpec> devices,
                 const Machine& machine, const OfflineSettings& settings, FindingSink findings) {
  // An MCU without pages has the memory that its board declares.
  if (!machine.armv7m) ordinary_ = memory_of(board.tree());
  const Platform platform{.port = port_,
                          .granule_bytes = machine.granule_bytes(),
                          .store = store_for(settings.blocks),
                          .devices_coherent = settings.devices_coherent,
                          .ordinary_elsewhere = ordinary_,
                          .described_only = true,
                          .assume_uncached_view = settings.uncached_view};
  const std::size_t memo_bytes =
      std::min(device_tree::DmaRanges::memo_bytes(board.tree()), kMaxMemo);
  const auto room = std::make_unique_for_overwrite<std::byte[]>(memo_bytes);
  const std::span memo{room.get(), memo_bytes};
  const auto bytes = setup::measure(board.tree(), devices, platform, memo);
  if (!bytes) refuse(board, bytes.error());
  if (*bytes > kMaxTables) {
    throw Refusal{board.source, "its pools and so many requests need more tables than 1 GiB",
                  settings.blame};
  }
  storage_ = std::make_unique_for_overwrite<std::byte[]>(*bytes);
  const auto system =
      setup::build(board.tree(), devices, platform, {storage_.get(), *bytes}, findings, memo);
  if (!system) refuse(board, system.error());
  system_ = *system;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (system_->device(static_cast<Holder>(i)) != nullptr) continue;
    throw Refusal{board.source, "its setup refuses a device", devices[i].node};
  }
}

}  // namespace carveout::cli
