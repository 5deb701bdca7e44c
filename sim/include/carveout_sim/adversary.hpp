// Hardware that does, at each moment, what it may: by a seed, at its worst, or as it did before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout_sim/moment.hpp"
#include "carveout_sim/watch.hpp"

namespace carveout::sim {

/// One action and when: at the n-th moment of the run, from 0.
struct Decision {
  std::uint64_t moment;
  Action action;

  bool operator==(const Decision&) const = default;
};

/// What hardware did in a run, in order. The same program with the same schedule does the same.
using Schedule = std::vector<Decision>;

/// One line for each decision: "moment 12: CPU 0 brings in the line 0x35a000040".
[[nodiscard]] std::string to_text(const Schedule& schedule);

/// Decides what hardware does by itself on the machine that it is set on. One object serves one
/// run of one machine.
class Adversary : public Watcher {
 public:
  /// Anything that hardware may do, now and then, as the seed says. It prefers lines that the CPU
  /// or a device used lately, and their neighbours.
  [[nodiscard]] static Adversary seeded(std::uint64_t seed);
  /// What hurts most, each time:
  ///   when a device begins, and before each burst that it writes, every line of it that no cache
  ///   holds is brought in; after each burst, every line of it that is dirty is written back over
  ///   it; before each burst that it reads, a later store of that burst goes out before earlier
  ///   ones elsewhere; every load that may passes the one before it. Nothing dirty is written
  ///   back, and no store goes out, that a device would miss otherwise.
  [[nodiscard]] static Adversary worst();
  /// Exactly these, which stand in the order of their moments; what is not possible when its moment
  /// comes is left out.
  [[nodiscard]] static Adversary replaying(Schedule schedule);

  void at(const Moment& moment, Hands& hands) override;

  /// Lets `witness` follow the run: to be called before the adversary is set on a machine, and
  /// `witness` outlives that machine.
  void show_to(Witness& witness) { witness_ = &witness; }
  [[nodiscard]] Witness* witness() override { return witness_; }

  /// What it did so far.
  [[nodiscard]] const Schedule& done() const { return done_; }
  [[nodiscard]] std::uint64_t moments() const { return moments_; }
  /// Empties done(), which grows as long as it acts.
  void forget() { done_.clear(); }

 private:
  enum class Mode : std::uint8_t { seeded, worst, replaying };
  explicit Adversary(Mode mode) : mode_{mode} {}

  void act(Hands& hands, const Action& action);
  void at_worst(const Moment& moment, Hands& hands);
  void at_random(const Moment& moment, Hands& hands);
  void as_before(Hands& hands);
  [[nodiscard]] std::uint64_t random(std::uint64_t below);
  /// Of a list that is not empty.
  template <class List>
  [[nodiscard]] const auto& one_of(const List& list) {
    return list[static_cast<std::size_t>(random(list.size()))];
  }
  [[nodiscard]] std::optional<PhysAddr> any_recent_line(std::size_t line_bytes);

  static constexpr std::size_t kRecent = 16;

  Mode mode_;
  Witness* witness_ = nullptr;
  std::uint64_t moments_ = 0;
  Schedule done_;
  Schedule script_;       ///< replaying: sorted by moment
  std::size_t next_ = 0;  ///< in script_
  std::uint64_t seed_ = 0;
  std::vector<PhysRange> recent_;  ///< seeded: a ring
  std::size_t recent_next_ = 0;
};

/// A program under test: makes a machine, sets the adversary on it, runs, and tells whether all was
/// as it should be. Called often, and does the same for the same adversary.
using Program = std::function<bool(Adversary&)>;

struct Failing {
  std::optional<std::uint64_t> seed;  ///< nothing: the worst schedule
  Schedule shortest;                  ///< empty: it fails with hardware that does nothing
};

/// Runs `run` with the worst schedule, then with `seeds` seeds from `first` on, until it fails, and
/// shrinks what the hardware did; nothing where it never fails.
[[nodiscard]] std::optional<Failing> find_failure(const Program& run, std::uint64_t seeds,
                                                  std::uint64_t first = 1);

/// The shortest schedule found with which `run` still fails: leaving out any one decision of it
/// makes the run pass. `failing` fails. Cost: a number of runs that is quadratic in its length at
/// the worst.
[[nodiscard]] Schedule shrink(const Program& run, Schedule failing);

/// "with the worst schedule" or "with seed 17", and the decisions.
[[nodiscard]] std::string to_text(const Failing& failing);

}  // namespace carveout::sim
