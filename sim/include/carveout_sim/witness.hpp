// Who follows one run of a machine in full, to show it afterwards.
#pragma once

#include <string_view>

#include "carveout/core/address.hpp"
#include "carveout/core/direction.hpp"
#include "carveout_sim/moment.hpp"
#include "carveout_sim/observer.hpp"

namespace carveout::sim {

struct Report;

/// An observer that sees more than what the program and its devices do: what the hardware does by
/// itself, whose the memory is, what a checker finds, and the state of the machine. An adversary
/// brings it along (Adversary::show_to), so the program under test need not know of it.
///
/// All but the last two is told with the machine's lock held.
class Witness : public Observer {
 public:
  /// `machine` may be looked at, by whoever is told something with the lock held, until ends().
  virtual void begins(const Hands& machine) = 0;
  virtual void ends() = 0;

  /// All that was told is done, and the hardware has not acted in this moment.
  virtual void comes(const Moment& moment) = 0;
  /// The hardware tries something, and did it.
  virtual void may_act(const Action& action) = 0;
  virtual void acted(const Action& action) = 0;
  /// What was told last was told to the observer as well: what it had to find, it has found.
  virtual void observed() = 0;
  /// From now on a range is the device's, or the CPU's again.
  virtual void lent(PhysRange range, Direction direction) = 0;
  virtual void returned(PhysRange range) = 0;

  virtual void named(Master device, std::string_view name) = 0;
  virtual void found(const Report& report) = 0;
};

}  // namespace carveout::sim
