#include "trace_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

namespace carveout::cli {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

std::size_t read_into(const File& file, std::vector<char>& buffer, std::size_t from) {
  return file.read(std::as_writable_bytes(std::span{buffer}.subspan(from)));
}

}  // namespace

TraceText::TraceText(std::string source, std::string text)
    : source_{std::move(source)}, buffer_(text.begin(), text.end()), end_{buffer_.size()} {}

TraceText::TraceText(std::string source, File file)
    : source_{std::move(source)}, file_{std::move(file)}, buffer_(kPieceBytes) {}

TraceText TraceText::open(const std::string& source) {
  File file = source == "-" ? File::standard_input() : File::open(source);
  if (file.is_directory()) throw Refusal{source, "is a directory, and no trace", "opening it"};
  // Standard input may not stand at its first byte, so it cannot be begun again.
  if (source != "-" && file.is_regular()) return TraceText{source, std::move(file)};
  TraceText kept{source, std::string{}};
  while (true) {
    kept.buffer_.resize(kept.end_ + kPieceBytes);
    const std::size_t got = read_into(file, kept.buffer_, kept.end_);
    kept.end_ += got;
    if (got < kPieceBytes) return kept;
    if (kept.end_ > kMaxPipeBytes) {
      throw Refusal{source, "is no file, and longer than the 1 GiB that is kept of such a trace",
                    "put it into a file"};
    }
  }
}

bool TraceText::refill() {
  if (!file_) return false;
  std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
  end_ -= at_;
  at_ = 0;
  const std::size_t got = read_into(*file_, buffer_, end_);
  end_ += got;
  return got != 0;
}

std::optional<std::string_view> TraceText::next() {
  std::size_t looked = 0;
  while (true) {
    const char* const from = buffer_.data() + at_;
    const std::size_t there = end_ - at_;
    const void* const feed =
        there == looked ? nullptr : std::memchr(from + looked, '\n', there - looked);
    if (feed != nullptr) {
      const auto size = static_cast<std::size_t>(static_cast<const char*>(feed) - from);
      ++number_;
      at_ += size + 1;
      if (size > kMaxLineBytes) throw refusal("is longer than the 64 KiB of any line");
      return std::string_view{from, size};
    }
    looked = there;
    if (there > kMaxLineBytes) {
      ++number_;
      throw refusal("is longer than the 64 KiB of any line");
    }
    if (refill()) continue;
    if (there == 0) return std::nullopt;
    ++number_;
    at_ = end_;
    return std::string_view{buffer_.data() + (end_ - there), there};
  }
}

void TraceText::rewind() {
  at_ = 0;
  number_ = 0;
  if (!file_) return;
  file_->rewind();
  end_ = 0;
}

Refusal TraceText::refusal(std::string_view what) const {
  return {source_, what, fmt::format("line {}", number_)};
}

}  // namespace carveout::cli
