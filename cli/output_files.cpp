#include "output_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "output.hpp"
#include "refusal.hpp"

namespace carveout::cli {
namespace {

namespace fs = std::filesystem;

/// A file under a name of its own beside the one that it is to be; gone again unless it became it.
class Draft {
 public:
  Draft(fs::path where, std::string_view content)
      : final_{std::move(where)},
        draft_{final_.parent_path() / fmt::format(".{}.XXXXXX", final_.filename().string())} {
    const int descriptor = ::mkostemp(draft_.data(), O_CLOEXEC);
    if (descriptor < 0) refuse();
    exists_ = true;
    // As if it were made by name: with what the user's mask leaves of everybody's rights.
    const mode_t mask = ::umask(0);
    ::umask(mask);
    const bool written = write_all(descriptor, content).empty() &&
                         ::fchmod(descriptor, 0666 & ~mask) == 0 && ::fsync(descriptor) == 0;
    const int error = errno;
    const bool closed = ::close(descriptor) == 0;
    if (!written) errno = error;
    if (!written || !closed) {
      discard();
      refuse();
    }
    // A folder of that name could not be replaced, when others already are.
    if (fs::is_directory(final_)) {
      discard();
      errno = EISDIR;
      refuse();
    }
  }
  Draft(Draft&& other) noexcept
      : final_{std::move(other.final_)},
        draft_{std::move(other.draft_)},
        exists_{std::exchange(other.exists_, false)} {}
  Draft& operator=(Draft&&) = delete;
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() { discard(); }

  void become_final() {
    if (::rename(draft_.c_str(), final_.c_str()) != 0) refuse();
    exists_ = false;
  }

 private:
  void discard() {
    const int error = errno;
    if (std::exchange(exists_, false)) ::unlink(draft_.c_str());
    errno = error;
  }
  [[noreturn]] void refuse() const {
    throw Refusal{final_.string(), std::strerror(errno), "writing it"};
  }

  fs::path final_;
  std::string draft_;
  bool exists_ = false;
};

void write_in(const fs::path& folder, std::span<const OutputFile> files) {
  std::vector<Draft> drafts;
  for (const OutputFile& file : files) drafts.emplace_back(folder / file.name, file.content);
  for (Draft& draft : drafts) draft.become_final();
}

}  // namespace

void write_files(std::span<const OutputFile> files) { write_in({}, files); }

void write_files(std::string_view folder, std::span<const OutputFile> files) {
  const fs::path path{folder};
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  if (error) throw Refusal{folder, error.message(), "--out"};
  try {
    write_in(path, files);
  } catch (const Refusal&) {
    if (made) fs::remove(path, error);
    throw;
  }
}

}  // namespace carveout::cli
