#include "program.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>

namespace carveout::test {
namespace {

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& each : strings) result.push_back(each.data());
  result.push_back(nullptr);
  return result;
}

/// The test's environment without what would change colours, and with what the run is to have.
std::vector<std::string> environment_for(const RunOptions& options) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view name =
        std::string_view{*entry}.substr(0, std::string_view{*entry}.find('='));
    const bool replaced = name == "NO_COLOR" || name == "TERM" ||
                          std::ranges::any_of(options.environment, [&](const auto& variable) {
                            return variable.first == name;
                          });
    if (!replaced) result.emplace_back(*entry);
  }
  for (const auto& [name, value] : options.environment) result.push_back(name + '=' + value);
  return result;
}

/// Everything that comes out of a terminal until its other side is closed.
std::string drain(int terminal) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t got = ::read(terminal, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

Outcome spawn(std::vector<std::string> command, const RunOptions& options) {
  const TemporaryFolder folder;
  const std::string input = folder.write("stdin", options.input);
  const std::string output =
      options.output_file.empty() ? folder.write("stdout", "") : options.output_file;
  const std::string errors = folder.write("stderr", "");

  int terminal = -1;
  int terminal_side = -1;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addchdir_np(&actions, CARVEOUT_CLI_TESTS);
  ::posix_spawn_file_actions_addopen(&actions, 0, input.c_str(), O_RDONLY, 0);
  if (options.on_a_terminal) {
    EXPECT_EQ(::openpty(&terminal, &terminal_side, nullptr, nullptr, nullptr), 0);
    ::posix_spawn_file_actions_adddup2(&actions, terminal_side, 1);
  } else {
    ::posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY, 0);
  }
  ::posix_spawn_file_actions_addopen(&actions, 2, errors.c_str(), O_WRONLY, 0);
  for (const int stream : options.closed) ::posix_spawn_file_actions_addclose(&actions, stream);

  std::vector<std::string> environment = environment_for(options);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, command.front().c_str(), &actions, nullptr,
                                   pointers(command).data(), pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  EXPECT_EQ(error, 0) << command.front();
  Outcome run;
  if (options.on_a_terminal) {
    ::close(terminal_side);
    run.out = drain(terminal);
    ::close(terminal);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) run.status = WEXITSTATUS(status);
  if (!options.on_a_terminal && options.output_file.empty()) run.out = contents(output);
  run.err = contents(errors);
  return run;
}

}  // namespace

Outcome carveout(const std::vector<std::string>& arguments, const RunOptions& options) {
  std::vector<std::string> command;
  if (options.as_nobody) command = {"setpriv", "--reuid=65534", "--clear-groups"};
  command.emplace_back(CARVEOUT_PROGRAM);
  command.insert(command.end(), arguments.begin(), arguments.end());
  return spawn(std::move(command), options);
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "carveout-cli-XXXXXX").string();
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  folder_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string TemporaryFolder::write(std::string_view name, std::string_view content) const {
  std::ofstream{folder_ / name, std::ios::binary} << content;
  return path(name);
}

std::string compiled(std::string_view name, const std::vector<std::string>& options) {
  std::vector<std::string> command{"dtc", "-q", "-I", "dts", "-O", "dtb"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back("trees/" + std::string{name});
  Outcome run = spawn(std::move(command), {});
  EXPECT_EQ(run.status, 0) << run.err;
  return std::move(run.out);
}

std::string contents(const std::filesystem::path& file) {
  std::ifstream stream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

bool is_refusal(std::string_view text) {
  constexpr std::string_view kStart = "carveout: ";
  if (!text.starts_with(kStart) || !text.ends_with(")\n")) return false;
  text.remove_prefix(kStart.size());
  const std::size_t what = text.find(": ");
  return what != 0 && what != std::string_view::npos &&
         text.find(" (", what) != std::string_view::npos && text.find('\n') == text.size() - 1;
}

}  // namespace carveout::test
