// Runs the program and keeps what it said.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace carveout::test {

/// What a run came to. A program that was killed has no status.
struct Outcome {
  std::optional<int> status;
  std::string out;
  std::string err;
};

struct RunOptions {
  std::string input = {};                                             ///< what is on standard input
  std::vector<std::pair<std::string, std::string>> environment = {};  ///< set beside the test's own
  std::vector<int> closed = {};  ///< standard streams that are not there
  std::string output_file = {};  ///< a file for standard output, not kept in `out`
  bool on_a_terminal = false;    ///< standard output is one
  bool as_nobody = false;        ///< without the rights of root
};

/// Runs carveout with these arguments in the folder of these tests.
[[nodiscard]] Outcome carveout(const std::vector<std::string>& arguments,
                               const RunOptions& options = {});

/// A folder of its own for one test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  [[nodiscard]] std::string path(std::string_view name) const { return (folder_ / name).string(); }
  /// Writes a file and says where.
  std::string write(std::string_view name, std::string_view content) const;

 private:
  std::filesystem::path folder_;
};

/// The blob of a source file in trees/, by dtc.
[[nodiscard]] std::string compiled(std::string_view name,
                                   const std::vector<std::string>& options = {});

[[nodiscard]] std::string contents(const std::filesystem::path& file);

/// Whether a text is exactly one line `carveout: SUBJECT: WHAT (WHERE)`.
[[nodiscard]] bool is_refusal(std::string_view text);

}  // namespace carveout::test
