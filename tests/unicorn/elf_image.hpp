// An image as the linker made it: what is loaded where, and which function an address is of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace carveout::test {

class ElfImage {
 public:
  struct Segment {
    std::uint32_t address;
    std::vector<std::byte> bytes;  ///< as long as in the file; the rest of it is zero in memory
  };

  /// @throws std::runtime_error  no file, or not a 32-bit little-endian ELF of an Arm program.
  explicit ElfImage(const std::string& path);

  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }
  /// The function that holds an address, without its parameters: "carveout::cortex_m::...::clean";
  /// "" where there is none.
  [[nodiscard]] std::string function_at(std::uint32_t address) const;
  [[nodiscard]] bool begins_function(std::uint32_t address) const;

 private:
  struct Function {
    std::uint32_t address;
    std::uint32_t size_bytes;
    std::string name;
  };

  std::vector<Segment> segments_;
  std::vector<Function> functions_;
};

}  // namespace carveout::test
