#include "input.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <libfdt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include "dtc.hpp"
#include "file.hpp"
#include "malformed_blob.hpp"
#include "overlay.hpp"
#include "tree_directory.hpp"

namespace carveout::cli {
namespace {

using device_tree::Bytes;
using device_tree::Tree;

constexpr std::size_t kHeaderBytes = 40;  // of version 17, the only one written since 2005
constexpr std::string_view kStandardInput = "-";
constexpr std::string_view kSourceStart = "/dts-v1/";

bool is_source(std::string_view name, std::string_view start) {
  return name.ends_with(".dts") || name.ends_with(".dtso") || start.starts_with(kSourceStart);
}

std::uint32_t magic_of(Bytes bytes) {
  return bytes.size() < device_tree::kCellBytes ? 0 : device_tree::load_cell(bytes, 0);
}

[[noreturn]] void refuse_unknown(std::string_view source, Bytes start) {
  if (start.empty()) throw MalformedBlob{source, "is empty", "0 bytes"};
  const auto byte = [&](std::size_t at) { return std::to_integer<unsigned>(start[at]); };
  std::string begins;
  for (std::size_t i = 0; i < std::min<std::size_t>(start.size(), 4); ++i) {
    begins += fmt::format("{:02x}", byte(i));
  }
  const bool gzip = start.size() > 1 && byte(0) == 0x1f && byte(1) == 0x8b;
  throw MalformedBlob{
      source,
      fmt::format("is no flattened device tree: it begins with 0x{}, not with 0x{:08x}{}", begins,
                  FDT_MAGIC, gzip ? "; gzip has compressed it" : ""),
      "byte 0x0"};
}

/// Reads a blob of which `blob` is the beginning.
std::vector<std::byte> read_rest(std::string_view source, const File& file,
                                 std::vector<std::byte> blob) {
  const std::size_t start = blob.size();
  const std::uint64_t total = start < 8 ? kHeaderBytes : device_tree::load_cell(blob, 4);
  if (total > kMaxBlobBytes) {
    throw Refusal{source,
                  fmt::format("its header says {} bytes; Carveout reads trees of up to {} bytes",
                              total, kMaxBlobBytes),
                  "byte 0x4"};
  }
  const auto known = file.size();
  if (total > start && (!known || *known >= total)) {
    blob.resize(total);
    blob.resize(start + file.read(std::span{blob}.subspan(start)));
  } else if (total > start) {
    blob.resize(std::max<std::size_t>(start, *known));  // only so that its length can be told
  }
  if (blob.size() < std::max<std::uint64_t>(total, kHeaderBytes)) {
    throw MalformedBlob{source,
                        start < kHeaderBytes
                            ? fmt::format("is truncated: a header has {} bytes", kHeaderBytes)
                            : fmt::format("is truncated: its header says {} bytes", total),
                        fmt::format("it ends at byte {:#x}", blob.size())};
  }
  return blob;
}

/// @param symbols  compile source so that overlays find its labels.
std::vector<std::byte> read_blob(std::string_view source, bool symbols, std::string& messages,
                                 bool& from_source) {
  const bool standard_input = source == kStandardInput;
  const File file = standard_input ? File::standard_input() : File::open(source);
  if (file.is_directory()) return read_tree_directory(source, file);

  std::vector<std::byte> start(kHeaderBytes);
  start.resize(file.read(start));
  if (magic_of(start) == FDT_MAGIC) return read_rest(source, file, std::move(start));
  const std::string_view text{reinterpret_cast<const char*>(start.data()), start.size()};
  if (!standard_input && is_source(source, text)) {
    from_source = true;
    std::vector<std::byte> blob = compile_source(source, symbols, messages);
    if (magic_of(blob) != FDT_MAGIC) refuse_unknown(source, blob);
    return blob;
  }
  refuse_unknown(source, start);
}

/// The two halves of a refusal's line about a tree.
template <class Line>
Line line_about(std::string_view source, const device_tree::TreeError& error) {
  std::array<char, 64> buffer{};
  Text where{buffer};
  error.where(where);
  return {source, error.what(), where.view()};
}

MalformedBlob malformed(std::string_view source, const device_tree::TreeError& error) {
  return line_about<MalformedBlob>(source, error);
}

std::size_t scratch_bytes(std::string_view source, Bytes blob) {
  const auto bytes = Tree::measure(blob);
  if (!bytes) throw malformed(source, bytes.error());
  return *bytes;
}

Tree opened(std::string_view source, Bytes blob, std::span<std::byte> scratch) {
  const auto tree = Tree::open(blob, scratch);
  if (!tree) throw malformed(source, tree.error());
  return *tree;
}

}  // namespace

Index::Index(std::string_view source, std::span<const std::byte> blob)
    : scratch(scratch_bytes(source, blob)), tree{opened(source, blob, scratch)} {}

Board read_board(std::string_view source, std::span<const std::string> overlays) {
  std::string messages;
  bool is_source = false;
  std::vector<std::byte> blob = read_blob(source, !overlays.empty(), messages, is_source);
  for (const std::string& overlay : overlays) {
    bool ignored = false;
    const std::vector<std::byte> changes = read_blob(overlay, true, messages, ignored);
    blob = apply_overlay(source, blob, overlay, changes);
  }
  Index index{source, blob};
  return {.source = std::string{source},
          .blob = std::move(blob),
          .index = std::move(index),
          .messages = std::move(messages),
          .is_source = is_source};
}

void check_standard_input(std::string_view verb, std::span<const std::string> sources,
                          std::span<const std::string> overlays) {
  if (std::ranges::count(sources, kStandardInput) + std::ranges::count(overlays, kStandardInput) >
      1) {
    throw Refusal{verb, "standard input is named twice, and can be read once", "-"};
  }
}

Refusal refusal(std::string_view source, const device_tree::TreeError& error) {
  return line_about<Refusal>(source, error);
}

}  // namespace carveout::cli
