// What an image needs of its machine, whichever it is: a console, an end, and a list of checks.
#pragma once

#include <cstdint>
#include <source_location>
#include <string_view>

#include "carveout/core/error.hpp"

namespace board {

/// Writes to the debugger's console (semihosting). For one context at a time.
void write(std::string_view words);

/// Ends the emulator with this exit status.
[[noreturn]] void exit(int status);

/// The image itself; start-up code calls it, and exit() with what it returns.
int run();

/// Fails the image at once, for what must not happen: a fault that nobody expected, say.
[[noreturn]] void die(std::string_view what, std::uint64_t value);

using Where = std::source_location;

/// Prints one line: ok or FAIL, what, and for a failure where. Returns `holds`.
bool check(bool holds, std::string_view what, Where where = Where::current());

/// The same for two numbers that are to be equal; a failure prints both.
bool check_equal(std::uint64_t have, std::uint64_t want, std::string_view what,
                 Where where = Where::current());

/// The same for something that must be refused, with this reason; a failure prints what came.
bool check_refused(carveout::Error have, carveout::Error want, std::string_view what,
                   Where where = Where::current());

template <class T>
bool check_refused(const carveout::Result<T>& result, carveout::Error want, std::string_view what,
                   Where where = Where::current()) {
  if (result) return check(false, what, where);
  return check_refused(result.error().code, want, what, where);
}

/// A failed check with the library's own sentence about the refusal.
void fail(const carveout::Failure& failure, std::string_view what, Where where = Where::current());

/// A line of facts that is no check: an address or a register, and a number of things.
void note(std::string_view what, std::uint64_t value);
void count(std::string_view what, std::uint64_t number);

/// How many checks were made so far, and how many of them failed.
[[nodiscard]] unsigned checks();
[[nodiscard]] unsigned failures();

/// Prints the last line, which the runner waits for, and returns the exit status: 0 only where
/// checks were made and all of them hold.
[[nodiscard]] int finish(std::string_view image);

}  // namespace board
