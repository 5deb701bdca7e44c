// The lock that a machine takes for every access: a few instructions where nobody competes, because
// it is paid tens of millions of times a second.
#pragma once

#include <atomic>
#include <thread>

namespace carveout::sim {

class AccessLock {
 public:
  void lock() noexcept {
    while (taken_.exchange(true, std::memory_order_acquire)) {
      while (taken_.load(std::memory_order_relaxed)) std::this_thread::yield();
    }
  }
  void unlock() noexcept { taken_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> taken_ = false;
};

}  // namespace carveout::sim
