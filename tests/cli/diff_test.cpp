// `diff`: every kind of change is told, what changes nothing is not, and the way back is the
// mirror.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "command_line.hpp"
#include "program.hpp"
#include "refusal.hpp"

namespace carveout::test {
namespace {

using Json = nlohmann::ordered_json;

const std::string kBoard = R"(/dts-v1/;
/memreserve/ 0x80000000 0x1000;
/ {
  #address-cells = <1>; #size-cells = <1>;
  memory@80000000 { device_type = "memory"; reg = <0x80000000 0x40000000>; };
  reserved-memory {
    #address-cells = <1>; #size-cells = <1>; ranges;
    frames: frames@90000000 { compatible = "shared-dma-pool"; no-map; reg = <0x90000000 0x100000>; };
    rings: rings@91000000 { compatible = "shared-dma-pool"; no-map; reg = <0x91000000 0x10000>; };
    board@92000000 { compatible = "shared-dma-pool"; no-map; linux,dma-default;
      reg = <0x92000000 0x100000>; };
    spare { compatible = "shared-dma-pool"; reusable; size = <0x400000>; };
  };
  soc: soc {
    compatible = "simple-bus"; #address-cells = <1>; #size-cells = <1>; ranges;
    dma-ranges = <0x0 0x80000000 0x40000000>;
    camera: camera@1000 { reg = <0x1000 0x100>; memory-region = <&frames>; };
    display@2000 { reg = <0x2000 0x100>; dma-noncoherent; };
  };
  gpu@3000 { reg = <0x3000 0x100>; iommus = <&iommu>; };
  iommu: iommu@4000 { #iommu-cells = <0>; };
};
)";

/// kBoard with each first text replaced by the second.
std::string board_with(const std::vector<std::pair<std::string, std::string>>& edits) {
  std::string board = kBoard;
  for (const auto& [from, to] : edits) {
    const std::size_t at = board.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) board.replace(at, from.size(), to);
  }
  return board;
}

std::string run(const std::vector<std::string>& arguments) {
  return cli::parse(arguments)(cli::Terminal{.colour = false}).data;
}

Json diff_files(const std::string& before, const std::string& after) {
  return Json::parse(run({"diff", "--json", before, after}));
}

Json diff(const std::string& before, const std::string& after) {
  const TemporaryFolder folder;
  return diff_files(folder.write("old.dts", before), folder.write("new.dts", after));
}

Json changed(const std::vector<std::pair<std::string, std::string>>& edits) {
  return diff(kBoard, board_with(edits));
}

/// "regions /reserved-memory/x: place size", one for each entry, in the order of the output.
std::vector<std::string> summary(const Json& difference) {
  std::vector<std::string> lines;
  for (const std::string list : {"memory", "memreserve"}) {
    for (const std::string way : {"added", "removed"}) {
      if (!difference[list][way].empty()) lines.push_back(list + ": " + way);
    }
  }
  for (const std::string list : {"regions", "buses", "devices"}) {
    for (const Json& entry : difference[list]) {
      std::string line = list + " " + entry["node"].get<std::string>() + ":";
      if (entry["change"] != "changed") line += " " + entry["change"].get<std::string>();
      for (const Json& what : entry["what"]) line += " " + what.get<std::string>();
      lines.push_back(line);
    }
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(Diff, OfABoardWithItselfIsEmptyForAllTrees) {
  const std::filesystem::path trees = std::filesystem::path{CARVEOUT_CLI_TESTS} / "../trees";
  std::size_t count = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator{trees}) {
    if (file.path().extension() != ".dts") continue;
    try {
      EXPECT_EQ(summary(diff_files(file.path(), file.path())), Lines{}) << file.path();
      ++count;
    } catch (const cli::Refusal& refusal) {
      // A tree that `why` refuses as well, because its setup does or dtc cannot compile it.
      EXPECT_THROW(static_cast<void>(run({"why", file.path(), "--bus", "/", "--size", "1"})),
                   cli::Refusal)
          << refusal.what();
    }
  }
  EXPECT_GT(count, 100U);
}

/// The same with old and new exchanged.
Json mirrored(Json difference) {
  const auto exchange = [](Json& object, const char* one, const char* other) {
    const Json kept = object[one];
    object[one] = object[other];
    object[other] = kept;
  };
  exchange(difference, "old", "new");
  for (const char* list : {"memory", "memreserve"}) exchange(difference[list], "added", "removed");
  for (const char* list : {"regions", "buses", "devices"}) {
    for (Json& entry : difference[list]) {
      exchange(entry, "old", "new");
      if (entry["change"] != "changed") {
        entry["change"] = entry["change"] == "added" ? "removed" : "added";
      }
    }
  }
  return difference;
}

TEST(Diff, TheWayBackIsTheMirror) {
  const std::filesystem::path trees = std::filesystem::path{CARVEOUT_CLI_TESTS} / "../trees";
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator{trees}) {
    // dtc refuses a phandle that is there twice.
    if (file.path().extension() != ".dts" || file.path().filename() == "phandles.dts") continue;
    files.push_back(file.path());
  }
  std::ranges::sort(files);
  ASSERT_GT(files.size(), 50U);
  std::size_t different = 0;
  for (std::size_t i = 1; i < files.size(); ++i) {
    const Json forth = diff_files(files[i - 1], files[i]);
    EXPECT_EQ(diff_files(files[i], files[i - 1]), mirrored(forth)) << files[i - 1] << files[i];
    if (!summary(forth).empty()) ++different;
  }
  EXPECT_GT(different, 40U);
}

TEST(Diff, WhatChangesNothingForAnybodyIsNotTold) {
  EXPECT_EQ(summary(changed(
                {{"#iommu-cells = <0>", "compatible = \"arm,mmu-500\"; #iommu-cells = <0>"},
                 {"display@2000 {", "display@2000 { clocks = <1>;"},
                 {"camera: ", ""},
                 {"frames: frames@90000000 {", "frames: frames@90000000 { phandle = <77>;"}})),
            Lines{});
}

TEST(Diff, MemoryAndReservations) {
  EXPECT_EQ(summary(changed({{"reg = <0x80000000 0x40000000>", "reg = <0x80000000 0x50000000>"},
                             {"size = <0x400000>", "reg = <0xa0000000 0x400000>"}}))[0],
            "memory: added");
  EXPECT_EQ(summary(changed({{"0x80000000 0x1000;", "0x80000000 0x2000;"}})),
            (Lines{"memreserve: added", "memreserve: removed"}));
}

TEST(Diff, ARegionThatMovesTakesWhoUsesItAlong) {
  EXPECT_EQ(summary(changed({{"reg = <0x90000000 0x100000>", "reg = <0x90200000 0x100000>"}})),
            (Lines{"regions /reserved-memory/frames@90000000: place",
                   "devices /soc/camera@1000: pools"}));
}

TEST(Diff, ARegionThatNobodyUsesConcernsNobodyElse) {
  EXPECT_EQ(summary(changed({{"reg = <0x91000000 0x10000>", "reg = <0x91000000 0x20000>"}})),
            (Lines{"regions /reserved-memory/rings@91000000: size"}));
}

TEST(Diff, EveryAspectOfARegion) {
  const auto rings = [](const std::string& what) {
    return Lines{"regions /reserved-memory/rings@91000000: " + what};
  };
  const std::string head = "rings: rings@91000000 { compatible = \"shared-dma-pool\"; no-map;";
  EXPECT_EQ(summary(changed({{head, head + " status = \"disabled\";"}})), rings("enabled"));
  EXPECT_EQ(summary(changed({{head, "rings: rings@91000000 { no-map;"}})), rings("kind"));
  EXPECT_EQ(summary(changed({{head, "rings: rings@91000000 { compatible = \"shared-dma-pool\";"}})),
            rings("mapping"));
  EXPECT_EQ(summary(changed({{head,
                              "rings: rings@91000000 { compatible = \"shared-dma-pool\"; "
                              "reusable; linux,cma-default;"}}))[0],
            rings("kind mapping default")[0]);
  EXPECT_EQ(summary(changed({{"size = <0x400000>", "size = <0x800000>"}})),
            (Lines{"regions /reserved-memory/spare: place size"}));
  const Json spare = changed({{"size = <0x400000>", "size = <0x400000>; alignment = <0x1000>"}});
  EXPECT_EQ(summary(spare), (Lines{"regions /reserved-memory/spare: alignment"}));
  // Where a region has a place of its own, no alignment moves it.
  EXPECT_EQ(summary(changed({{head, head + " alignment = <0x1000>;"}})), Lines{});
  const std::string place = changed(
      {{"spare {", "spare { status = \"disabled\";"}})["regions"][0]["old"]["places"][0]["base"];
  EXPECT_EQ(summary(changed({{"size = <0x400000>", "reg = <" + place + " 0x400000>"}})),
            (Lines{"regions /reserved-memory/spare: placement"}));
}

TEST(Diff, EveryAspectOfADevice) {
  EXPECT_EQ(summary(changed({{"dma-noncoherent", "dma-coherent"}})),
            (Lines{"devices /soc/display@2000: coherent source"}));
  EXPECT_EQ(summary(changed({{"dma-noncoherent", "dma-noncoherent; status = \"disabled\""}})),
            (Lines{"devices /soc/display@2000: enabled"}));
  EXPECT_EQ(summary(changed({{"iommus = <&iommu>;", ""}})), (Lines{"devices /gpu@3000: iommu"}));
  EXPECT_EQ(
      summary(changed({{"memory-region = <&frames>", "memory-region = <&frames>, <&rings>"}})),
      (Lines{"devices /soc/camera@1000: pools"}));
  EXPECT_EQ(summary(changed({{"memory-region = <&frames>", "memory-region = <&rings>"}})),
            (Lines{"devices /soc/camera@1000: pools source"}));
  EXPECT_EQ(summary(changed({{"memory-region = <&frames>;", ""}})),
            (Lines{"devices /soc/camera@1000: pools source"}));
}

TEST(Diff, APoolThatServesNoMoreIsToldAtTheDeviceWhereverItStands) {
  const std::pair<std::string, std::string> second{"memory-region = <&frames>",
                                                   "memory-region = <&frames>, <&rings>"};
  const auto from_two_pools = [&](std::vector<std::pair<std::string, std::string>> edits) {
    edits.insert(edits.begin(), second);
    return diff(board_with({second}), board_with(edits));
  };
  // Another region lies over it, which takes both.
  const Json overlapped = from_two_pools({{"spare {",
                                           "over@91008000 { reg = <0x91008000 0x1000>; };"
                                           " spare {"}});
  EXPECT_EQ(summary(overlapped), (Lines{"regions /reserved-memory/over@91008000: added",
                                        "devices /soc/camera@1000: pools"}));
  const Json& pools = overlapped["devices"][0]["new"]["pools"];
  EXPECT_TRUE(pools[0]["failure"].is_null());
  EXPECT_EQ(pools[1]["failure"], "overlaps");
  // Its second chunk lies in no window.
  const Json unreached =
      from_two_pools({{"reg = <0x91000000 0x10000>",
                       "reg = <0x91000000 0x10000>, <0xd0000000 "
                       "0x10000>"},
                      {"reg = <0x80000000 0x40000000>", "reg = <0x80000000 0x60000000>"}});
  EXPECT_EQ(unreached["devices"][0]["new"]["pools"][1]["failure"], "not_in_window");
  EXPECT_EQ(unreached["devices"][0]["old"]["pools"][1]["dma"],
            unreached["devices"][0]["new"]["pools"][1]["dma"]);
}

TEST(Diff, APoolThatServesNoMoreHasItsErrorInTheText) {
  const TemporaryFolder folder;
  const std::string text =
      run({"diff", folder.write("old.dts", kBoard),
           folder.write("new.dts", board_with({{"spare {",
                                                "over@90008000 { reg = <0x90008000 "
                                                "0x1000>; }; spare {"}}))});
  EXPECT_TRUE(text.contains("changed /reserved-memory/frames@90000000: pool 0, refused: overlaps"))
      << text;
}

TEST(Diff, AWayToMemoryByInterconnectsConcernsTheDevice) {
  const std::string way =
      "interconnects = <&bus>; interconnect-names = \"dma-mem\"; reg = <0x5000 0x100>";
  const std::pair<std::string, std::string> bus{
      "gpu@3000",
      "bus: bus@6000 { #interconnect-cells = <0>; #address-cells = <1>; #size-cells = <1>;"
      " ranges; dma-ranges = <0x0 0x80000000 0x1000>; }; mixer@5000 { reg = <0x5000 0x100>; };"
      " gpu@3000"};
  EXPECT_EQ(summary(diff(
                board_with({bus}),
                board_with({bus, {"mixer@5000 { reg = <0x5000 0x100>", "mixer@5000 { " + way}}))),
            (Lines{"devices /mixer@5000: reach source"}));
}

TEST(Diff, ABusThatTranslatesOtherwiseConcernsAllOnIt) {
  EXPECT_EQ(
      summary(changed({{"dma-ranges = <0x0 0x80000000", "dma-ranges = <0x40000000 0x80000000"}})),
      (Lines{"buses /soc: reach", "devices /soc/camera@1000: reach pools",
             "devices /soc/display@2000: reach"}));
  EXPECT_EQ(summary(changed({{"dma-ranges = <0x0 0x80000000 0x40000000>;", "dma-ranges;"}})),
            (Lines{"buses /soc: reach", "devices /soc/camera@1000: reach pools",
                   "devices /soc/display@2000: reach"}));
}

TEST(Diff, TheDefaultPoolConcernsAllWithoutTheirOwn) {
  const Json difference = changed({{"linux,dma-default;", ""}});
  EXPECT_EQ(summary(difference),
            (Lines{"regions /reserved-memory/board@92000000: default", "buses /: source",
                   "buses /soc: source", "devices /gpu@3000: source",
                   "devices /soc/display@2000: source"}));
  EXPECT_EQ(difference["buses"][0]["old"]["source"]["role"], "default");
  EXPECT_EQ(difference["buses"][0]["old"]["source"]["pool"], "/reserved-memory/board@92000000");
}

TEST(Diff, ANodeOfAnotherNameIsAnotherNodeAndItsLabelIsTold) {
  const auto with_symbol = [](const std::string& name, const std::string& address) {
    return board_with(
        {{"camera@1000 { reg = <0x1000", name + "@" + address + " { reg = <0x" + address},
         {"soc: soc {",
          "__symbols__ { camera = \"/soc/" + name + "@" + address + "\"; };\n  soc: soc {"}});
  };
  const Json devices =
      diff(with_symbol("camera", "1000"), with_symbol("sensor", "1800"))["devices"];
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices[0]["change"], "removed");
  EXPECT_EQ(devices[0]["counterpart"]["node"], "/soc/sensor@1800");
  EXPECT_EQ(devices[0]["counterpart"]["by"], "label");
  EXPECT_EQ(devices[1]["counterpart"]["node"], "/soc/camera@1000");
}

TEST(Diff, WithoutLabelsTheUnitAddressTiesAndNothingElse) {
  const Json same = changed({{"camera@1000", "sensor@1000"}})["devices"];
  EXPECT_EQ(same[0]["counterpart"]["by"], "unit_address");
  EXPECT_EQ(same[1]["counterpart"]["node"], "/soc/camera@1000");
  const Json other = changed({{"camera@1000", "sensor@1800"}})["devices"];
  EXPECT_EQ(other.size(), 2U);
  for (const Json& entry : other) {
    EXPECT_TRUE(entry["counterpart"].is_null());
  }
}

TEST(Diff, WhatStandsBelowARenamedBusIsTiedByItsName) {
  const Json devices = changed({{"soc: soc {", "soc: soc@0 {"}})["devices"];
  ASSERT_EQ(devices.size(), 4U);
  EXPECT_EQ(devices[0]["node"], "/soc/camera@1000");
  EXPECT_EQ(devices[0]["counterpart"]["node"], "/soc@0/camera@1000");
  EXPECT_EQ(devices[0]["counterpart"]["by"], "name");
  // Two that are called so are nobody's counterpart.
  const Json twice = changed({{"soc: soc {", "soc: soc@0 {"},
                              {"gpu@3000 { reg",
                               "bus@5000 { #address-cells = <1>; #size-cells = <1>; ranges;"
                               " display@2000 { reg = <0x2000 0x100>; dma-coherent; }; };"
                               " gpu@3000 { reg"}})["devices"];
  for (const Json& entry : twice) {
    const bool is_camera = std::string{entry["node"]}.contains("camera");
    EXPECT_EQ(entry["counterpart"].is_null(), !is_camera) << entry["node"];
  }
}

TEST(Diff, AnOverlayOnStandardInputsBoardIsReadOnce) {
  const TemporaryFolder folder;
  const std::string overlay = "trees/overlay.dtso";
  const std::string board = compiled("overlay-base.dts", {"-@"});
  const Outcome run = carveout({"diff", "-", "-o", overlay, "--json"}, {.input = board});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(summary(Json::parse(run.out)), (Lines{"regions /reserved-memory/frames@88000000: added",
                                                  "devices /camera@1000: pools source"}));
}

TEST(Diff, RefusesWhatIsNotTwoBoards) {
  const auto refusal = [](const std::vector<std::string>& arguments) -> std::string {
    try {
      static_cast<void>(run(arguments));
    } catch (const cli::Refusal& line) {
      return line.what();
    }
    return "";
  };
  EXPECT_EQ(refusal({"diff", "a.dtb"}),
            "carveout: diff: there is one board, and nothing to compare it with (NEW, or -o DTBO)");
  EXPECT_EQ(refusal({"diff", "a.dtb", "b.dtb", "-o", "c.dtbo"}),
            "carveout: diff: NEW and -o exclude each other: the overlays make the new board of OLD "
            "(carveout diff --help)");
  EXPECT_EQ(refusal({"diff", "-", "-"}),
            "carveout: diff: standard input is named twice, and can be read once (-)");
  EXPECT_EQ(carveout({"diff", "trees/pi-bus.dts", "no-such.dtb"}).status, 2);
}

TEST(Diff, NamesThatWouldMoveTheCursorAreEscaped) {
  const TemporaryFolder folder;
  std::string blob = compiled("own-pools.dts");
  const std::size_t at = blob.find("camera@2000");
  ASSERT_NE(at, std::string::npos);
  blob.replace(at, 6, "ca\x1b[1m");
  const Outcome run = carveout({"diff", "trees/own-pools.dts", folder.write("new.dtb", blob)});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.out.find('\x1b'), std::string::npos);
  EXPECT_NE(run.out.find("/soc/ca\\x1b[1m@2000"), std::string::npos) << run.out;
}

void collect_keys(const Json& json, std::vector<std::string>& keys) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) keys.push_back(key);
  }
  for (const Json& value : json) {
    if (value.is_structured()) collect_keys(value, keys);
  }
}

TEST(Diff, EveryKeyAndWordOfTheJsonIsInTheDocument) {
  const std::string document = contents(std::string{CARVEOUT_DOCS} + "/diff.md");
  std::vector<std::string> keys;
  collect_keys(changed({{"camera@1000", "sensor@1000"},
                        {"0x80000000 0x1000;", "0x80000000 0x2000;"},
                        {"reg = <0x91000000 0x10000>", "reg = <0x91000000 0x20000>"}}),
               keys);
  for (const std::string word :
       {"enabled", "kind", "place", "size", "placement", "mapping", "default", "coherent", "iommu",
        "reach", "pools", "source", "label", "unit_address", "added", "removed", "changed"}) {
    keys.push_back(word);
  }
  EXPECT_GT(keys.size(), 40U);
  for (const std::string& key : keys) {
    EXPECT_NE(document.find("`" + key + "`"), std::string::npos) << key;
  }
}

}  // namespace
}  // namespace carveout::test
