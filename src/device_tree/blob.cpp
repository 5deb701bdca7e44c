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

std::size_t Blob::structure_bytes() const {
  const void* const blob = as_void();
  // As in libfdt: before version 17 only the blob's end bounds it.
  return fdt_version(blob) >= 17 ? fdt_size_dt_struct(blob)
                                 : fdt_totalsize(blob) - fdt_off_dt_struct(blob);
}

std::expected<Token, TreeError> Blob::token(int offset) const {
  const auto fail = [&](Code code) { return std::unexpected{error_at(code, offset)}; };
  const auto at = static_cast<std::size_t>(offset);
  const std::size_t end = structure_bytes();
  if (at > end || end - at < FDT_TAGSIZE) return fail(Code::bad_structure);
  const bool is_property = known_tag(offset) == FDT_PROP;
  if (is_property) {
    if (end - at < kPropertyHeadBytes) return fail(Code::bad_property);
    const Bytes head{structure_at(offset), kPropertyHeadBytes};
    if (load_cell(head, 4) > end - at - kPropertyHeadBytes) return fail(Code::bad_property);
    if (load_cell(head, 8) >= strings_bytes_) return fail(Code::bad_property_name);
  }

  Token token{.tag = FDT_END, .offset = offset, .next = 0, .bytes = {}};
  token.tag = fdt_next_tag(data_, offset, &token.next);
  if (token.next < 0) return fail(Code::bad_structure);
  return is_property ? known_property(offset) : token;
}

const std::byte* Blob::structure_at(int offset) const {
  return data_ + fdt_off_dt_struct(as_void()) + offset;
}

std::uint32_t Blob::known_tag(int offset) const {
  return load_cell({structure_at(offset), FDT_TAGSIZE}, 0);
}

std::string_view Blob::known_node_name(int offset) const {
  const std::string_view name{
      reinterpret_cast<const char*>(structure_at(offset + static_cast<int>(FDT_TAGSIZE)))};
  if (fdt_version(as_void()) >= 16) return name;
  // Before version 16 it is the node's path. npos + 1 is 0: all of it where there is no slash.
  return {name.data() + (name.rfind('/') + 1), name.size() - (name.rfind('/') + 1)};
}

Token Blob::known_property(int offset) const {
  const Bytes head{structure_at(offset), kPropertyHeadBytes};
  const std::uint32_t length = load_cell(head, 4);
  const std::uint32_t name = load_cell(head, 8);
  int value = offset + static_cast<int>(kPropertyHeadBytes);
  // Before version 16 a value of eight bytes or more starts at a multiple of eight.
  if (fdt_version(as_void()) < 16 && length >= 8 && value % 8 != 0) value += 4;
  const int after = value + static_cast<int>(length);
  const char* const strings = reinterpret_cast<const char*>(data_) + fdt_off_dt_strings(as_void());
  return {.tag = FDT_PROP,
          .offset = offset,
          .next = after + (4 - after % 4) % 4,
          .name = PropertyName{{strings + name, std::size_t{strings_bytes_} - name}},
          .bytes = {structure_at(value), length}};
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
