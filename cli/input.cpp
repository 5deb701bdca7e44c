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

/// Whether source is compiled so that overlays find its labels.
enum class Symbols : bool { as_stated, wanted };

/// A blob that nobody has looked into yet.
struct RawBoard {
  std::vector<std::byte> blob;
  std::string messages;
  bool is_source = false;
};

RawBoard read_raw(std::string_view source, Symbols symbols) {
  const bool standard_input = source == kStandardInput;
  const File file = standard_input ? File::standard_input() : File::open(source);
  if (file.is_directory()) return {.blob = read_tree_directory(source, file), .messages = {}};

  std::vector<std::byte> start(kHeaderBytes);
  start.resize(file.read(start));
  if (magic_of(start) == FDT_MAGIC) {
    return {.blob = read_rest(source, file, std::move(start)), .messages = {}};
  }
  const std::string_view text{reinterpret_cast<const char*>(start.data()), start.size()};
  if (!standard_input && is_source(source, text)) {
    RawBoard board{.blob = {}, .messages = {}, .is_source = true};
    board.blob = compile_source(source, symbols == Symbols::wanted, board.messages);
    if (magic_of(board.blob) != FDT_MAGIC) refuse_unknown(source, board.blob);
    return board;
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

void apply(RawBoard& board, std::string_view source, std::span<const std::string> overlays) {
  for (const std::string& overlay : overlays) {
    const RawBoard changes = read_raw(overlay, Symbols::wanted);
    board.messages += changes.messages;
    board.blob = apply_overlay(source, board.blob, overlay, changes.blob);
  }
}

Board board_of(std::string_view source, RawBoard board) {
  Index index{source, board.blob};
  return {.source = std::string{source},
          .blob = std::move(board.blob),
          .index = std::move(index),
          .messages = std::move(board.messages),
          .is_source = board.is_source};
}

}  // namespace

Index::Index(std::string_view source, std::span<const std::byte> blob)
    : scratch(scratch_bytes(source, blob)), tree{opened(source, blob, scratch)} {}

Board read_board(std::string_view source, std::span<const std::string> overlays) {
  RawBoard board = read_raw(source, overlays.empty() ? Symbols::as_stated : Symbols::wanted);
  apply(board, source, overlays);
  return board_of(source, std::move(board));
}

std::pair<Board, Board> read_board_before_and_after(std::string_view source,
                                                    std::span<const std::string> overlays) {
  const RawBoard before = read_raw(source, Symbols::wanted);
  RawBoard after{.blob = before.blob, .messages = {}, .is_source = before.is_source};
  apply(after, source, overlays);
  return {board_of(source, before), board_of(source, std::move(after))};
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
