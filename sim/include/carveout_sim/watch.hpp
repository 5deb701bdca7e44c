// Who watches a machine: the adversary, the observer, and the witness that the adversary brings.
#pragma once

#include <atomic>
#include <utility>

#include "carveout_sim/moment.hpp"
#include "carveout_sim/observer.hpp"
#include "carveout_sim/witness.hpp"

namespace carveout::sim {

class Watch;

/// What hardware does at each of its moments. One machine's at a time; it may go before the
/// machine, which then does nothing by itself.
class Watcher {
 public:
  virtual ~Watcher();
  virtual void at(const Moment& moment, Hands& hands) = 0;
  /// Who is to follow the run; nullptr: nobody.
  [[nodiscard]] virtual Witness* witness() { return nullptr; }

 protected:
  Watcher() = default;
  // Which machine is watched is not copied: each watches its own.
  Watcher(const Watcher& /*other*/) {}
  // NOLINTNEXTLINE(bugprone-unhandled-self-assignment): nothing is assigned
  Watcher& operator=(const Watcher& /*other*/) { return *this; }

 private:
  friend class Watch;
  Watch* watch_ = nullptr;
};

/// One machine's. Everything is called with the machine's lock held, but by a watcher that goes.
/// The machine takes the adversary away before it goes: a witness looks at it one last time.
class Watch {
 public:
  Watch() = default;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() = default;

  [[nodiscard]] bool watched() const { return adversary_ != nullptr || observer_ != nullptr; }
  [[nodiscard]] bool observed() const { return observer_ != nullptr; }
  [[nodiscard]] Watcher* adversary() const { return adversary_; }
  [[nodiscard]] Witness* witness() const { return witness_.load(std::memory_order_acquire); }

  void set_observer(Observer* observer) { observer_ = observer; }
  void forget(const Observer& observer) {
    if (observer_ == &observer) observer_ = nullptr;
  }
  /// @param hands  the machine's; nullptr only with no adversary.
  void set_adversary(Watcher* adversary, Hands* hands) {
    if (Witness* const before = witness()) before->ends();
    if (adversary_ != nullptr) adversary_->watch_ = nullptr;
    adversary_ = adversary;
    if (adversary_ != nullptr) adversary_->watch_ = this;
    hands_ = hands;
    Witness* const next = adversary != nullptr ? adversary->witness() : nullptr;
    if (next != nullptr) next->begins(*hands);
    witness_.store(next, std::memory_order_release);
  }

  void at(const Moment& moment) {
    if (adversary_ != nullptr) adversary_->at(moment, *hands_);
  }
  /// tell(&Observer::cpu_orders, cpu, barrier)
  template <class... Told, class... Given>
  void tell(void (Observer::*what)(Told...), Given&&... given) {
    Witness* const seen_by = witness();
    if (seen_by != nullptr) (seen_by->*what)(given...);
    if (observer_ != nullptr) (observer_->*what)(std::forward<Given>(given)...);
    if (seen_by != nullptr) seen_by->observed();
  }

 private:
  Watcher* adversary_ = nullptr;
  Hands* hands_ = nullptr;
  Observer* observer_ = nullptr;
  std::atomic<Witness*> witness_ = nullptr;  ///< a checker asks without the machine's lock
};

inline Watcher::~Watcher() {
  if (watch_ != nullptr) watch_->set_adversary(nullptr, nullptr);
}

}  // namespace carveout::sim
