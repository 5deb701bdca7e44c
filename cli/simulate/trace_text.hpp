// The lines of a trace, as often as they are wanted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "file.hpp"
#include "refusal.hpp"

namespace carveout::cli {

/// Lines of a file, of standard input, or of memory. A file is read piece by piece, so that what is
/// kept does not grow with it; what can be read only once, a pipe say, is kept whole.
class TraceText {
 public:
  static constexpr std::size_t kMaxLineBytes = std::size_t{64} << 10;
  /// The most that is kept of what is no file.
  static constexpr std::size_t kMaxPipeBytes = std::size_t{1} << 30;

  /// @param source  a file, or `-` for standard input. Throws Refusal.
  [[nodiscard]] static TraceText open(const std::string& source);
  /// @param source  what to call it in a refusal.
  TraceText(std::string source, std::string text);

  /// The next line, without its line feed; nothing behind the last. It is good until the next call.
  /// Throws Refusal: the line is longer than kMaxLineBytes, or the file cannot be read.
  [[nodiscard]] std::optional<std::string_view> next();
  /// Of the line that was given last; the first is 1.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  /// From the first line again.
  void rewind();

  [[nodiscard]] const std::string& source() const { return source_; }
  /// A refusal that names the line given last.
  [[nodiscard]] Refusal refusal(std::string_view what) const;

 private:
  TraceText(std::string source, File file);
  bool refill();  ///< false: there is no more

  std::string source_;
  std::optional<File> file_;  ///< nothing: all of it is in the buffer
  std::vector<char> buffer_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;  ///< of what was read into the buffer
  std::uint64_t number_ = 0;
};

}  // namespace carveout::cli
