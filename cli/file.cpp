#include "file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "refusal.hpp"

namespace carveout::cli {
namespace {

[[noreturn]] void refuse(std::string_view path, int error, std::string_view doing) {
  throw Refusal{path, std::strerror(error), doing};
}

}  // namespace

File::File(int descriptor, std::string path, bool owned)
    : path_{std::move(path)}, descriptor_{descriptor}, owned_{owned} {
  struct stat status{};
  if (::fstat(descriptor_, &status) != 0) {
    const int error = errno;
    if (owned_) ::close(descriptor_);
    refuse(path_, error, "opening it");
  }
  mode_ = status.st_mode;
  size_bytes_ = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
}

File::File(File&& other) noexcept
    : path_{std::move(other.path_)},
      descriptor_{other.descriptor_},
      owned_{std::exchange(other.owned_, false)},
      mode_{other.mode_},
      size_bytes_{other.size_bytes_} {}

File::~File() {
  if (owned_) ::close(descriptor_);
}

File File::open(std::string_view path) {
  std::string name{path};
  const int descriptor = ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0) refuse(path, errno, "opening it");
  return File{descriptor, std::move(name), true};
}

std::optional<File> File::open_at(const File& directory, const std::string& name,
                                  std::string path) {
  const int descriptor = ::openat(directory.descriptor_, name.c_str(),
                                  O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor >= 0) return File{descriptor, std::move(path), true};
  if (errno == EACCES) return std::nullopt;
  if (errno == ELOOP)
    throw Refusal{path, "is a symbolic link, and no node or property", "in a tree"};
  refuse(path, errno, "opening it");
}

File File::standard_input() { return File{STDIN_FILENO, "-", false}; }

bool File::is_directory() const { return S_ISDIR(mode_); }

bool File::is_regular() const { return S_ISREG(mode_); }

std::optional<std::uint64_t> File::size() const {
  return is_regular() ? std::optional{size_bytes_} : std::nullopt;
}

std::size_t File::read(std::span<std::byte> buffer) const {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t got = ::read(descriptor_, buffer.data() + done, buffer.size() - done);
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse(path_, errno, "reading it");
    done += static_cast<std::size_t>(got);
  }
  return done;
}

void File::rewind() const {
  if (::lseek(descriptor_, 0, SEEK_SET) != 0) refuse(path_, errno, "reading it again");
}

std::vector<std::string> File::names() const {
  // A second descriptor: closedir() closes the one that it is given.
  const int descriptor = ::openat(descriptor_, ".", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
  const auto close = [](DIR* open) { ::closedir(open); };
  const std::unique_ptr<DIR, decltype(close)> directory{
      descriptor < 0 ? nullptr : ::fdopendir(descriptor), close};
  if (!directory) {
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    refuse(path_, error, "reading it");
  }
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) break;
    const std::string_view name{entry->d_name};
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) refuse(path_, errno, "reading it");
  std::ranges::sort(names);  // std::string compares bytes, as unsigned
  return names;
}

}  // namespace carveout::cli
