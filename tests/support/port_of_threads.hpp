// A port with a mutex, as it were: its lock is not for interrupts.
#pragma once

#include "carveout_sim/host_port.hpp"

namespace carveout::test {

/// A port whose lock an interrupt may not wait for.
class PortOfThreads : public sim::HostPort {
 public:
  using sim::HostPort::HostPort;
  [[nodiscard]] bool may_lock() const noexcept { return !in_interrupt; }
  bool in_interrupt = false;
};

}  // namespace carveout::test
