#include "carveout_sim/host_port.hpp"

#include <thread>

namespace carveout::sim {
namespace {

std::atomic_ref<std::uintptr_t> atomic(LockWord& word) { return std::atomic_ref{word.word}; }

}  // namespace

void HostPort::note(const PortCall& call) {
  ++counts_[index(call.op)];
  if (!recording_) return;
  const std::lock_guard guard{calls_mutex_};
  calls_.push_back(call);
}

void HostPort::record() {
  const std::lock_guard guard{calls_mutex_};
  calls_.clear();
  recording_ = true;
}

std::vector<PortCall> HostPort::recorded() const {
  const std::lock_guard guard{calls_mutex_};
  return calls_;
}

void HostPort::clean(std::byte* at, std::size_t size_bytes) noexcept {
  note({PortOp::clean, at, size_bytes});
  cpu_.clean(at, size_bytes);
}

void HostPort::invalidate(std::byte* at, std::size_t size_bytes) noexcept {
  note({PortOp::invalidate, at, size_bytes});
  cpu_.invalidate(at, size_bytes);
}

void HostPort::clean_invalidate(std::byte* at, std::size_t size_bytes) noexcept {
  note({PortOp::clean_invalidate, at, size_bytes});
  cpu_.clean_invalidate(at, size_bytes);
}

void HostPort::publish_barrier() noexcept {
  note({PortOp::publish_barrier});
  cpu_.publish_barrier();
}

void HostPort::observe_barrier() noexcept {
  note({PortOp::observe_barrier});
  cpu_.observe_barrier();
}

void HostPort::full_barrier() noexcept {
  note({PortOp::full_barrier});
  cpu_.full_barrier();
}

void HostPort::copy(std::byte* to, const std::byte* from, std::size_t size_bytes) noexcept {
  note({PortOp::copy, to, size_bytes});
  std::vector<std::byte> bytes(size_bytes);
  cpu_.read(from, bytes);
  cpu_.write(to, bytes);
}

LockState HostPort::lock(LockWord& word) noexcept {
  while (atomic(word).exchange(1, std::memory_order_acquire) != 0) std::this_thread::yield();
  note({PortOp::lock});
  return 0;
}

void HostPort::unlock(LockWord& word, LockState /*state*/) noexcept {
  note({PortOp::unlock});
  atomic(word).store(0, std::memory_order_release);
}

}  // namespace carveout::sim
