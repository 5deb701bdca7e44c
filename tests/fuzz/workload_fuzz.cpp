// Any bytes as the file of --workload: requests of which each lives once, or a refusal of one line.
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "lint/facts.hpp"
#include "lint_with.hpp"

using namespace carveout;

namespace {

void require_sense(const cli::Workload& workload) {
  enum class State : std::uint8_t { unseen, lives, gone };
  std::vector<State> states(workload.requests.size());
  for (const cli::WorkloadEvent& event : workload.events) {
    fuzz::require(event.request < states.size());
    State& state = states[event.request];
    fuzz::require(state == (event.frees ? State::lives : State::unseen));
    state = event.frees ? State::gone : State::lives;
  }
  for (const State state : states) fuzz::require(state != State::unseen);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    cli::Workload workload = cli::read_workload(fuzz::file_of(data, size));
    require_sense(workload);
    std::ignore =
        fuzz::lint_with({.target = cli::LintTarget::linux_arm, .workload = std::move(workload)});
  } catch (const cli::Refusal& refusal) {
    fuzz::require_refusal_of_file(refusal);
  }
  return 0;
}
