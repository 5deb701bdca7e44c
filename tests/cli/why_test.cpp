// `why`: the shape of its answer, what names a device, and each verdict.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "program.hpp"

namespace carveout::test {
namespace {

using Json = nlohmann::ordered_json;

struct Answer {
  int status;
  Json json;
  std::string notes;
};

Answer why(const std::string& board, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"why", board, "--json"});
  const Outcome run = carveout(arguments);
  EXPECT_TRUE(run.status == 0 || run.status == 1) << run.err;
  return {run.status.value_or(-1), Json::parse(run.out, nullptr, false), run.err};
}

std::string refusal(const std::string& board, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"why", board, "--size", "4K"});
  const Outcome run = carveout(arguments);
  EXPECT_EQ(run.status, 2) << run.out;
  EXPECT_EQ(run.out, "");
  EXPECT_TRUE(is_refusal(run.err)) << run.err;
  return run.err;
}

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

const std::string kArtPi = "../../examples/boards/art-pi.dts";
const std::string kPiBus = "trees/pi-bus.dts";
const std::string kOwnPools = "trees/own-pools.dts";
const std::string kEverything = "trees/everything.dts";

TEST(Why, KeysAndTypesAreThoseOfTheSchema) {
  const Answer answer = why(kOwnPools, {"--device", "dsp", "--size", "8K", "--count", "4"});
  const Json& json = answer.json;
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys(json), (Keys{"schema", "request", "route", "blocks", "failure"}));
  EXPECT_EQ(json["schema"], "carveout.why/1");
  EXPECT_EQ(json["request"],
            Json::parse(R"({"device": "/soc/dsp@1000", "bus": null, "pool": null, "count": 4,
                            "size": "0x2000", "align": "0x1", "boundary": null,
                            "mask": "0xffffffffffffffff", "attributes": [],
                            "context": "may_wait"})"));
  EXPECT_EQ(keys(json["request"]), (Keys{"device", "bus", "pool", "count", "size", "align",
                                         "boundary", "mask", "attributes", "context"}));
  for (const Json& step : json["route"]) {
    EXPECT_EQ(keys(step), (Keys{"role", "pool", "verdict", "reason"}));
    EXPECT_FALSE(step["reason"].get<std::string>().empty());
  }
  for (const Json& block : json["blocks"]) {
    EXPECT_EQ(keys(block), (Keys{"pool", "phys", "dma", "size"}));
  }
  EXPECT_EQ(keys(json["failure"]),
            (Keys{"code", "message", "pool", "asked", "free", "largest_run"}));
}

TEST(Why, TheRequestIsToldAsItWasUnderstood) {
  const Answer answer =
      why(kOwnPools,
          {"--bus", "/soc", "--size", "1K", "--align", "64", "--boundary", "64K", "--mask", "32",
           "--attributes", "no_cpu_mapping,non_coherent", "--context", "must_not_wait"});
  EXPECT_EQ(answer.json["request"],
            Json::parse(R"({"device": null, "bus": "/soc", "pool": null, "count": 1,
                            "size": "0x400", "align": "0x40", "boundary": "0x10000",
                            "mask": "0xffffffff", "attributes": ["non_coherent", "no_cpu_mapping"],
                            "context": "must_not_wait"})"));
  EXPECT_EQ(
      why(kOwnPools, {"--device", "dsp", "--size", "1", "--pool", "1"}).json["request"]["pool"], 1);
  EXPECT_EQ(
      why(kOwnPools, {"--device", "dsp", "--size", "1", "--pool", "rings"}).json["request"]["pool"],
      "rings");
}

TEST(Why, TheArtPisFirstRequestComesFromTheDefaultPool) {
  const Answer answer = why(kArtPi, {"--device", "serial0", "--size", "4096"});
  EXPECT_EQ(answer.status, 0);
  ASSERT_EQ(answer.json["route"].size(), 3U);
  EXPECT_EQ(answer.json["route"][0]["role"], "device");
  EXPECT_EQ(answer.json["route"][0]["verdict"], "skipped");
  EXPECT_EQ(answer.json["route"][1]["role"], "bounce");
  EXPECT_EQ(answer.json["route"][2]["role"], "default");
  EXPECT_EQ(answer.json["route"][2]["verdict"], "taken");
  EXPECT_EQ(answer.json["blocks"],
            Json::parse(R"([{"pool": "/reserved-memory/linux,cma", "phys": "0xc1f00000",
                             "dma": "0xc1f00000", "size": "0x1000"}])"));
  EXPECT_TRUE(answer.json["failure"].is_null());
}

TEST(Why, TheArtPisThirdRequestFindsThePoolExhausted) {
  const Answer answer = why(kArtPi, {"--device", "serial0", "--size", "400K", "--count", "3"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.json["blocks"].size(), 2U);
  EXPECT_EQ(answer.json["route"].back()["verdict"], "refused");
  const Json& failure = answer.json["failure"];
  EXPECT_EQ(failure["code"], "exhausted");
  EXPECT_EQ(failure["pool"], "/reserved-memory/linux,cma");
  EXPECT_EQ(failure["asked"], "0x64000");
  EXPECT_EQ(failure["free"], "0x38000");
  EXPECT_EQ(failure["largest_run"], "0x38000");
}

TEST(Why, AnExhaustedOwnPoolBarsEveryOther) {
  const Answer answer = why(kOwnPools, {"--device", "dsp", "--size", "8K", "--count", "4"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.json["blocks"].size(), 3U);
  for (const Json& step : answer.json["route"]) EXPECT_EQ(step["role"], "device");
  EXPECT_EQ(answer.json["failure"]["code"], "exhausted");
  const Outcome text =
      carveout({"why", kOwnPools, "--device", "dsp", "--size", "8K", "--count", "4"});
  EXPECT_NE(text.out.find("No other pool is tried: a device that has pools of its own"),
            std::string::npos);
}

TEST(Why, OnAPisBusPhysical1e000000IsDe000000) {
  const Answer answer = why(kPiBus, {"--device", "/soc/serial@7e201000", "--size", "4K"});
  EXPECT_EQ(answer.json["blocks"][0]["phys"], "0x1e000000");
  EXPECT_EQ(answer.json["blocks"][0]["dma"], "0xde000000");
}

TEST(Why, APoolOutsideTheWindowsIsRefusedWhenBound) {
  const Answer answer = why(kOwnPools, {"--device", "camera", "--size", "4K"});
  EXPECT_EQ(answer.status, 1);
  ASSERT_EQ(answer.json["route"].size(), 1U);
  EXPECT_EQ(answer.json["route"][0]["verdict"], "refused");
  EXPECT_EQ(answer.json["failure"]["code"], "not_in_window");
  EXPECT_TRUE(answer.json["failure"]["free"].is_null());
  EXPECT_NE(answer.notes.find("DMA027"), std::string::npos) << answer.notes;
  const Outcome text = carveout({"why", kOwnPools, "--device", "camera", "--size", "4K"});
  EXPECT_NE(text.out.find("DMA027 error /soc/camera@2000 memory-region:"), std::string::npos);
}

TEST(Why, APoolOverTheMaskIsUnreachable) {
  const Answer answer = why(kPiBus, {"--device", "serial0", "--size", "4K", "--mask", "31"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.json["route"][2]["verdict"], "refused");
  EXPECT_EQ(answer.json["failure"]["code"], "unreachable");
}

TEST(Why, ADisabledRegionBindsNothingAndThatIsSaid) {
  const Answer answer = why(kOwnPools, {"--device", "display", "--size", "4K"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.json["route"][0]["verdict"], "skipped");
  EXPECT_EQ(answer.json["blocks"][0]["pool"], "/reserved-memory/board@8e000000");
  EXPECT_NE(answer.notes.find("DMA022"), std::string::npos) << answer.notes;
}

TEST(Why, ADisabledDeviceIsAnsweredAndThatIsSaid) {
  const Answer answer = why(kPiBus, {"--device", "mmc", "--size", "4K"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_NE(answer.notes.find("/soc/mmc@7e202000 is disabled"), std::string::npos);
  EXPECT_NE(
      carveout({"why", kPiBus, "--device", "mmc", "--size", "4K"}).out.find("disabled in the tree"),
      std::string::npos);
}

TEST(Why, OrdinaryMemoryHasNoAddressOffline) {
  const Answer answer = why(kOwnPools, {"--device", "dma", "--size", "4K"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.json["route"].back()["role"], "ordinary");
  EXPECT_EQ(answer.json["blocks"],
            Json::parse(R"([{"pool": null, "phys": null, "dma": null, "size": "0x1000"}])"));
}

TEST(Why, OrdinaryMemoryIsNoLargerThanTheTreeSays) {
  const Answer answer = why("trees/overlay-base.dts", {"--device", "camera", "--cpu-coherent",
                                                       "yes", "--size", "0xfffffffffffff000"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.json["failure"]["code"], "exhausted");
}

TEST(Why, WhatTheRequestStatesWronglyIsSaid) {
  const auto said = [](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"why", kArtPi, "--device", "serial0", "--size", "4K"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return carveout(arguments).out;
  };
  EXPECT_NE(said({"--align", "3"}).find("4 KiB asked, 3 bytes stated"), std::string::npos);
  EXPECT_NE(said({"--boundary", "2K"}).find("2 KiB stated"), std::string::npos);
  EXPECT_NE(said({"--pool", "7"}).find("index 7"), std::string::npos);
}

TEST(Why, BehindAnIommuOnlyTheDevicesOwnPoolHasADeviceAddress) {
  const Json own = why(kOwnPools, {"--device", "gpu", "--size", "4K"}).json["blocks"][0];
  EXPECT_EQ(own["dma"], "0x88010000");
  const Json other = why(kOwnPools, {"--device", "npu", "--size", "4K"}).json["blocks"][0];
  EXPECT_EQ(other["phys"], "0x8e000000");
  EXPECT_TRUE(other["dma"].is_null());
}

TEST(Why, AttributesThatNeedNoCoherentMemorySpendNone) {
  const Answer answer =
      why(kOwnPools, {"--device", "dsp", "--size", "4K", "--attributes", "non_coherent"});
  EXPECT_EQ(answer.json["route"].back()["role"], "ordinary");
}

TEST(Why, CpuCoherentIsTheAnswerWhereTheTreeIsSilent) {
  const auto role = [](const std::string& device, const std::string& coherent) {
    return why(kOwnPools, {"--device", device, "--size", "4K", "--cpu-coherent", coherent})
        .json["route"]
        .back()["role"];
  };
  EXPECT_EQ(role("display", "no"), "default");
  EXPECT_EQ(role("display", "yes"), "ordinary");
  EXPECT_EQ(role("dma", "no"), "ordinary") << "the tree says dma-coherent";
}

TEST(Why, WithoutAnUncachedViewContiguousMemoryServesNobody) {
  const std::vector<std::string> request{"--bus", "/", "--size", "4K"};
  std::vector<std::string> without = request;
  without.insert(without.end(), {"--uncached-view", "no"});
  const TemporaryFolder folder;
  const std::string board = folder.write("board.dts", R"(/dts-v1/;
/ {
  #address-cells = <1>;
  #size-cells = <1>;
  memory@80000000 { device_type = "memory"; reg = <0x80000000 0x10000000>; };
  reserved-memory {
    #address-cells = <1>;
    #size-cells = <1>;
    ranges;
    cma { compatible = "shared-dma-pool"; reusable; size = <0x400000>; linux,cma-default; };
  };
};
)");
  EXPECT_EQ(why(board, request).json["route"].back()["verdict"], "taken");
  const Answer answer = why(board, without);
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.json["route"].back()["verdict"], "skipped");
  EXPECT_EQ(answer.json["failure"]["code"], "no_pool");
}

TEST(Why, RequestsThatNoPoolIsAskedFor) {
  const auto code = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--device", "dsp"});
    const Answer answer = why(kOwnPools, arguments);
    EXPECT_EQ(answer.status, 1);
    return answer.json["failure"]["code"];
  };
  EXPECT_EQ(code({"--size", "0"}), "zero_size");
  EXPECT_EQ(code({"--size", "1", "--align", "3"}), "bad_alignment");
  EXPECT_EQ(code({"--size", "1", "--boundary", "5000"}), "bad_boundary");
  EXPECT_EQ(code({"--size", "8K", "--boundary", "4K"}), "crosses_boundary");
  EXPECT_EQ(code({"--size", "1", "--pool", "7"}), "unknown_pool");
  EXPECT_EQ(code({"--size", "1", "--pool", "scratch"}), "unknown_pool");
}

TEST(Why, ANamedPoolAloneIsAsked) {
  const Answer answer = why(kOwnPools, {"--device", "dsp", "--size", "12K", "--pool", "rings"});
  EXPECT_EQ(answer.status, 1);
  ASSERT_EQ(answer.json["route"].size(), 1U);
  EXPECT_EQ(answer.json["failure"]["pool"], "/reserved-memory/rings@88010000");
}

TEST(Why, ADeviceHasAPathAnAliasOrAUniqueLastPart) {
  const auto device = [](const std::string& name) {
    return why(kPiBus, {"--device", name, "--size", "4K"}).json["request"]["device"];
  };
  for (const std::string name :
       {"/soc/serial@7e201000", "/soc/serial", "serial0", "serial@7e201000", "serial"}) {
    EXPECT_EQ(device(name), "/soc/serial@7e201000") << name;
  }
  EXPECT_EQ(device("/"), "/");
}

TEST(Why, ANameThatIsNoNodeOrSeveral) {
  EXPECT_EQ(refusal(kPiBus, {"--device", "uart"}),
            "carveout: trees/pi-bus.dts: has no node 'uart' (--device)\n");
  EXPECT_EQ(refusal(kPiBus, {"--bus", "/soc/bus"}),
            "carveout: trees/pi-bus.dts: has no node '/soc/bus' (--bus)\n");
  EXPECT_EQ(refusal(kPiBus, {"--device", "nowhere"}),
            "carveout: trees/pi-bus.dts: the alias 'nowhere' leads to /soc/gone, which is no node "
            "(--device)\n");
  EXPECT_EQ(refusal(kArtPi, {"--device", "serial"}),
            "carveout: ../../examples/boards/art-pi.dts: has 2 nodes 'serial' "
            "(/soc/serial@40004800, /soc/serial@40004c00)\n");
}

TEST(Why, AnMcuHasTheGranuleOfACacheLine) {
  EXPECT_EQ(why(kArtPi, {"--device", "serial0", "--size", "1"}).json["blocks"][0]["size"], "0x20");
  EXPECT_EQ(why(kPiBus, {"--device", "serial0", "--size", "1"}).json["blocks"][0]["size"],
            "0x1000");
}

TEST(Why, OverlaysCount) {
  const Answer answer = why("trees/overlay-base.dts",
                            {"-o", "trees/overlay.dtso", "--device", "camera", "--size", "4K"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.json["blocks"][0]["pool"], "/reserved-memory/frames@88000000");
}

}  // namespace
}  // namespace carveout::test
