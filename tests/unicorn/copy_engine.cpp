#include "copy_engine.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <span>
#include <stdexcept>

#include "tables.hpp"

namespace carveout::test {

using copier::Descriptor;

CopyEngine::CopyEngine(sim::Machine& machine)
    : windows_{unicorn_board::kWindow},
      by_itself_{machine, Translation::through(windows_), DmaAddr{0xffff'ffff}, sim::kAnyMaster,
                 sim::Started::by_itself},
      by_cpu_{machine, Translation::through(windows_), DmaAddr{0xffff'ffff}} {}

template <class T>
T CopyEngine::get(std::uint64_t dma, sim::DmaEngine& by) {
  std::array<std::byte, sizeof(T)> bytes{};
  if (!by.read(DmaAddr{dma}, bytes)) error_ = "the engine was told to read where no memory is";
  return std::bit_cast<T>(bytes);
}

template <class T>
void CopyEngine::put(std::uint64_t dma, const T& value) {
  if (!by_itself_.write(DmaAddr{dma}, std::as_bytes(std::span{&value, 1}))) {
    error_ = "the engine was told to write where no memory is";
  }
}

std::uint32_t CopyEngine::read(std::uint32_t offset) const {
  if (offset == unicorn_board::kValue) return value_;
  throw std::out_of_range{"the engine has no such register to read"};
}

void CopyEngine::write(std::uint32_t offset, std::uint32_t value) {
  switch (offset) {
    case unicorn_board::kRing:
      ring_ = value;
      break;
    case unicorn_board::kCount:
      count_ = value;
      next_ = 0;
      running_ = true;
      break;
    case unicorn_board::kDoorbell:
      look();
      break;
    case unicorn_board::kPeek:
      value_ = get<std::uint32_t>(value, by_cpu_);
      break;
    case unicorn_board::kValue:
      value_ = value;
      break;
    case unicorn_board::kPoke:
      put(value, value_);
      break;
    default:
      throw std::out_of_range{"the engine has no such register to write"};
  }
}

void CopyEngine::look() {
  while (running_ && error_.empty() && move_next()) next_ = (next_ + 1) % count_;
}

bool CopyEngine::move_next() {
  const std::uint64_t at = ring_ + std::uint64_t{next_} * sizeof(Descriptor);
  const auto status =
      get<LittleEndian<std::uint32_t>>(at + offsetof(Descriptor, status), by_itself_);
  if ((status.value() & copier::kDevices) == 0) return false;
  const auto descriptor = get<Descriptor>(at, by_itself_);

  std::vector<std::byte> bytes(descriptor.size_bytes.value());
  if (bytes.size() != unicorn_board::kCopyBytes) {
    error_ = "the engine was told of " + std::to_string(bytes.size()) + " bytes";
    return false;
  }
  if (!by_itself_.read(DmaAddr{descriptor.from.value()}, bytes)) {
    error_ = "the engine's source is no memory";
    return false;
  }
  copied_.push_back(bytes);
  std::uint32_t sum = 0;
  for (std::byte& byte : bytes) {
    const auto value = std::to_integer<std::uint8_t>(byte);
    sum += value;
    byte = std::byte{unicorn_board::copied(value)};
  }
  if (!by_itself_.write(DmaAddr{descriptor.to.value()}, bytes)) {
    error_ = "the engine's target is no memory";
    return false;
  }
  put(at + offsetof(Descriptor, sum), LittleEndian<std::uint32_t>{sum});
  put(at + offsetof(Descriptor, status), LittleEndian<std::uint32_t>{0});
  return error_.empty();
}

}  // namespace carveout::test
