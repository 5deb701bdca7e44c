#include "offline.hpp"

#include <algorithm>
#include <limits>

#include "carveout/device_tree/dma_ranges.hpp"
#include "carveout/device_tree/reserved_memory.hpp"
#include "refusal.hpp"
#include "sentence.hpp"

namespace carveout::cli {
namespace {

using device_tree::Node;
using device_tree::Tree;

constexpr std::size_t kMaxTables = std::size_t{1} << 30;
constexpr std::size_t kMaxMemo = std::size_t{64} << 20;

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

void check_size(const Board& board, std::size_t bytes, std::string_view blame) {
  if (bytes <= kMaxTables) return;
  throw Refusal{board.source, "its pools need more tables than 1 GiB", blame};
}

}  // namespace

BuiltSystem build_system(const Board& board, std::span<const setup::DeviceSpec> devices,
                         const Platform& platform, FindingSink findings, std::string_view blame) {
  const std::size_t memo_bytes =
      std::min(device_tree::DmaRanges::memo_bytes(board.tree()), kMaxMemo);
  const auto room = std::make_unique_for_overwrite<std::byte[]>(memo_bytes);
  const std::span memo{room.get(), memo_bytes};
  const auto bytes = setup::measure(board.tree(), devices, platform, memo);
  if (!bytes) refuse(board, bytes.error());
  check_size(board, *bytes, blame);
  BuiltSystem built{.storage = std::make_unique_for_overwrite<std::byte[]>(*bytes), .system = {}};
  const auto system =
      setup::build(board.tree(), devices, platform, {built.storage.get(), *bytes}, findings, memo);
  if (!system) refuse(board, system.error());
  built.system = *system;
  return built;
}

void find_refused(const Board& board, BoardMap& map) {
  NoMachine port;
  const Platform platform{.port = port,
                          .granule_bytes = machine_of(board.tree()).granule_bytes(),
                          .store = TagStore::sparse(1),
                          .described_only = true};
  const auto bytes = setup::measure_regions(board.tree(), platform);
  if (!bytes) refuse(board, bytes.error());
  check_size(board, *bytes, "/reserved-memory");
  const auto storage = std::make_unique_for_overwrite<std::byte[]>(*bytes);
  const auto checked =
      setup::check_regions(board.tree(), platform, {storage.get(), *bytes},
                           [&](Node node, Error why) { map.region_at(node)->refused = why; });
  if (!checked) refuse(board, checked.error());
}

Offline::Offline(const Board& board, std::span<const setup::DeviceSpec> devices,
                 const Machine& machine, const OfflineSettings& settings, FindingSink findings) {
  // An MCU without pages has the memory that its board declares.
  if (!machine.armv7m) ordinary_ = memory_of(board.tree());
  built_ = build_system(board, devices,
                        {.port = port_,
                         .granule_bytes = machine.granule_bytes(),
                         .store = store_for(settings.blocks),
                         .devices_coherent = settings.devices_coherent,
                         .ordinary_elsewhere = ordinary_,
                         .described_only = true,
                         .assume_uncached_view = settings.uncached_view},
                        findings, settings.blame);
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (built_.system->device(static_cast<Holder>(i)) != nullptr) continue;
    throw Refusal{board.source, "its setup refuses a device", devices[i].node};
  }
}

}  // namespace carveout::cli
