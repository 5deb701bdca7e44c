// A processor that maintains its caches line by line, and writes down what is done to it.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace carveout::test {

/// What was done, and in which order. Barriers go by the name of their function.
struct LineMachine {
  struct Event {
    std::string what;
    std::uintptr_t line = 0;
    bool operator==(const Event&) const = default;
  };

  std::vector<Event> events;
  std::uintptr_t mask = 0;  ///< the register that masks interrupts

  /// The lines that one operation was done to. Fails where the walk did not begin with the barriers
  /// `before`, did anything else on its way, or did not end with those `after`.
  std::vector<std::uintptr_t> walked(const std::string& operation,
                                     const std::vector<std::string>& before,
                                     const std::vector<std::string>& after) {
    std::vector<std::uintptr_t> lines;
    std::vector<std::string> first;
    std::vector<std::string> last;
    for (const Event& event : events) {
      if (event.what != operation) {
        (lines.empty() ? first : last).push_back(event.what);
        continue;
      }
      EXPECT_TRUE(last.empty()) << last.front() << " in the middle of a walk";
      lines.push_back(event.line);
    }
    EXPECT_EQ(first, before);
    EXPECT_EQ(last, after);
    events.clear();
    return lines;
  }
  /// The barriers and what else has no line.
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const Event& event : events) all.push_back(event.what);
    return all;
  }
};

/// The instructions that every such processor has, as a port calls them.
struct LineRegisters {
  LineMachine* machine;

  void clean_line(std::uintptr_t line) const noexcept { note("clean", line); }
  void invalidate_line(std::uintptr_t line) const noexcept { note("invalidate", line); }
  void clean_invalidate_line(std::uintptr_t line) const noexcept { note("clean_invalidate", line); }
  std::uintptr_t mask_interrupts() const noexcept {
    const std::uintptr_t before = machine->mask;
    machine->mask = kMasked;
    return before;
  }
  void restore_interrupts(std::uintptr_t before) const noexcept { machine->mask = before; }

  static constexpr std::uintptr_t kMasked = 0x80;  ///< the mask while interrupts are masked

 protected:
  void note(const char* what, std::uintptr_t line = 0) const noexcept {
    machine->events.push_back({what, line});
  }
};

}  // namespace carveout::test
