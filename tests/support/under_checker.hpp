// A test's machine under the checker: a report fails the test, unless the test makes that mistake
// on purpose and says so.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <set>

#include "carveout_sim/checker.hpp"

namespace carveout::test {

class UnderChecker {
 public:
  explicit UnderChecker(sim::BusSide& machine) : machine_{machine} {
    use(sim::Speculation::may_happen);
  }

  /// What the CPUs are like, if not the usual. All that was seen is forgotten.
  void use(sim::Speculation speculation) {
    checker_.reset();
    checker_.emplace(machine_, sim::Checker::Settings{.callback =
                                                          [this](const sim::Report& report) {
                                                            if (meant_.contains(report.mistake))
                                                              return;
                                                            ADD_FAILURE() << report.text();
                                                          },
                                                      .speculation = speculation});
  }

  /// From now on nobody looks: where the heap is to fail, of which a checker makes use.
  void stop() { checker_.reset(); }

  /// What the test is about to do wrong.
  void expect(std::initializer_list<sim::Mistake> mistakes) { meant_.insert(mistakes); }

 private:
  sim::BusSide& machine_;
  std::set<sim::Mistake> meant_;
  std::optional<sim::Checker> checker_;
};

}  // namespace carveout::test
