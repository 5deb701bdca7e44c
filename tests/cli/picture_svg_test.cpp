// What is written: markup that no name of a tree gets out of.
#include <gtest/gtest.h>

#include <cstdlib>
#include <regex>
#include <set>
#include <string>

#include "input.hpp"
#include "picture/about.hpp"
#include "picture/html.hpp"
#include "picture/layout.hpp"
#include "picture/markup.hpp"
#include "picture/svg.hpp"
#include "picture_scenes.hpp"
#include "program.hpp"

namespace carveout::test {
namespace {

using namespace cli::picture;

/// Whether xmllint takes it for XML.
bool is_well_formed(const std::string& xml) {
  const TemporaryFolder folder;
  const std::string file = folder.write("picture.svg", xml);
  return std::system(("xmllint --nonet --noout '" + file + "' 2>/dev/null").c_str()) == 0;
}

const std::string kHostile =
    "<script>alert(1)</script>&amp;\"' onload=\"x\" ]]> --> \x01\x1b\x7f \xff\xc3 \xef\xbf\xbe "
    "\xed\xa0\x80 \xe2\x80\xae" +
    std::string(300, '<');

Scene hostile_scene() {
  Scene scene = random_scene(3, 20, 3);
  scene.title = scene.subtitle = kHostile;
  for (Place& place : scene.places) place.name = place.path = place.remark = kHostile;
  for (View& view : scene.views) view.buses = kHostile;
  for (Memory& memory : scene.memory) memory.path = kHostile;
  for (Asker& asker : scene.askers) {
    asker.name = asker.path = asker.remark = kHostile;
    for (Use& use : asker.uses) use.name = use.role = use.trouble = kHostile;
  }
  return scene;
}

TEST(PictureMarkup, EscapesWhatIsMarkupAndWhatIsNoCharacter) {
  EXPECT_EQ(escaped("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
  EXPECT_EQ(escaped("\x01\t\n"), "\\x01\\x09\\x0a");
  EXPECT_EQ(escaped("\xff"), "\xef\xbf\xbd");
  EXPECT_EQ(escaped("\xef\xbf\xbe\xef\xbf\xbf"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(escaped("\xc3\xa4"), "\xc3\xa4");
}

TEST(PictureSvg, IsWellFormedWhateverThingsAreCalled) {
  const Scene scene = hostile_scene();
  const std::string svg = svg_of(scene, layout_of(scene));
  EXPECT_TRUE(is_well_formed(svg));
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  // xmllint is there, and says no.
  EXPECT_FALSE(is_well_formed("<svg><g></svg>"));
}

TEST(PictureSvg, HasOneElementForEachPlaceConnectionAndAsker) {
  const Scene scene = random_scene(9, 50, 2);
  const std::string svg = svg_of(scene, layout_of(scene));
  for (std::size_t i = 0; i < scene.places.size(); ++i) {
    const std::string mark = "class=\"place\" data-ids=\"p" + std::to_string(i) + "\"";
    EXPECT_NE(svg.find(mark), std::string::npos) << mark;
  }
  for (std::size_t i = 0; i < scene.askers.size(); ++i) {
    const std::string mark = "class=\"asker\" data-ids=\"a" + std::to_string(i) + "\"";
    EXPECT_NE(svg.find(mark), std::string::npos) << mark;
  }
}

TEST(PictureSvg, SaysInWordsWhatItShows) {
  const Scene scene = random_scene(2, 5, 1);
  const std::string svg = svg_of(scene, layout_of(scene));
  EXPECT_NE(svg.find("role=\"img\""), std::string::npos);
  EXPECT_NE(svg.find("<title>Memory map of"), std::string::npos);
  EXPECT_NE(svg.find("<desc id=\"carveout-about\">2 ranges of memory, 5 reserved places"),
            std::string::npos);
}

TEST(PictureAbout, NamesWhatIsThereAndWhoIsNotServed) {
  const Scene scene = scene_of(cli::read_board(CARVEOUT_CLI_TESTS "/trees/refused-pools.dts", {}));
  const std::string words = about(scene);
  EXPECT_NE(words.find(" Memory: 256 MiB at 0x80000000."), std::string::npos) << words;
  EXPECT_NE(words.find("; firmware@8a000000, carveout no-map, 1 MiB at 0x8a000000"),
            std::string::npos)
      << words;
  EXPECT_NE(words.find(" Not served: display@1000 by frames@88000000, refused: overlaps;"),
            std::string::npos)
      << words;
}

TEST(PictureAbout, NamesADozenAndCountsTheRest) {
  const std::string words = about(random_scene(8, 100, 2));
  EXPECT_NE(words.find("; and 88 more."), std::string::npos) << words;
  EXPECT_LT(words.size(), 8000U);
}

TEST(PictureAbout, SaysWhatWasOverTime) {
  Scene scene = random_scene(2, 5, 1);
  scene.timeline = Timeline{.title = "trace.csv",
                            .length = "3 s",
                            .elsewhere = "refused at 1 s: no_pool",
                            .holders = {},
                            .pools = {{.name = "/reserved-memory/a",
                                       .state = "1 MiB of 2 MiB held",
                                       .cells = 1,
                                       .held = {},
                                       .most_used = {},
                                       .peak = Mark{1, "peak: 1 MiB at 1 s"},
                                       .refused = Mark{2, "first refused: 2 MiB at 2 s"}}},
                            .moments = {{"2 s, line 4", "first refused"}},
                            .shown = 0,
                            .data = {}};
  EXPECT_TRUE(about(scene).ends_with(
      " Over time: trace.csv, 3 s long; shown at 2 s, line 4: first refused. refused at 1 s: "
      "no_pool. Pools: /reserved-memory/a, 1 MiB of 2 MiB held, peak: 1 MiB at 1 s, first refused: "
      "2 MiB at 2 s."))
      << about(scene);
}

TEST(PictureSvg, HasALightColourForEachElementThatHasADarkOne) {
  const Scene scene = random_scene(1, 100, 3);
  const std::string svg = svg_of(scene, layout_of(scene));
  // Every shape or text that the style sheet recolours has its own colour, too.
  const std::regex element{"<(rect|path|text) [^>]*class=\"[^\"]*\"[^>]*>"};
  const std::regex colour{"(fill|stroke)=\"(#|none|url)"};
  for (std::sregex_iterator it{svg.begin(), svg.end(), element}, end; it != end; ++it) {
    EXPECT_TRUE(std::regex_search(it->str(), colour)) << it->str();
  }
}

std::set<std::string> urls_in(const std::string& text) {
  std::set<std::string> urls;
  const std::regex url{"[a-z]+://[^\"' <)]*"};
  for (std::sregex_iterator it{text.begin(), text.end(), url}, end; it != end; ++it) {
    urls.insert(it->str());
  }
  return urls;
}

TEST(PicturePage, NeedsNothingFromOutside) {
  const Scene scene = hostile_scene();
  const std::string page = page_of("board", scene, layout_of(scene));
  EXPECT_EQ(urls_in(page), std::set<std::string>{"http://www.w3.org/2000/svg"});
  EXPECT_NE(page.find("default-src 'none'; script-src 'sha256-"), std::string::npos);
  const std::regex outside{
      "<(link|img|iframe|object|embed|base)|<script [^>]*src|@import|[^-]src="};
  EXPECT_FALSE(std::regex_search(page, outside));
}

TEST(PicturePage, HasNoMarkupOfATree) {
  const Scene scene = hostile_scene();
  const std::string page = page_of("board", scene, layout_of(scene));
  EXPECT_EQ(page.find("alert(1)</script>"), std::string::npos);
  std::size_t scripts = 0;
  for (std::size_t at = page.find("<script"); at != std::string::npos;
       at = page.find("<script", at + 1)) {
    ++scripts;
  }
  EXPECT_EQ(scripts, 1U);
}

TEST(PicturePage, SaysOfEachDeviceThroughWhichViewItLooks) {
  Scene scene;
  scene.views.push_back({.buses = "/soc", .windows = {}});
  scene.askers.push_back(
      {.path = "/soc/a", .name = "a", .remark = "coherent", .view = 0, .uses = {}});
  scene.askers.push_back(
      {.path = "/b", .name = "b", .remark = "coherent", .view = std::nullopt, .uses = {}});
  const std::string page = page_of("board", scene, layout_of(scene));
  EXPECT_NE(page.find("<td>/soc/a</td><td>coherent</td><td>A: /soc</td>"), std::string::npos);
  EXPECT_NE(page.find("<td>/b</td><td>coherent</td><td>the CPU</td>"), std::string::npos);
}

TEST(PicturePage, HasAHeadingOverEachColumn) {
  const Scene scene = random_scene(4, 30, 2);
  EXPECT_EQ(page_of("board", scene, layout_of(scene)).find("<th scope=\"col\"></th>"),
            std::string::npos);
}

TEST(PicturePage, HasARowForEachPlaceAndEachUse) {
  const Scene scene = random_scene(4, 30, 2);
  const std::string page = page_of("board", scene, layout_of(scene));
  for (std::size_t i = 0; i < scene.places.size(); ++i) {
    const std::string row = "<tr tabindex=\"0\" data-ids=\"p" + std::to_string(i) + "\">";
    EXPECT_NE(page.find(row), std::string::npos) << row;
  }
  for (std::size_t i = 0; i < scene.askers.size(); ++i) {
    for (const Use& use : scene.askers[i].uses) {
      const std::string row = "<tr tabindex=\"0\" data-ids=\"a" + std::to_string(i) + " p" +
                              std::to_string(*use.place) + "\">";
      EXPECT_NE(page.find(row), std::string::npos) << row;
    }
  }
}

}  // namespace
}  // namespace carveout::test
