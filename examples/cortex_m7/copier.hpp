// A driver as it is on a Cortex-M7: a DMA engine that copies memory. Its descriptors are in
// coherent memory, which an MPU region keeps out of the cache; the bytes are in cached memory, and
// lent to it for the time of a copy.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "carveout/carveout.hpp"

namespace copier {

namespace cv = carveout;
using cv::Direction;

struct Registers {
  volatile std::uint32_t ring;      ///< device address of the first descriptor
  volatile std::uint32_t count;     ///< of descriptors; written last, it starts the engine
  volatile std::uint32_t doorbell;  ///< there is work
};

inline constexpr std::uint32_t kDevices = 0x8000'0000;  ///< in `status`: the engine has it
struct Descriptor {
  cv::LittleEndian<std::uint32_t> from;
  cv::LittleEndian<std::uint32_t> to;
  cv::LittleEndian<std::uint32_t> size_bytes;
  cv::LittleEndian<std::uint32_t> sum;  ///< of the bytes that were moved: the engine's answer
  cv::LittleEndian<std::uint32_t> status;
};

class Engine {
 public:
  static constexpr std::size_t kCopies = 4;  ///< at a time

  struct Done {
    cv::StreamBuffer from;
    cv::StreamBuffer to;
    std::uint32_t sum;
  };

  static cv::Result<Engine> open(const cv::Device& device, Registers& registers) {
    auto memory = cv::alloc_coherent<Descriptor[]>(device, kCopies);
    if (!memory) return std::unexpected{memory.error()};
    Engine engine{device, registers, std::move(*memory)};
    registers.ring = cv::narrow<std::uint32_t>(engine.ring_.dma());
    registers.count = kCopies;
    return engine;
  }

  /// Both buffers, which are of one size, are the engine's until finish(). Not more than kCopies at
  /// a time.
  cv::Result<void> start(cv::StreamBuffer&& source, cv::StreamBuffer&& target) {
    const auto size_bytes = static_cast<std::uint32_t>(source.size_bytes());
    auto from = cv::map<Direction::to_device>(*device_, std::move(source));
    if (!from) return std::unexpected{from.error()};
    auto to = cv::map<Direction::from_device>(*device_, std::move(target));
    if (!to) {
      source = std::move(*from).abandon();
      return std::unexpected{to.error()};
    }
    ring_.write(next_, {.from = cv::narrow<std::uint32_t>(from->dma()),
                        .to = cv::narrow<std::uint32_t>(to->dma()),
                        .size_bytes = size_bytes,
                        .sum = 0,
                        .status = kDevices});
    lent_[next_].emplace(std::move(*from), std::move(*to));
    next_ = ring_.after(next_);
    ++copies_;
    ring_.publish([this] { registers_->doorbell = 1; });
    return {};
  }

  /// The oldest copy, if the engine is done with it.
  std::optional<Done> finish() {
    if (copies_ == 0) return std::nullopt;
    const auto taken = ring_.take([](auto status) { return (status.value() & kDevices) == 0; });
    if (!taken) return std::nullopt;
    --copies_;
    auto& [from, to] = *lent_[taken->index];
    std::optional<Done> done{std::in_place, std::move(from).finish(), std::move(to).finish(),
                             taken->descriptor.sum.value()};
    lent_[taken->index].reset();
    return done;
  }

 private:
  using Lent = std::pair<cv::Mapping<Direction::to_device>, cv::Mapping<Direction::from_device>>;

  Engine(const cv::Device& device, Registers& registers, cv::Coherent<Descriptor[]>&& memory)
      : device_{&device}, registers_{&registers}, ring_{std::move(memory)} {}

  const cv::Device* device_;
  Registers* registers_;
  cv::DescriptorRing<&Descriptor::status> ring_;
  std::array<std::optional<Lent>, kCopies> lent_;
  std::size_t next_ = 0;    ///< descriptor to be written next
  std::size_t copies_ = 0;  ///< that the engine has
};

}  // namespace copier
