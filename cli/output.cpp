#include "output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "refusal.hpp"

namespace carveout::cli {

std::string_view write_all(int descriptor, std::string_view data) {
  while (!data.empty()) {
    const ssize_t done = ::write(descriptor, data.data(), data.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) break;
    data.remove_prefix(static_cast<std::size_t>(done));
  }
  return data;
}

void claim_standard_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The wrong way round on purpose: using the stream is still an error. open() gives the lowest
    // free descriptor, which is this one.
    const int mode = descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (::open("/dev/null", mode) != descriptor) std::abort();
  }
}

Terminal terminal() {
  const char* kind = std::getenv("TERM");
  const bool dumb = kind == nullptr || std::strcmp(kind, "dumb") == 0;
  return {.colour = ::isatty(STDOUT_FILENO) == 1 && !dumb && std::getenv("NO_COLOR") == nullptr};
}

void write_standard_output(std::string_view data) {
  const std::string_view rest = write_all(STDOUT_FILENO, data);
  int error = rest.empty() ? 0 : errno;
  // Some file systems tell only here that there was no room. Nothing to write cannot fail.
  if (!data.empty() && error == 0 && ::close(STDOUT_FILENO) != 0 && errno != EINTR) error = errno;
  if (error != 0) {
    throw Refusal{"standard output", std::strerror(error),
                  fmt::format("after {} of {} bytes", data.size() - rest.size(), data.size())};
  }
}

void write_standard_error(std::string_view text) {
  // There is nobody left to tell about a failure.
  static_cast<void>(write_all(STDERR_FILENO, text));
}

}  // namespace carveout::cli
