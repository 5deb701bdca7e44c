#include "dtc.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "input.hpp"
#include "refusal.hpp"

namespace carveout::cli {
namespace {

/// One direction of a pipe from dtc, closed at the end.
class Pipe {
 public:
  explicit Pipe(std::string_view path) {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) {
      throw Refusal{path, std::strerror(errno), "starting dtc"};
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    ::close(ends_[0]);
    close_writing();
  }

  [[nodiscard]] int reading() const { return ends_[0]; }
  [[nodiscard]] int writing() const { return ends_[1]; }
  void close_writing() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }

  [[nodiscard]] posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

struct Said {
  std::vector<std::byte> blob;
  std::string messages;
  bool too_much = false;
};

/// Reads both pipes to their ends, as far as a tree and its messages may be long.
Said listen(const Pipe& output, const Pipe& messages) {
  constexpr std::size_t kMaxMessages = std::size_t{1} << 20;
  Said said;
  std::array<pollfd, 2> open{pollfd{output.reading(), POLLIN, 0},
                             pollfd{messages.reading(), POLLIN, 0}};
  std::array<std::byte, 65536> buffer{};
  while ((open[0].fd >= 0 || open[1].fd >= 0) && !said.too_much) {
    if (::poll(open.data(), open.size(), -1) < 0) {
      if (errno == EINTR) continue;
      break;
    }
    for (pollfd& from : open) {
      if (from.fd < 0 || from.revents == 0) continue;
      const ssize_t got = ::read(from.fd, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        from.fd = -1;
        continue;
      }
      const auto bytes = std::span{buffer}.first(static_cast<std::size_t>(got));
      if (&from == &open[0]) {
        said.blob.insert(said.blob.end(), bytes.begin(), bytes.end());
        said.too_much = said.blob.size() > kMaxBlobBytes;
      } else if (said.messages.size() < kMaxMessages) {
        said.messages.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      }
    }
  }
  return said;
}

/// The first error among dtc's messages, without the word itself.
std::string_view first_error(std::string_view messages) {
  while (!messages.empty()) {
    const std::string_view line = messages.substr(0, messages.find('\n'));
    messages.remove_prefix(std::min(line.size() + 1, messages.size()));
    for (const std::string_view word : {"Error: ", "FATAL ERROR: ", "ERROR: "}) {
      if (line.starts_with(word)) return line.substr(word.size());
    }
    if (line.contains(": ERROR")) return line;
  }
  return "it failed without a message";
}

[[noreturn]] void refuse(std::string_view path, std::string_view messages) {
  std::string_view error = first_error(messages);
  std::string_view where = "in dtc";
  // "bad.dts:3.5-6 syntax error" says the place first.
  if (error.starts_with(path) && error.substr(path.size()).starts_with(':')) {
    where = error.substr(0, error.find(' ', path.size()));
    error.remove_prefix(std::min(where.size() + 1, error.size()));
    if (where.ends_with(':')) where.remove_suffix(1);
  }
  throw Refusal{path, fmt::format("dtc cannot compile it: {}", error), where};
}

/// Runs dtc with these options on a file. @return what it wrote.
std::vector<std::byte> run_dtc(std::string_view path, std::vector<std::string> options,
                               std::string& messages) {
  options.insert(options.begin(), "dtc");
  options.emplace_back("--");  // what follows is a file, even if it begins with a dash
  options.emplace_back(path);
  std::vector<char*> arguments;
  arguments.reserve(options.size() + 1);
  for (std::string& option : options) arguments.push_back(option.data());
  arguments.push_back(nullptr);

  Pipe output{path};
  Pipe errors{path};
  SpawnActions actions;
  ::posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(actions.get(), output.writing(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(actions.get(), errors.writing(), STDERR_FILENO);
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, arguments[0], actions.get(), nullptr, arguments.data(), environ);
  if (error == ENOENT) {
    throw Refusal{path,
                  "is device tree source, and the program dtc that compiles it is not installed",
                  "Debian package device-tree-compiler"};
  }
  if (error != 0) throw Refusal{path, std::strerror(error), "starting dtc"};
  output.close_writing();
  errors.close_writing();

  Said said = listen(output, errors);
  if (said.too_much) ::kill(child, SIGTERM);  // it would wait for us to read the rest
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (said.too_much) {
    throw Refusal{path, fmt::format("makes a tree of more than {} bytes", kMaxBlobBytes), "in dtc"};
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) refuse(path, said.messages);
  messages += said.messages;
  return std::move(said.blob);
}

}  // namespace

std::vector<std::byte> compile_source(std::string_view path, bool symbols, std::string& messages) {
  std::vector<std::string> options{"-Idts", "-Odtb"};
  if (symbols) options.emplace_back("-@");
  return run_dtc(path, std::move(options), messages);
}

std::string annotate_source(std::string_view path) {
  std::string messages;  // compile_source() has them
  const std::vector<std::byte> text = run_dtc(path, {"-Idts", "-Odts", "-T"}, messages);
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

}  // namespace carveout::cli
