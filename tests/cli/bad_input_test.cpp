// Whatever is wrong with an input: exit status 2, one line, nothing on standard output.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "program.hpp"

namespace carveout::test {
namespace {

/// Both verbs, and both forms of output: they read boards alike.
void expect_refused(const std::string& board, const std::string& words,
                    const RunOptions& options = {}) {
  const std::vector<std::vector<std::string>> uses{
      {"map", "--", board},
      {"map", "--json", "--", board},
      {"why", "--device", "/", "--size", "1", "--", board},
  };
  for (const auto& arguments : uses) {
    const Outcome run = carveout(arguments, options);
    EXPECT_EQ(run.status, 2) << arguments[0];
    EXPECT_EQ(run.out, "");
    EXPECT_TRUE(is_refusal(run.err)) << run.err;
    EXPECT_NE(run.err.find(words), std::string::npos) << run.err;
  }
}

std::string put_cell(std::string blob, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) blob[at + i] = static_cast<char>(value >> (24 - 8 * i));
  return blob;
}

TEST(BadInput, AMissingFile) {
  expect_refused("trees/no-such.dtb", "No such file or directory (opening it)");
}

TEST(BadInput, AnEmptyFile) {
  const TemporaryFolder folder;
  expect_refused(folder.write("empty.dtb", ""), "is empty (0 bytes)");
}

TEST(BadInput, EmptyStandardInput) { expect_refused("-", "carveout: -: is empty (0 bytes)"); }

TEST(BadInput, NoStandardInput) {
  expect_refused("-", "Bad file descriptor (reading it)", {.closed = {0}});
}

TEST(BadInput, TwoHundredMegabytesOfZeros) {
  const TemporaryFolder folder;
  const std::string file = folder.write("zeros.dtb", "");
  std::filesystem::resize_file(file, 200'000'000);
  expect_refused(file, "it begins with 0x00000000, not with 0xd00dfeed (byte 0x0)");
}

TEST(BadInput, EndlessZeros) { expect_refused("/dev/zero", "begins with 0x00000000"); }

TEST(BadInput, RandomBytes) {
  const TemporaryFolder folder;
  std::mt19937 random{1};
  for (int round = 0; round < 5; ++round) {
    std::string bytes(1 + random() % 5000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    expect_refused(folder.write("random.dtb", bytes), "is no flattened device tree");
  }
}

TEST(BadInput, RandomBytesBehindTheMagic) {
  const TemporaryFolder folder;
  std::mt19937 random{2};
  for (int round = 0; round < 5; ++round) {
    std::string bytes(5000, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    bytes = put_cell(bytes, 0, 0xd00dfeed);
    bytes = put_cell(bytes, 4, static_cast<std::uint32_t>(bytes.size()));
    expect_refused(folder.write("random.dtb", bytes), "(byte 0x");
  }
}

TEST(BadInput, ABlobThatIsCutOff) {
  const TemporaryFolder folder;
  const std::string blob = compiled("everything.dts");
  for (const std::size_t length : {1UL, 3UL}) {
    expect_refused(folder.write("cut.dtb", blob.substr(0, length)), "is no flattened device tree");
  }
  for (const std::size_t length : {4UL, 8UL, 39UL, 40UL, 41UL, blob.size() / 2, blob.size() - 1}) {
    expect_refused(folder.write("cut.dtb", blob.substr(0, length)), "is truncated");
  }
}

TEST(BadInput, ACutOffBlobOnStandardInput) {
  const std::string blob = compiled("everything.dts");
  expect_refused("-", "is truncated", {.input = blob.substr(0, 1000)});
}

TEST(BadInput, AHeaderThatClaimsMoreThanIsRead) {
  const TemporaryFolder folder;
  const std::string blob = compiled("everything.dts");
  expect_refused(folder.write("huge.dtb", put_cell(blob, 4, 0xffffffff)),
                 "its header says 4294967295 bytes");
}

TEST(BadInput, ADirectoryThatIsEmpty) {
  const TemporaryFolder folder;
  expect_refused(folder.path(""), "is an empty directory, and no device tree (/)");
}

TEST(BadInput, ADirectoryThatIsNoTree) {
  const TemporaryFolder folder;
  static_cast<void>(folder.write("letter.txt", "hello"));
  std::filesystem::create_directory(folder.path("photographs"));
  expect_refused(folder.path(""), "is a directory, and no device tree");
}

TEST(BadInput, ATreeDirectoryWithASymbolicLink) {
  const TemporaryFolder folder;
  static_cast<void>(folder.write("compatible", std::string{"x\0", 2}));
  std::filesystem::create_directory_symlink(folder.path(""), folder.path("again"));
  expect_refused(folder.path(""), "is a symbolic link");
}

TEST(BadInput, ATreeDirectoryWithAPipe) {
  const TemporaryFolder folder;
  static_cast<void>(folder.write("compatible", std::string{"x\0", 2}));
  ASSERT_EQ(::mkfifo(folder.path("pipe").c_str(), 0600), 0);
  expect_refused(folder.path(""), "neither a node (directory) nor a property (file) (/pipe)");
}

TEST(BadInput, ATreeDirectoryThatHoldsTooMuch) {
  const TemporaryFolder folder;
  static_cast<void>(folder.write("compatible", std::string{"x\0", 2}));
  static_cast<void>(folder.write("rootdisk", ""));
  std::filesystem::resize_file(folder.path("rootdisk"), 200'000'000);
  expect_refused(folder.path(""), "holds more than 67108864 bytes (/rootdisk)");
}

TEST(BadInput, ATreeDirectoryThatIsTooDeep) {
  const TemporaryFolder folder;
  static_cast<void>(folder.write("compatible", std::string{"x\0", 2}));
  std::string path;
  for (int i = 0; i < 65; ++i) path += "n/";
  std::filesystem::create_directories(folder.path(path));
  expect_refused(folder.path(""), "more than 64");
}

// A suite of its own: a skip is one of the whole suite.
TEST(FileThatMayNotBeRead, IsRefused) {
  const TemporaryFolder folder;
  const std::string file = folder.write("secret.dtb", "secret");
  ASSERT_EQ(::chmod(file.c_str(), 0), 0);
  ASSERT_EQ(::chmod(folder.path("").c_str(), 0755), 0);
  RunOptions options;
  options.as_nobody = ::geteuid() == 0;  // root may read everything
  if (options.as_nobody && carveout({"--version"}, options).status != 0) {
    GTEST_SKIP() << "nobody cannot start the program where it lies";
  }
  expect_refused(file, "Permission denied (opening it)", options);
}

TEST(BadInput, SourceThatDtcRefuses) {
  const TemporaryFolder folder;
  const std::string file = folder.write("bad.dts", "/dts-v1/;\n/ { foo = <1>\n};\n");
  expect_refused(file, "dtc cannot compile it: syntax error (" + file + ":3.1-2)");
}

TEST(BadInput, SourceWithoutDtc) {
  const TemporaryFolder folder;
  RunOptions options;
  options.environment = {{"PATH", folder.path("")}};
  expect_refused("trees/pi-bus.dts", "the program dtc that compiles it is not installed", options);
}

TEST(BadInput, ABlobThatGzipCompressed) {
  const TemporaryFolder folder;
  expect_refused(folder.write("board.dtb.gz", "\x1f\x8b\x08 and so on"), "gzip has compressed it");
}

TEST(BadInput, OneBadBoardOfSeveralSilencesTheOthers) {
  const std::vector<std::vector<std::string>> uses{
      {"map", "trees/pi-bus.dts", "trees/no-such.dtb"},
      {"map", "--json", "trees/pi-bus.dts", "trees/no-such.dtb"},
  };
  for (const auto& arguments : uses) {
    const Outcome run = carveout(arguments);
    EXPECT_EQ(run.status, 2);
    EXPECT_EQ(run.out, "");
    EXPECT_NE(run.err.find("carveout: trees/no-such.dtb: "), std::string::npos) << run.err;
  }
}

TEST(BadInput, ANameWithANewLineStaysOneLine) {
  const Outcome run = carveout({"map", "no\nsuch\x1b[31m"});
  EXPECT_EQ(run.err, "carveout: no\\x0asuch\\x1b[31m: No such file or directory (opening it)\n");
}

struct HeaderField {
  std::string name;
  std::size_t offset;
};

class BadHeader : public testing::TestWithParam<HeaderField> {};

/// Each field of the header in turn becomes each of some values that contradict the rest; those
/// that happen to leave a sound tree are answered.
TEST_P(BadHeader, IsRefusedOrAnsweredButNeverHalf) {
  const TemporaryFolder folder;
  const std::string blob = compiled("everything.dts");
  for (const std::uint32_t value : {0U, 1U, 40U, 0x7fffffffU, 0xfffffffcU, 0xffffffffU}) {
    const std::string file = folder.write("bad.dtb", put_cell(blob, GetParam().offset, value));
    const Outcome run = carveout({"map", "--json", file});
    ASSERT_TRUE(run.status.has_value()) << value;
    if (run.status == 0) {
      EXPECT_EQ(run.err, "");
      continue;
    }
    EXPECT_EQ(run.status, 2);
    EXPECT_EQ(run.out, "");
    EXPECT_TRUE(is_refusal(run.err)) << run.err;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Fields, BadHeader,
    testing::Values(HeaderField{"magic", 0}, HeaderField{"totalsize", 4},
                    HeaderField{"off_dt_struct", 8}, HeaderField{"off_dt_strings", 12},
                    HeaderField{"off_mem_rsvmap", 16}, HeaderField{"version", 20},
                    HeaderField{"last_comp_version", 24}, HeaderField{"size_dt_strings", 32},
                    HeaderField{"size_dt_struct", 36}),
    [](const auto& param) { return param.param.name; });

TEST(BadInput, AVersionThatNobodyReads) {
  const TemporaryFolder folder;
  const std::string blob = compiled("everything.dts");
  expect_refused(folder.write("new.dtb", put_cell(blob, 24, 99)), "version");
}

TEST(BadInput, AStructureThatDoesNotEnd) {
  const TemporaryFolder folder;
  const std::string blob = compiled("everything.dts");
  const auto cell = [&](std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
      value = value << 8 | static_cast<std::uint8_t>(blob[at + i]);
    return value;
  };
  const std::size_t end_token = cell(8) + cell(36) - 4;
  expect_refused(folder.write("bad.dtb", put_cell(blob, end_token, 4)), "(byte 0x");
}

}  // namespace
}  // namespace carveout::test
