#include "json_text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace carveout::cli {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST(JsonString, ReplacesEachBeginningOfACharacterThatDoesNotGoOn) {
  constexpr std::string_view kBad = "\xef\xbf\xbd";
  const std::string bad{kBad};
  EXPECT_EQ(json_string("a\xff"
                        "b"),
            "\"a" + bad + "b\"");
  EXPECT_EQ(json_string("\xe2\x82"), "\"" + bad + "\"") << "cut short: one character";
  EXPECT_EQ(json_string("\xf0\x80\x80"), "\"" + bad + bad + bad + "\"") << "no character begins so";
  EXPECT_EQ(json_string("\xed\xa0\x80"), "\"" + bad + bad + bad + "\"") << "a surrogate";
  EXPECT_EQ(json_string("\xc0\xaf"), "\"" + bad + bad + "\"") << "longer than need be";
  EXPECT_EQ(json_string("\xf4\x90\x80\x80"), "\"" + bad + bad + bad + bad + "\"")
      << "past U+10FFFF";
  EXPECT_EQ(json_string("\xc3\x28"), "\"" + bad + "(\"");
  EXPECT_EQ(json_string("\xc3\xa9\xf0\x9f\x98\x80"), "\"\xc3\xa9\xf0\x9f\x98\x80\"");
}

TEST(JsonString, EscapesWhatJsonDoesNotTake) {
  EXPECT_EQ(json_string(std::string_view{"\"\\\n\t\0\x1f\x7f", 7}),
            "\"\\\"\\\\\\u000a\\u0009\\u0000\\u001f\x7f\"");
}

RC_GTEST_PROP(JsonString, IsWhatAnotherLibraryWrites, (const std::string& bytes)) {
  const nlohmann::json other = bytes;
  const auto text = other.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  RC_ASSERT(nlohmann::json::parse(json_string(bytes)) == nlohmann::json::parse(text));
}

TEST(JsonText, PutsCommasBetweenValuesAndNotAfterKeys) {
  JsonText json{1000};
  json.open('{').key("a").open('[').number(1).hex(0).null().close(']');
  json.key("b").open('{').close('}').key("c").boolean(true).close('}');
  EXPECT_EQ(json.take(), R"({"a":[1,"0x0",null],"b":{},"c":true})");
}

}  // namespace
}  // namespace carveout::cli
