#include "core.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>

#include "carveout_port/cortex_m.hpp"

namespace carveout::test {
namespace {

constexpr std::uint32_t kCpacr = 0xe000'ed88;  // start-up code lets itself use float registers

PhysRange range_of(std::uint32_t address, unsigned size_bytes) {
  return {PhysAddr{address}, size_bytes};
}

}  // namespace

std::byte* Core::pointer(std::uint32_t address, unsigned size_bytes) const {
  const PhysRange range = range_of(address, size_bytes);
  return mpu_.caches(address) ? machine_.cached_view(range) : machine_.cpu_view(range);
}

std::uint64_t Core::load(std::uint32_t address, unsigned size_bytes) {
  const bool waits = std::ranges::any_of(stores_, [&](const Store& store) {
    return range_of(store.address, store.size_bytes).overlaps(range_of(address, size_bytes));
  });
  if (waits) finish_stores();
  std::uint64_t value = 0;
  machine_.read(pointer(address, size_bytes),
                std::as_writable_bytes(std::span{&value, 1}).first(size_bytes));
  return value;
}

void Core::store(std::uint32_t address, unsigned size_bytes, std::uint64_t value) {
  const Store store{address, size_bytes, value, pointer(address, size_bytes)};
  if (!mpu_.caches(address)) return finish(store);  // it waits in the machine's own buffer
  if (stores_.size() == kStores) finish_oldest_store();
  stores_.push_back(store);
}

void Core::finish(const Store& store) {
  machine_.write(store.at, std::as_bytes(std::span{&store.value, 1}).first(store.size_bytes));
}

void Core::finish_oldest_store() {
  const Store store = stores_.front();
  stores_.pop_front();
  finish(store);
}

void Core::finish_stores() {
  while (!stores_.empty()) finish_oldest_store();
}

std::uint32_t Core::read_register(std::uint32_t address) const {
  if (const auto value = mpu_.read(address)) return *value;
  if (address == kCpacr) return cpacr_;
  if (address == cortex_m::kCtr) {
    // Format 4; CWG, DminLine and IminLine in words, as powers of two.
    const auto words = static_cast<std::uint32_t>(std::countr_zero(machine_.line_bytes() / 4));
    return 4U << 29 | words << 24 | words << 16 | 3U << 14 | words;
  }
  throw std::out_of_range{"the model has no register " + std::to_string(address) + " to read"};
}

void Core::write_register(std::uint32_t address, std::uint32_t value) {
  if (mpu_.write(address, value)) return;
  switch (address) {
    case kCpacr:
      cpacr_ = value;
      break;
    case cortex_m::kDccmvac:
      operations_.push_back({sim::Maintenance::clean, value});
      break;
    case cortex_m::kDcimvac:
      operations_.push_back({sim::Maintenance::invalidate, value});
      break;
    case cortex_m::kDccimvac:
      operations_.push_back({sim::Maintenance::clean_invalidate, value});
      break;
    default:
      throw std::out_of_range{"the model has no register " + std::to_string(address) + " to write"};
  }
}

void Core::finish(const Operation& operation) {
  // By address, whatever the MPU says of it.
  const std::byte* const line = machine_.cached_view(range_of(operation.address, 1));
  if (line == nullptr) {
    throw std::out_of_range{"maintenance of what is no RAM of the model: " +
                            std::to_string(operation.address)};
  }
  switch (operation.what) {
    case sim::Maintenance::clean:
      machine_.clean(line, 1);
      break;
    case sim::Maintenance::invalidate:
      machine_.invalidate(line, 1);
      break;
    case sim::Maintenance::clean_invalidate:
      machine_.clean_invalidate(line, 1);
      break;
  }
}

void Core::dsb() {
  for (const Operation& operation : operations_) finish(operation);
  operations_.clear();
  finish_stores();
  machine_.cpu(0).full_barrier();
  mpu_.dsb();
}

void Core::dmb() {
  // It orders the stores and need not complete them. The machine cannot do the one without the
  // other past the cache, and a port owes completion there (Cortex-M Programming Guide to Memory
  // Barrier Instructions, AN321): so nothing leaves its write buffer.
  finish_stores();
  machine_.cpu(0).observe_barrier();
}

}  // namespace carveout::test
