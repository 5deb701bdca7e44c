// Counts instructions exactly, on a busy machine too: a process of its own runs at full speed, and
// what counts is stepped through by the parent.
#pragma once

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace carveout::stepped {

/// What a test that is not allowed to trace ends with.
inline constexpr int kNotTraced = 77;

/// Bounds what is counted: called before it and after it, by the stepped process.
inline void bound() { std::raise(SIGSTOP); }

/// Until the next bound; nothing where the process ends before.
inline std::optional<std::uint64_t> step(pid_t process) {
  int status = 0;
  for (std::uint64_t steps = 0;; ++steps) {
    if (ptrace(PTRACE_SINGLESTEP, process, nullptr, nullptr) != 0) return std::nullopt;
    if (waitpid(process, &status, 0) != process || !WIFSTOPPED(status)) return std::nullopt;
    if (WSTOPSIG(status) == SIGSTOP) return steps;
    if (WSTOPSIG(status) != SIGTRAP) return std::nullopt;
  }
}

/// Runs `play()`, which returns an exit status, in a process of its own, and calls `each` with the
/// index and the instructions of each pair of bounds, in order.
/// @return the exit status; nothing where processes may not be traced.
template <class Play, class Each>
std::optional<int> count(Play play, Each each) {
  const pid_t process = fork();
  if (process < 0) return std::nullopt;
  if (process == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(kNotTraced);
    // What stands between two bounds where nothing is called.
    for (int i = 0; i < 2; ++i) {
      bound();
      bound();
    }
    _exit(play());
  }
  std::uint64_t frame = 0;
  int status = 0;
  bool traced = false;
  for (std::size_t stretch = 0;; ++stretch) {
    if (waitpid(process, &status, 0) != process) return std::nullopt;
    if (WIFEXITED(status)) break;
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP) return std::nullopt;
    traced = true;
    const std::optional<std::uint64_t> steps = step(process);
    if (!steps) return std::nullopt;
    if (stretch < 2) {
      frame = *steps;
    } else {
      each(stretch - 2, *steps - frame);
    }
    if (ptrace(PTRACE_CONT, process, nullptr, nullptr) != 0) return std::nullopt;
  }
  if (!traced) return std::nullopt;
  return WEXITSTATUS(status);
}

}  // namespace carveout::stepped
