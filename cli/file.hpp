// An open file or directory, and bytes out of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace carveout::cli {

/// An open file or directory; closes it. Every failure is a Refusal that names it.
class File {
 public:
  [[nodiscard]] static File open(std::string_view path);
  /// Opens a name in an open directory; follows no symbolic link and waits for nobody.
  /// @param path  what to call it in a refusal.
  /// @return nothing where the permission is missing.
  [[nodiscard]] static std::optional<File> open_at(const File& directory, const std::string& name,
                                                   std::string path);
  [[nodiscard]] static File standard_input();

  File(File&& other) noexcept;
  File& operator=(File&&) = delete;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File();

  [[nodiscard]] bool is_directory() const;
  [[nodiscard]] bool is_regular() const;
  /// Bytes from the first on; nothing for what is no regular file, a pipe say.
  [[nodiscard]] std::optional<std::uint64_t> size() const;

  /// Reads until the buffer is full or the file ends. @return how many bytes.
  std::size_t read(std::span<std::byte> buffer) const;
  /// Goes back to the first byte of a regular file.
  void rewind() const;
  /// Names in the directory but . and .., in byte order.
  [[nodiscard]] std::vector<std::string> names() const;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  File(int descriptor, std::string path, bool owned);

  std::string path_;
  int descriptor_;
  bool owned_;
  std::uint32_t mode_ = 0;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace carveout::cli
