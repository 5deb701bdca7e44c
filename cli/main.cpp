// The program: arguments -> a verb's job -> its answer, written when it is complete.
#include <fmt/format.h>

#include <exception>
#include <new>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "output.hpp"
#include "refusal.hpp"
#include "verb.hpp"

namespace {

using carveout::cli::Answer;

int run(const std::vector<std::string>& arguments) {
  namespace cli = carveout::cli;
  const Answer answer = cli::parse(arguments)(cli::terminal());
  cli::write_standard_output(answer.data);
  cli::write_standard_error(answer.notes);
  return answer.status;
}

int refused(const char* line) {
  carveout::cli::write_standard_error(fmt::format("{}\n", line));
  return carveout::cli::kWrongUse;
}

}  // namespace

int main(int argc, char** argv) {
  carveout::cli::claim_standard_streams();
  try {
    return run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const carveout::cli::Refusal& refusal) {
    return refused(refusal.what());
  } catch (const std::bad_alloc&) {
    return refused("carveout: this machine: out of memory (operator new)");
  } catch (const std::exception& error) {
    return refused(
        fmt::format("carveout: carveout itself: {} (this is a bug)", error.what()).c_str());
  }
}
