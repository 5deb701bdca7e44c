// Well-formed blobs that are made to be slow, deep or long: an answer or a refusal, soon.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "program.hpp"
#include "tests/support/tree_maker.hpp"

namespace carveout::test {
namespace {

std::string text_of(const std::vector<std::byte>& blob) {
  return {reinterpret_cast<const char*>(blob.data()), blob.size()};
}

/// Runs every use of a board, and expects whole answers or refusals.
/// @param who  a device to ask for, and the bus that it is on.
/// @return whether any was refused with these words.
struct Who {
  std::string device = "/";
  std::string bus = "/";
};
bool answers(const std::vector<std::byte>& blob, std::string_view words = "", const Who& who = {}) {
  const TemporaryFolder folder;
  const std::string board = folder.write("board.dtb", text_of(blob));
  std::vector<std::vector<std::string>> uses{
      {"map", board},
      {"map", "--json", board},
      {"map", "--html", "-", board},
      {"lint", board},
      {"lint", "--format", "sarif", board},
      {"why", board, "--device", who.device, "--size", "4K", "--count", "3"},
      {"why", board, "--bus", who.bus, "--size", "4K", "--json"},
  };
  if (who.device != "/") {
    uses.push_back(
        {"why", board, "--device", who.device, "--size", "4K", "--count", "65000", "--json"});
    uses.push_back(
        {"why", board, "--device", who.device, "--size", "1", "--align", "8K", "--count", "1000"});
  }
  bool refused = false;
  for (const auto& arguments : uses) {
    const Outcome run = carveout(arguments);
    EXPECT_TRUE(run.status.has_value()) << arguments[0] << ": killed\n" << run.err.substr(0, 2000);
    if (run.status != 2) {
      EXPECT_NE(run.out, "");
      continue;
    }
    EXPECT_EQ(run.out, "");
    EXPECT_TRUE(is_refusal(run.err)) << run.err.substr(0, 2000);
    refused = refused || (!words.empty() && run.err.find(words) != std::string::npos);
  }
  return refused;
}

TreeMaker& reserved(TreeMaker& maker) {
  return maker.begin("reserved-memory").counts(1, 1).empty("ranges");
}

TEST(HostileBlob, TooDeep) {
  TreeMaker maker;
  for (int i = 0; i < 65; ++i) maker.begin("n");
  for (int i = 0; i < 65; ++i) maker.end();
  EXPECT_TRUE(answers(maker.finish(), "64"));
}

TEST(HostileBlob, AsDeepAsAllowed) {
  TreeMaker maker;
  for (int i = 0; i < 64; ++i) maker.begin("n");
  for (int i = 0; i < 64; ++i) maker.end();
  EXPECT_FALSE(answers(maker.finish(), "64"));
}

TEST(HostileBlob, APathOverTheLimit) {
  TreeMaker maker;
  maker.begin(std::string(4096, 'a')).end();
  EXPECT_TRUE(answers(maker.finish(), "4096"));
}

TEST(HostileBlob, APathAtTheLimit) {
  TreeMaker maker;
  maker.counts(1, 1);
  maker.begin(std::string(4095, 'a')).cells("memory-region", {7}).end();
  EXPECT_FALSE(answers(maker.finish(), "4096"));
}

/// 30,000 regions with long paths: over 64 MiB of table, and over 64 MiB of JSON.
TEST(HostileBlob, TooMuchOutput) {
  TreeMaker maker;
  maker.counts(1, 1);
  const std::string name(3800, 'b');
  maker.begin(name);
  for (std::uint32_t i = 0; i < 30'000; ++i) {
    maker.begin("d@" + std::to_string(i)).cells("memory-region", {7}).end();
  }
  maker.end();
  EXPECT_TRUE(answers(maker.finish(), "output"));
}

TEST(HostileBlob, ManyRegions) {
  TreeMaker maker;
  maker.counts(1, 1);
  reserved(maker);
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    maker.begin("r@" + std::to_string(i))
        .string("compatible", "shared-dma-pool")
        .cells("reg", {i * 4096, 8192})
        .empty("no-map")
        .empty("linux,dma-default")
        .end();
  }
  maker.end();
  answers(maker.finish());
}

TEST(HostileBlob, OneDeviceThatListsEverything) {
  TreeMaker maker;
  maker.counts(1, 1);
  reserved(maker);
  maker.begin("r@80000000")
      .phandle(1)
      .string("compatible", "shared-dma-pool")
      .cells("reg", {0x80000000, 0x100000})
      .empty("no-map")
      .end()
      .end();
  const std::vector<std::uint32_t> everything(200'000, 1);
  maker.begin("device").cells("memory-region", everything).end();
  EXPECT_TRUE(answers(maker.finish(), "take too long", {.device = "/device"}));
}

/// Buses in a row, each of which cuts what is below it into more pieces.
TEST(HostileBlob, WindowsThatMultiply) {
  TreeMaker maker;
  maker.counts(1, 1);
  std::vector<std::uint32_t> entries;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    entries.insert(entries.end(), {i * 0x20000, i * 0x20000 + 0x10000, 0x10000});
  }
  for (int level = 0; level < 40; ++level) {
    maker.begin("bus").counts(1, 1).cells("dma-ranges", entries);
  }
  maker.begin("device").cells("memory-region", {1}).end();
  for (int level = 0; level < 40; ++level) maker.end();
  answers(maker.finish(), "", {.device = "device", .bus = "/bus"});
}

TEST(HostileBlob, DmaParentsInACircle) {
  TreeMaker maker;
  maker.counts(1, 1);
  for (const std::uint32_t phandle : {1U, 2U}) {
    maker.begin(phandle == 1 ? "a" : "b")
        .phandle(phandle)
        .counts(1, 1)
        .cells("#interconnect-cells", {0})
        .cells("interconnects", {3 - phandle})
        .string("interconnect-names", "dma-mem")
        .cells("dma-ranges", {0, 0x80000000, 0x1000})
        .begin("device")
        .cells("memory-region", {9})
        .end()
        .end();
  }
  answers(maker.finish(), "", {.device = "/a/device", .bus = "/b"});
}

/// Each bus is the DMA parent of the one before it, and translates.
TEST(HostileBlob, ALongChainOfDmaParents) {
  constexpr std::uint32_t kBuses = 28'000;
  TreeMaker maker;
  maker.counts(1, 1);
  for (std::uint32_t i = 1; i <= kBuses; ++i) {
    maker.begin("b" + std::to_string(i)).phandle(i).counts(1, 1).cells("#interconnect-cells", {0});
    if (i < kBuses) {
      maker.cells("interconnects", {i + 1}).string("interconnect-names", "dma-mem");
    }
    maker.cells("dma-ranges", {0, 0, 0x8000'0000}).end();
  }
  answers(maker.finish(), "", {.device = "/b1", .bus = "/b1"});
}

TEST(HostileBlob, AThousandPoolsOfOneDevice) {
  TreeMaker maker;
  maker.counts(1, 1);
  reserved(maker);
  std::vector<std::uint32_t> all;
  for (std::uint32_t i = 1; i <= 1000; ++i) {
    maker.begin("r@" + std::to_string(i))
        .phandle(i)
        .string("compatible", "shared-dma-pool")
        .cells("reg", {0x80000000 + i * 0x4000, 0x4000})
        .empty("no-map")
        .end();
    all.push_back(i);
  }
  maker.end().begin("device").cells("memory-region", all).end();
  EXPECT_TRUE(answers(maker.finish(), "more tables than 1 GiB", {.device = "/device"}));
}

TEST(HostileBlob, NamesThatAreNotText) {
  TreeMaker maker;
  maker.counts(1, 1)
      .bytes("model", "\xff\xfe\x1b[31mred\n\x80")
      .bytes("compatible", std::string_view{"a\nb\0\xc3(\0", 7});
  maker.begin("n\x1b[0m\n\xff").cells("memory-region", {1}).end();
  const TemporaryFolder folder;
  const std::string board = folder.write("board.dtb", text_of(maker.finish()));
  const Outcome table = carveout({"map", board});
  EXPECT_EQ(table.status, 0);
  EXPECT_EQ(table.out.find('\x1b'), std::string::npos);
  EXPECT_NE(table.out.find("\\x1b[31mred\\x0a"), std::string::npos) << table.out;
  EXPECT_NE(table.out.find("/n\\x1b[0m\\x0a\xef\xbf\xbd"), std::string::npos) << table.out;
  const Outcome json = carveout({"map", "--json", board});
  EXPECT_NE(json.out.find("\xef\xbf\xbd"), std::string::npos) << json.out;
  const Outcome why = carveout({"why", board, "--device", "/", "--size", "1", "--json"});
  EXPECT_EQ(why.status, 1);
}

/// An overlay with one fragment, whose property `reg` of four bytes has references.
std::vector<std::byte> overlay(std::uint32_t local_offset, const std::string& reference,
                               unsigned nodes = 1) {
  TreeMaker maker;
  maker.begin("fragment@0").string("target-path", "/camera@1000").begin("__overlay__");
  for (unsigned i = 0; i < nodes; ++i) {
    maker.begin("n" + std::to_string(i)).cells("reg", {1}).end();
  }
  maker.end().end();
  maker.begin("__fixups__").string("camera", "/fragment@0/__overlay__/n0:" + reference).end();
  maker.begin("__local_fixups__").begin("fragment@0").begin("__overlay__").begin("n0");
  maker.cells("reg", {local_offset}).end().end().end().end();
  return maker.finish();
}

Outcome with_overlay(const std::vector<std::byte>& blob) {
  const TemporaryFolder folder;
  const std::string base = folder.write("base.dtb", compiled("overlay-base.dts", {"-@"}));
  return carveout({"map", base, "-o", folder.write("overlay.dtbo", text_of(blob))});
}

TEST(HostileBlob, AnOverlayWithReferencesInsideOfAProperty) {
  const Outcome run = with_overlay(overlay(0, "reg:0"));
  EXPECT_EQ(run.status, 0) << run.err;
}

TEST(HostileBlob, AnOverlayWithReferencesOutsideOfAProperty) {
  for (const auto& blob :
       {overlay(1, "reg:0"), overlay(0x8000000, "reg:0"), overlay(0xfffffffc, "reg:0"),
        overlay(0, "reg:1"), overlay(0, "reg:-4"), overlay(0, "reg:4294967292"), overlay(0, "reg:"),
        overlay(0, "size:0"), overlay(0, "reg")}) {
    const Outcome run = with_overlay(blob);
    EXPECT_EQ(run.status, 2);
    EXPECT_EQ(run.out, "");
    EXPECT_TRUE(is_refusal(run.err)) << run.err;
    EXPECT_NE(run.err.find("a reference to no cell of a property"), std::string::npos) << run.err;
  }
}

TEST(HostileBlob, AnOverlayThatWouldTakeMinutesToApply) {
  const Outcome run = with_overlay(overlay(0, "reg:0", 50'000));
  EXPECT_EQ(run.status, 2);
  EXPECT_NE(run.err.find("too large for libfdt to apply"), std::string::npos) << run.err;
}

TEST(HostileBlob, ATreeWithNothingInIt) { answers(TreeMaker{}.finish()); }

}  // namespace
}  // namespace carveout::test
