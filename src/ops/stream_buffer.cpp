#include "carveout/ops/stream_buffer.hpp"

#include <tuple>

#include "carveout/ops/coherent.hpp"
#include "carveout/ops/quarantine.hpp"
#include "carveout/ops/refusal.hpp"

namespace carveout {

void StreamBuffer::give_back() {
  if (!block_) return;
  const auto freed = free_coherent(*block_);
  CARVEOUT_ASSERT(freed.has_value());  // the buffer is the only holder
  block_.reset();
}

Result<StreamBuffer> alloc_stream(const Device& device, std::uint64_t size_bytes,
                                  const Options& options) {
  if (has(options.attributes, Attributes::no_cpu_mapping | Attributes::require_coherent)) {
    return refused(device, options.attributes,
                   {.code = Error::bad_attributes, .asked_bytes = size_bytes});
  }
  Options ordinary = options;
  ordinary.attributes = options.attributes | Attributes::non_coherent;
  const auto block = alloc_coherent(device, size_bytes, ordinary);
  if (!block) return std::unexpected{block.error()};
  return StreamBuffer{bytes_of(*block, size_bytes), *block};
}

StreamBuffer adopt(std::span<std::byte> bytes, PhysAddr phys) {
  return StreamBuffer{CpuBytes{.cpu = bytes.data(), .phys = phys, .size_bytes = bytes.size()}};
}

Result<StreamBuffer> adopt(const Device& device, std::span<std::byte> bytes) {
  const auto found = bytes_at(device, bytes.data(), bytes.size());
  if (!found) return std::unexpected{found.error()};
  return StreamBuffer{*found};
}

namespace detail {

Result<Loan> Loan::make(const Device& device, StreamBuffer&& buffer, Direction direction,
                        const MapOptions& options) {
  const auto mapped = carveout::map(device, buffer.bytes_, direction, options);
  if (!mapped) return std::unexpected{mapped.error()};
  return Loan{device, *mapped, std::move(buffer)};
}

Result<void> Loan::to_cpu(Part part) const {
  CARVEOUT_ASSERT(device_ != nullptr);
  return sync_for_cpu(*device_, mapped_, whole_lines(*device_, mapped_, part));
}

void Loan::to_device(Part part) const {
  CARVEOUT_ASSERT(device_ != nullptr);
  const auto synced = sync_for_device(*device_, mapped_, whole_lines(*device_, mapped_, part));
  CARVEOUT_ASSERT(synced.has_value());  // the part was checked when the CPU had its turn
}

Loan& Loan::operator=(Loan&& other) noexcept {
  if (this != &other) {
    end();
    device_ = std::exchange(other.device_, nullptr);
    mapped_ = other.mapped_;
    buffer_ = std::move(other.buffer_);
  }
  return *this;
}

StreamBuffer Loan::finish() {
  CARVEOUT_ASSERT(device_ != nullptr);
  const auto ended = unmap(*std::exchange(device_, nullptr), mapped_);
  CARVEOUT_ASSERT(ended.has_value());  // the loan is the only holder of a copy
  return std::move(buffer_);
}

/// What the CPU wrote in its turn lies in lines of its own, and is not to be dropped now: only the
/// rest passes to the CPU.
StreamBuffer Loan::finish_after_turn(Part turn) {
  CARVEOUT_ASSERT(device_ != nullptr);
  const Part done = whole_lines(*device_, mapped_, turn);
  const std::uint64_t end = done.offset_bytes + done.size_bytes;
  for (const Part rest : {Part{.offset_bytes = 0, .size_bytes = done.offset_bytes},
                          Part{.offset_bytes = end, .size_bytes = buffer_.size_bytes() - end}}) {
    if (rest.size_bytes == 0) continue;
    const auto synced = sync_for_cpu(*device_, mapped_, rest);
    CARVEOUT_ASSERT(synced.has_value());
  }
  return abandon();
}

StreamBuffer Loan::abandon() {
  CARVEOUT_ASSERT(device_ != nullptr);
  const auto ended = carveout::abandon(*std::exchange(device_, nullptr), mapped_);
  CARVEOUT_ASSERT(ended.has_value());
  return std::move(buffer_);
}

/// The device was not said to be done, so what it works on must not go to the next owner. Of a copy
/// that is the copy alone.
void Loan::end() {
  const Device* const device = std::exchange(device_, nullptr);
  if (device == nullptr) return;
  if (mapped_.copy) {
    device->roles->port->cpu_owns({mapped_.bytes.phys, mapped_.bytes.size_bytes});
    std::ignore = quarantine(*device, *mapped_.copy);  // refused: it stays taken, as it has to
    return;
  }
  CARVEOUT_ASSERT(buffer_.block_.has_value());  // adopted memory: finish() was owed
  std::ignore = quarantine(*device, *buffer_.block_);
  buffer_.block_.reset();
}

}  // namespace detail

}  // namespace carveout
