// The blob as libfdt reads it, behind checks of our own.
#pragma once

#include <cstdint>
#include <expected>

#include "carveout/device_tree/tree.hpp"

namespace carveout::device_tree {

/// One token of the structure block. For a property, `name` and `bytes` are set.
struct Token {
  std::uint32_t tag;  // FDT_BEGIN_NODE, ...
  int offset;         // of the token, in the structure block
  int next;           // of the token after it
  PropertyName name{{}};
  Bytes bytes;
};

/// A blob whose header is sound. Each token is checked as it is read.
///
/// libfdt's own fdt_check_full() is not used: version 1.6.1 never returns from a property of
/// 0xfffffff4 bytes (fdt_next_tag() adds without a look at the sum), and measures the name of each
/// property, which is quadratic where they share a long tail of the strings block.
class Blob {
 public:
  static std::expected<Blob, TreeError> check(Bytes bytes);
  /// A blob that check() has accepted before, with its strings_bytes() from then: to find them
  /// costs a look at the strings block.
  static Blob checked(const std::byte* data, std::uint32_t strings_bytes) {
    return Blob{data, strings_bytes};
  }

  /// The token at `offset`; 0 is the first.
  [[nodiscard]] std::expected<Token, TreeError> token(int offset) const;

  // Of tokens that token() has read before without an error: every offset in a Tree. Nothing is
  // checked a second time.
  [[nodiscard]] std::uint32_t known_tag(int offset) const;
  [[nodiscard]] Token known_property(int offset) const;
  /// With its unit address.
  [[nodiscard]] std::string_view known_node_name(int offset) const;

  /// How many entries stand before the 0/0 of the memory reservation block.
  [[nodiscard]] std::expected<std::uint32_t, TreeError> count_reservations() const;

  [[nodiscard]] TreeError error_at(TreeError::Code code, int structure_offset) const;
  [[nodiscard]] const std::byte* data() const { return data_; }
  /// The strings block up to and with its last zero: a name that starts in it also ends in it.
  [[nodiscard]] std::uint32_t strings_bytes() const { return strings_bytes_; }

 private:
  [[nodiscard]] const std::byte* structure_at(int offset) const;
  [[nodiscard]] std::size_t structure_bytes() const;
  // What libfdt's macros for the header take: they cast, and a cast from bytes is one of alignment.
  [[nodiscard]] const void* as_void() const { return data_; }

  Blob(const std::byte* data, std::uint32_t strings_bytes)
      : data_{data}, strings_bytes_{strings_bytes} {}

  const std::byte* data_;
  std::uint32_t strings_bytes_;
};

}  // namespace carveout::device_tree
