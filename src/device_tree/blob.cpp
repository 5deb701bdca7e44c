#include "blob.hpp"

#include <libfdt.h>

#include <limits>

namespace carveout::device_tree {
namespace {

using Code = TreeError::Code;

TreeError::Code code_of(int libfdt_error) {
  switch (libfdt_error) {
    case -FDT_ERR_BADMAGIC:
      return Code::not_a_tree;
    case -FDT_ERR_ALIGNMENT:
      return Code::misaligned;
    case -FDT_ERR_BADVERSION:
      return Code::unsupported_version;
    default:
      return Code::bad_header;
  }
}

std::uint32_t count_strings_bytes(const std::byte* data) {
  const void* blob = data;
  const std::uint32_t start = fdt_off_dt_strings(blob);
  std::uint32_t end = fdt_totalsize(blob);
  // As in libfdt: before version 17 only the blob's end bounds the names.
  if (fdt_version(blob) >= 17 && fdt_size_dt_strings(blob) < end - start) {
    end = start + fdt_size_dt_strings(blob);
  }
  while (end > start && data[end - 1] != std::byte{0}) --end;
  return end - start;
}

constexpr std::size_t kPropertyHeadBytes = 12;  // token, length, name

}  // namespace

std::expected<Blob, TreeError> Blob::check(Bytes bytes) {
  const auto fail = [](Code code, std::uint32_t offset = 0) {
    return std::unexpected{TreeError{code, offset}};
  };
  if (bytes.size() < kCellBytes || load_cell(bytes, 0) != FDT_MAGIC) return fail(Code::not_a_tree);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 != 0) return fail(Code::misaligned);
  std::uint32_t size = std::numeric_limits<std::int32_t>::max();  // libfdt's offsets are int
  if (bytes.size() < size) size = static_cast<std::uint32_t>(bytes.size());
  const void* blob = bytes.data();
  if (size < FDT_V1_SIZE || size < fdt_header_size(blob)) return fail(Code::truncated, size);
  if (const int error = fdt_check_header(blob); error != 0) return fail(code_of(error));
  if (size < fdt_totalsize(blob)) return fail(Code::truncated, size);
  if (fdt_off_dt_strings(blob) > fdt_totalsize(blob)) return fail(Code::bad_header);
  return Blob{bytes.data(), count_strings_bytes(bytes.data())};
}

TreeError Blob::error_at(Code code, int structure_offset) const {
  return {code, fdt_off_dt_struct(as_void()) + static_cast<std::uint32_t>(structure_offset)};
}

std::expected<Token, TreeError> Blob::token(int offset) const {
  const auto fail = [&](Code code) { return std::unexpected{error_at(code, offset)}; };
  Token token{.tag = FDT_END, .offset = offset, .next = 0, .bytes = {}};

  const void* tag = fdt_offset_ptr(data_, offset, FDT_TAGSIZE);
  if (tag == nullptr) return fail(Code::bad_structure);
  if (load_cell({static_cast<const std::byte*>(tag), FDT_TAGSIZE}, 0) == FDT_PROP) {
    const void* head = fdt_offset_ptr(data_, offset, kPropertyHeadBytes);
    if (head == nullptr) return fail(Code::bad_property);
    const Bytes words{static_cast<const std::byte*>(head), kPropertyHeadBytes};
    const std::uint32_t length = load_cell(words, 4);
    const std::uint32_t name = load_cell(words, 8);
    // Before version 16 four bytes of padding may stand before the value; they are in the blob too.
    if (length > static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max()) - 64 ||
        fdt_offset_ptr(data_, offset + static_cast<int>(kPropertyHeadBytes), length) == nullptr) {
      return fail(Code::bad_property);
    }
    if (name >= strings_bytes_) return fail(Code::bad_property_name);
    token.name =
        PropertyName{{reinterpret_cast<const char*>(data_) + fdt_off_dt_strings(as_void()) + name,
                      std::size_t{strings_bytes_} - name}};
  }

  token.tag = fdt_next_tag(data_, offset, &token.next);
  if (token.next < 0) return fail(Code::bad_structure);
  if (token.tag == FDT_PROP) {
    int length = 0;
    const void* value = fdt_getprop_by_offset(data_, offset, nullptr, &length);
    if (value == nullptr || length < 0) return fail(Code::bad_property);
    token.bytes = {static_cast<const std::byte*>(value), static_cast<std::size_t>(length)};
  }
  return token;
}

std::expected<std::uint32_t, TreeError> Blob::count_reservations() const {
  for (std::uint32_t count = 0;; ++count) {
    std::uint64_t base = 0;
    std::uint64_t size = 0;
    if (fdt_get_mem_rsv(data_, static_cast<int>(count), &base, &size) != 0) {
      return std::unexpected{TreeError{Code::bad_reservations, fdt_off_mem_rsvmap(as_void())}};
    }
    if (base == 0 && size == 0) return count;
  }
}

}  // namespace carveout::device_tree
