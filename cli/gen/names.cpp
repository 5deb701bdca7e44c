#include "gen/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace carveout::cli {
namespace {

// Not std::isalnum(), which asks the locale.
bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Of C++23, sorted.
constexpr auto kKeywords =
    std::to_array<std::string_view>({"alignas",       "alignof",     "and",
                                     "and_eq",        "asm",         "auto",
                                     "bitand",        "bitor",       "bool",
                                     "break",         "case",        "catch",
                                     "char",          "char16_t",    "char32_t",
                                     "char8_t",       "class",       "co_await",
                                     "co_return",     "co_yield",    "compl",
                                     "concept",       "const",       "const_cast",
                                     "consteval",     "constexpr",   "constinit",
                                     "continue",      "decltype",    "default",
                                     "delete",        "do",          "double",
                                     "dynamic_cast",  "else",        "enum",
                                     "explicit",      "export",      "extern",
                                     "false",         "float",       "for",
                                     "friend",        "goto",        "if",
                                     "inline",        "int",         "long",
                                     "mutable",       "namespace",   "new",
                                     "noexcept",      "not",         "not_eq",
                                     "nullptr",       "operator",    "or",
                                     "or_eq",         "private",     "protected",
                                     "public",        "register",    "reinterpret_cast",
                                     "requires",      "return",      "short",
                                     "signed",        "sizeof",      "static",
                                     "static_assert", "static_cast", "struct",
                                     "switch",        "template",    "this",
                                     "thread_local",  "throw",       "true",
                                     "try",           "typedef",     "typeid",
                                     "typename",      "union",       "unsigned",
                                     "using",         "virtual",     "void",
                                     "volatile",      "wchar_t",     "while",
                                     "xor",           "xor_eq"});

bool is_identifier(std::string_view text) {
  const auto is_part = [](char c) { return is_plain(c) || c == '_'; };
  if (text.empty() || (text.front() >= '0' && text.front() <= '9')) return false;
  return std::ranges::all_of(text, is_part) && !std::ranges::binary_search(kKeywords, text);
}

bool is_implementations(std::string_view text) {
  return text.starts_with('_') || text.contains("__");
}

}  // namespace

bool is_namespace_name(std::string_view text) {
  if (text == "std" || text.starts_with("std::")) return false;
  for (;;) {
    const std::size_t end = text.find("::");
    const std::string_view one = text.substr(0, end);
    if (!is_identifier(one) || is_implementations(one)) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 2);
  }
}

std::string Identifiers::make(std::string_view prefix, std::string_view name) {
  std::string plain{prefix};
  bool gap = true;
  for (const char c : name) {
    if (is_plain(c)) {
      if (gap) plain += '_';
      plain += c;
    }
    gap = !is_plain(c);
  }
  std::string id = plain;
  while (!given_.try_emplace(id, 1).second) id = fmt::format("{}_{}", plain, ++given_[plain]);
  return id;
}

}  // namespace carveout::cli
