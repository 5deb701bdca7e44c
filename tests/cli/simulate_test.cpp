// `simulate`: what a trace comes to on the pools of a board, as a user runs it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "program.hpp"

namespace carveout::test {
namespace {

using Json = nlohmann::ordered_json;

const std::string kArtPi = "../../examples/boards/art-pi.dts";
const std::string kPiBus = "trees/pi-bus.dts";
const std::string kOwnPools = "trees/own-pools.dts";
const std::string kHeader = "time,op,id,device,size,align\n";

struct Answer {
  int status;
  Json json;
};

Answer simulate(const std::string& board, const std::string& trace,
                std::vector<std::string> arguments = {}) {
  arguments.insert(arguments.begin(), {"simulate", board, "--trace", "-", "--json"});
  const Outcome run = carveout(arguments, {.input = trace});
  EXPECT_TRUE(run.status == 0 || run.status == 1) << run.err;
  return {run.status.value_or(-1), Json::parse(run.out, nullptr, false)};
}

std::string refusal(std::vector<std::string> arguments, const std::string& input = {}) {
  arguments.insert(arguments.begin(), "simulate");
  const Outcome run = carveout(arguments, {.input = input});
  EXPECT_EQ(run.status, 2) << run.out;
  EXPECT_EQ(run.out, "");
  EXPECT_TRUE(is_refusal(run.err)) << run.err;
  return run.err;
}

/// A board with one default pool of that size.
std::string board_with(std::uint64_t pool_bytes) {
  return "/dts-v1/;\n/ { #address-cells = <1>; #size-cells = <1>;\n"
         "memory@80000000 { device_type = \"memory\"; reg = <0x80000000 0x40000000>; };\n"
         "reserved-memory { #address-cells = <1>; #size-cells = <1>; ranges;\n"
         "pool@90000000 { compatible = \"shared-dma-pool\"; no-map; linux,dma-default;\n"
         "reg = <0x90000000 " +
         std::to_string(pool_bytes) + ">; }; }; };\n";
}

std::uint64_t number(const Json& hex) { return std::stoull(hex.get<std::string>(), nullptr, 16); }

TEST(Simulate, GrantsWhatFitsAndExitsZero) {
  const Answer answer = simulate(kArtPi, kHeader + "0,alloc,a,serial0,1M,\n1,free,a,,,\n");
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.json["schema"], "carveout.simulate/1");
  EXPECT_EQ(answer.json["failures"], 0);
  EXPECT_TRUE(answer.json["first_failure"].is_null());
  EXPECT_EQ(answer.json["pools"][0]["peak"], "0x100000");
  EXPECT_EQ(answer.json["pools"][0]["used_at_end"], "0x0");
}

TEST(Simulate, TellsTheFirstFailureAndWhoHoldsThePool) {
  const Answer answer = simulate(kArtPi, kHeader +
                                             "0,alloc,a,serial0,600K,\n0.5,alloc,b,serial1,100K,\n"
                                             "1,alloc,c,serial1,400K,\n2,alloc,d,serial1,500K,\n");
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.json["failures"], 2);
  const Json& first = answer.json["first_failure"];
  EXPECT_EQ(first["line"], 4);
  EXPECT_EQ(first["time_ns"], 1'000'000'000);
  EXPECT_EQ(first["device"], "/soc/serial@40004800");
  EXPECT_EQ(first["failure"]["code"], "exhausted");
  EXPECT_EQ(first["failure"]["asked"], "0x64000");
  EXPECT_EQ(first["failure"]["free"], "0x51000");
  EXPECT_EQ(first["held_by"],
            Json::parse(R"([{"device": "/soc/serial@40004c00", "blocks": 1, "bytes": "0x96000"},
                            {"device": "/soc/serial@40004800", "blocks": 1, "bytes": "0x19000"}])"));
  EXPECT_EQ(first["held"].size(), 2U);
  EXPECT_EQ(first["held"][0]["id"], "a");
}

TEST(Simulate, CountsTheRoundingOfBothAllocators) {
  const Json pool = simulate(kPiBus, kHeader + "0,alloc,a,serial0,5000,\n").json["pools"][0];
  EXPECT_EQ(pool["peak"], "0x2000");
  EXPECT_EQ(pool["peak_asked"], "0x1388");
  const Json nv12 = simulate(kPiBus, kHeader + "0,alloc,a,serial0,200K,\n").json["pools"][0];
  EXPECT_EQ(nv12["peak"], "0x32000");
  EXPECT_EQ(nv12["linux"]["peak"], "0x40000");
}

TEST(Simulate, ShowsWhereLinuxsAllocatorWouldHaveRefused) {
  // Row 8 of the vectors: three times 260 KiB in 1 MiB.
  const Answer answer = simulate(kPiBus, kHeader +
                                             "0,alloc,a,serial0,260K,\n1,alloc,b,serial0,260K,\n"
                                             "2,alloc,c,serial0,260K,\n");
  EXPECT_EQ(answer.status, 0);
  const Json& in_linux = answer.json["pools"][0]["linux"];
  EXPECT_EQ(in_linux["refused"], 1);
  EXPECT_EQ(in_linux["first_refused"]["line"], 4);
  EXPECT_EQ(in_linux["first_refused"]["rounded"], "0x80000");
  EXPECT_EQ(in_linux["smallest"]["size"], "0x180000");
  EXPECT_EQ(answer.json["pools"][0]["smallest"]["size"], "0xc3000");
}

TEST(Simulate, TheSmallestPoolDoesAndOneGranuleLessDoesNot) {
  // Holes of 4 KiB between blocks that stay: more is needed than ever lives at once.
  std::string trace = kHeader;
  for (int i = 0; i < 8; ++i) trace += "0,alloc,s" + std::to_string(i) + ",,4K,\n";
  for (int i = 0; i < 8; i += 2) trace += "1,free,s" + std::to_string(i) + ",,,\n";
  trace += "2,alloc,large,,16K,\n";
  TemporaryFolder folder;
  const auto on = [&](std::uint64_t bytes) {
    return simulate(folder.write("board.dts", board_with(bytes)), trace);
  };
  const Json smallest = on(0x100000).json["pools"][0]["smallest"];
  EXPECT_EQ(smallest["at_least"], "0x8000");
  EXPECT_EQ(smallest["size"], "0xc000");
  const std::uint64_t size = number(smallest["size"]);
  EXPECT_EQ(on(size).status, 0);
  EXPECT_EQ(on(size - 4096).status, 1);
}

TEST(Simulate, TheSmallestPoolForLinuxIsInPagesThatItsAllocatorCanUse) {
  TemporaryFolder folder;
  const std::string board = folder.write("board.dts", board_with(0x100000));
  const Json pool = simulate(board, kHeader + "0,alloc,a,,12K,\n0,alloc,b,,4K,\n").json["pools"][0];
  EXPECT_EQ(pool["smallest"]["size"], "0x4000");
  EXPECT_EQ(pool["linux"]["smallest"]["size"], "0x5000");
}

TEST(Simulate, WithoutTheSearchThereIsNoSmallest) {
  const Json pool =
      simulate(kPiBus, kHeader + "0,alloc,a,,4K,\n", {"--no-smallest"}).json["pools"][0];
  EXPECT_TRUE(pool["smallest"].is_null());
  EXPECT_TRUE(pool["linux"]["smallest"].is_null());
}

TEST(Simulate, RoutesEachDeviceAsTheBoardDoes) {
  const Answer answer =
      simulate(kOwnPools, kHeader +
                              "0,alloc,a,dsp,16K,\n1,alloc,b,dsp,8K,\n2,alloc,c,dma,4K,\n"
                              "3,alloc,d,,4K,\n4,alloc,e,camera,4K,\n");
  const Json& pools = answer.json["pools"];
  ASSERT_EQ(pools.size(), 3U);
  EXPECT_EQ(pools[0]["pool"], "/reserved-memory/firmware@88000000");
  EXPECT_EQ(pools[0]["roles"], Json::parse(R"(["device"])"));
  EXPECT_EQ(pools[1]["pool"], "/reserved-memory/rings@88010000");
  EXPECT_EQ(pools[1]["granted"], 1);
  EXPECT_EQ(pools[2]["roles"], Json::parse(R"(["default"])"));
  EXPECT_EQ(answer.json["ordinary"], 1);
  EXPECT_EQ(answer.json["first_failure"]["failure"]["code"], "not_in_window");
}

TEST(Simulate, TellsRequestsThatNoPoolServes) {
  const Answer answer = simulate(kPiBus, kHeader + "0,alloc,a,,0,\n0,alloc,b,,4K,3\n1,free,a,,,\n");
  EXPECT_EQ(answer.json["failures_by_code"],
            Json::parse(R"({"zero_size": 1, "bad_alignment": 1})"));
  EXPECT_TRUE(answer.json["pools"][0]["smallest"].is_null());
}

TEST(Simulate, TakesTheDeviceThatIsNamedWhereTheTraceNamesNobody) {
  const std::string trace = kHeader + "0,alloc,a,,4K,\n";
  EXPECT_EQ(simulate(kOwnPools, trace).json["trace"]["devices"][0], "any device");
  const Json json = simulate(kOwnPools, trace, {"--device", "dsp"}).json;
  EXPECT_EQ(json["trace"]["devices"][0], "/soc/dsp@1000");
  EXPECT_EQ(json["pools"][0]["pool"], "/reserved-memory/firmware@88000000");
}

TEST(Simulate, AMaskTakesThePoolOutOfReach) {
  const Answer answer = simulate(kPiBus, kHeader + "0,alloc,a,serial0,4K,\n", {"--mask", "31"});
  EXPECT_EQ(answer.json["first_failure"]["failure"]["code"], "unreachable");
}

TEST(Simulate, ATimelineShowsFillingAndTheLongestFreeRun) {
  const Json json =
      simulate(kPiBus,
               kHeader + "0,alloc,a,,512K,\n10,alloc,b,,256K,\n20,free,a,,,\n30,free,b,,,\n")
          .json;
  const Json& timeline = json["timeline"];
  ASSERT_FALSE(timeline.empty());
  EXPECT_LE(timeline.size(), 64U);
  EXPECT_EQ(timeline[0]["pools"][0]["most_used"], "0x80000");
  EXPECT_EQ(timeline[0]["pools"][0]["longest_run"], "0x80000");
  const Json& middle = timeline[timeline.size() / 2];
  EXPECT_EQ(middle["pools"][0]["most_used"], "0xc0000");
  EXPECT_EQ(middle["pools"][0]["longest_run"], "0x40000");
  EXPECT_EQ(timeline.back()["pools"][0]["longest_run"], "0x100000");
}

TEST(Simulate, ReadsATraceThatIsLongerThanTheFirstLook) {
  // A device that is named late, and more alive than at first: the trace is begun again.
  std::string trace = kHeader;
  for (int i = 0; i < 70000; ++i) {
    trace += "0,alloc,x,serial0,64,\n0,free,x,,,\n";
  }
  for (int i = 0; i < 3000; ++i) trace += "1,alloc,y" + std::to_string(i) + ",serial1,64,\n";
  const Answer answer = simulate(kArtPi, trace, {"--no-smallest"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.json["trace"]["most_live"], 3000);
  EXPECT_EQ(answer.json["pools"][0]["granted"], 73000);
}

TEST(Simulate, MoreMayLiveThanSixteenBitsCount) {
  std::string trace = kHeader;
  for (int i = 0; i < 70000; ++i) trace += "0,alloc,y" + std::to_string(i) + ",,1,\n";
  TemporaryFolder folder;
  const Answer answer = simulate(folder.write("board.dts", board_with(0x20000000)), trace);
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.json["trace"]["most_live"], 70000);
  EXPECT_EQ(answer.json["pools"][0]["smallest"]["size"], "0x11170000");
}

TEST(Simulate, EveryPresetIsATraceThatALargePoolServes) {
  TemporaryFolder folder;
  const std::string board = folder.write("board.dts", board_with(0x8000000));
  for (const std::string name : {"camera", "display", "ethernet", "uas", "wifi"}) {
    const Outcome run = carveout({"simulate", board, "--preset", name, "--json"});
    EXPECT_EQ(run.status, 0) << name << run.err;
    const Json json = Json::parse(run.out, nullptr, false);
    EXPECT_GT(json["trace"]["allocations"], 0) << name;
    EXPECT_EQ(json["trace"]["never_freed"], 0) << name;
  }
}

TEST(Simulate, APresetPrintedAsCsvIsTheSameTrace) {
  TemporaryFolder folder;
  const std::string board = folder.write("board.dts", board_with(0x1000000));
  const Outcome csv = carveout({"simulate", board, "--preset", "wifi", "--csv"});
  EXPECT_EQ(csv.status, 0) << csv.err;
  const Json again = simulate(board, csv.out).json;
  const Outcome run = carveout({"simulate", board, "--preset", "wifi", "--json"});
  EXPECT_EQ(again["pools"], Json::parse(run.out, nullptr, false)["pools"]);
}

TEST(Simulate, RefusesOptionsThatDoNotFit) {
  EXPECT_EQ(refusal({kPiBus}),
            "carveout: simulate: --trace FILE or --preset NAME is missing (carveout simulate "
            "--help)\n");
  EXPECT_EQ(refusal({kPiBus, "--trace", "x", "--preset", "wifi"}),
            "carveout: simulate: --trace and --preset exclude each other (carveout simulate "
            "--help)\n");
  EXPECT_EQ(refusal({kPiBus, "--preset", "tv"}),
            "carveout: simulate: --preset does not know 'tv' (camera, display, ethernet, uas, "
            "wifi)\n");
  EXPECT_EQ(refusal({kPiBus, "--preset", "wifi", "--name", "x"}),
            "carveout: simulate: --name 'x' is no pair (DEVICE=NODE)\n");
  EXPECT_EQ(refusal({kPiBus, "--preset", "wifi", "--csv", "--json"}),
            "carveout: simulate: --csv and --json exclude each other (carveout simulate --help)\n");
  EXPECT_EQ(refusal({"-", "--trace", "-"}),
            "carveout: simulate: standard input is named twice, and can be read once (-)\n");
}

TEST(Simulate, NamesTheLineOfADeviceThatIsNotThere) {
  EXPECT_EQ(refusal({kPiBus, "--trace", "-"}, kHeader + "0,alloc,a,,1,\n0,alloc,b,gpu,1,\n"),
            "carveout: trees/pi-bus.dts: has no node 'gpu' (-, line 3)\n");
  EXPECT_EQ(refusal({kPiBus, "--trace", "-"}, kHeader),
            "carveout: -: has no event to replay (simulate)\n");
}

TEST(Simulate, AKernelsNameOfADeviceIsItsNode) {
  const auto device = [](const std::string& name) {
    return simulate(kPiBus, "x-1 [000] 1.0: dma_alloc: " + name +
                                " dma_addr=1000 size=64 virt_addr=1 flags=GFP_KERNEL attrs=\n")
        .json["trace"]["devices"][0];
  };
  EXPECT_EQ(device("7e201000.serial"), "/soc/serial@7e201000");
  EXPECT_EQ(device("3f201000.serial"), "/soc/serial@7e201000");  // as the CPU's bus has it
  EXPECT_EQ(device("soc:mmc"), "/soc/mmc@7e202000");
}

}  // namespace
}  // namespace carveout::test
