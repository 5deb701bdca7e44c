#include "board.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace bugs {
namespace {

constexpr std::size_t kRam = 0x1000;
constexpr carveout::PhysAddr kCached{0x3'5a00'0000};
constexpr carveout::PhysAddr kUncached{0x7'1b40'0000};
constexpr carveout::Window kWindows[] = {sim::kOddWindow};

const std::byte* bytes(const void* at) { return static_cast<const std::byte*>(at); }

}  // namespace

sim::MachineFacts Board::facts() {
  return {.ram = {{.size_bytes = kRam, .cached = kCached, .uncached = kUncached}},
          .cache = sim::CacheGeometry{.line_bytes = kLine},
          .write_buffer_stores = 8,
          .early_loads = 8};
}

Board::Board(sim::Machine& machine, sim::Adversary& adversary, sim::Checker::Callback on_report)
    : machine_{(machine.reset(), machine)},
      checker_{machine, {.callback = std::move(on_report)}},
      cached_{machine.cached_view({kCached, kRam})},
      uncached_{machine.cpu_view({kUncached, kRam})} {
  machine.set_adversary(&adversary);
  checker_.forbid(phys(cached_ + kStack, kStackBytes), sim::Mistake::maps_stack);
}

void Board::fill(void* to, std::size_t size_bytes, std::byte value) {
  machine_.write(static_cast<std::byte*>(to), std::vector(size_bytes, value));
}

void Board::dcache_clean(const void* at, std::size_t size_bytes) {
  machine_.clean(bytes(at), size_bytes);
}

void Board::dcache_invalidate(const void* at, std::size_t size_bytes) {
  machine_.invalidate(bytes(at), size_bytes);
}

void Board::dcache_clean_invalidate(const void* at, std::size_t size_bytes) {
  machine_.clean_invalidate(bytes(at), size_bytes);
}

carveout::PhysRange Board::phys(const void* at, std::size_t size_bytes) const {
  return {machine_.phys_of(bytes(at), size_bytes).value(), size_bytes};
}

sim::Master Board::known() {
  if (master_ == sim::kAnyMaster) master_ = checker_.attach("eth0");
  return master_;
}

std::byte* Board::dma_alloc(std::size_t size_bytes) {
  checker_.alloc(known(), phys(uncached_, size_bytes), size_bytes);
  return uncached_;
}

void Board::dma_map(void* at, std::size_t size_bytes, Direction direction) {
  if (direction == Direction::to_device) {
    dcache_clean(at, size_bytes);
  } else {
    dcache_clean_invalidate(at, size_bytes);
  }
  checker_.map(known(), phys(at, size_bytes), direction);
}

void Board::dma_unmap(void* at, std::size_t size_bytes, Direction direction) {
  checker_.unmap(known(), phys(at, size_bytes), direction);
  if (direction != Direction::to_device) dcache_invalidate(at, size_bytes);
}

std::uint32_t Board::dma_address(const void* at) {
  const carveout::PhysAddr address = machine_.canonical(phys(at, 1).base);
  return static_cast<std::uint32_t>(address.raw() - kCached.raw() + sim::kOddWindow.dma.raw());
}

sim::DmaEngine Board::device() {
  return {machine_, carveout::Translation::through(kWindows), carveout::DmaAddr{0xffff'ffff},
          master_};
}

void Board::start_receive(void* into, std::size_t size_bytes) {
  const std::array list{carveout::DmaRange{carveout::DmaAddr{dma_address(into)}, size_bytes}};
  receiving_ =
      device()
          .begin_write(list,
                       [](std::span<std::byte> burst) { std::ranges::fill(burst, kReceived); })
          .value();
}

void Board::wait() { receiving_->finish(); }

void Board::doorbell(const Descriptor* descriptor) {
  Descriptor fetched{};
  std::ignore = device().read(carveout::DmaAddr{dma_address(descriptor)},
                              std::as_writable_bytes(std::span{&fetched, 1}));
  sent_.resize(std::min<std::size_t>(fetched.length, kPacket));
  std::ignore = device().read(carveout::DmaAddr{fetched.address}, sent_);
}

void Board::start_send(const void* from, std::size_t size_bytes) {
  const std::size_t before = sent_.size();
  sent_.resize(before + size_bytes);
  std::ignore =
      device().read(carveout::DmaAddr{dma_address(from)}, std::span{sent_}.subspan(before));
}

bool Board::sees_received(const void* at, std::size_t size_bytes) {
  std::vector<std::byte> seen(size_bytes);
  machine_.read(bytes(at), seen);
  return std::ranges::count(seen, kReceived) == static_cast<std::ptrdiff_t>(size_bytes);
}

}  // namespace bugs
