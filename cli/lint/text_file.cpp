#include "text_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "file.hpp"
#include "input.hpp"
#include "refusal.hpp"

namespace carveout::cli {

UserFile read_file(const std::string& name) {
  const File open = File::open(name);
  if (open.is_directory()) throw Refusal{name, "is a directory", "opening it"};
  std::string text;
  std::size_t length = 0;
  while (true) {
    text.resize(std::max<std::size_t>(open.size().value_or(0) + 1, 2 * length + 4096));
    length += open.read(std::as_writable_bytes(std::span{text}).subspan(length));
    if (length > kMaxBlobBytes) {
      throw Refusal{name, fmt::format("has more than {} bytes", kMaxBlobBytes),
                    "limit of carveout"};
    }
    if (length < text.size()) break;
  }
  text.resize(length);
  return {name, std::move(text)};
}

void for_each_line(
    const UserFile& file,
    const std::function<void(std::size_t, std::span<const std::string_view>)>& visit) {
  constexpr std::string_view kSpaces = " \t\r";
  std::string_view rest = file.bytes;
  std::vector<std::string_view> words;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    line = line.substr(0, line.find('#'));
    words.clear();
    while (true) {
      line.remove_prefix(std::min(line.find_first_not_of(kSpaces), line.size()));
      if (line.empty()) break;
      words.push_back(line.substr(0, line.find_first_of(kSpaces)));
      line.remove_prefix(words.back().size());
    }
    if (!words.empty()) visit(number, words);
  }
}

}  // namespace carveout::cli
