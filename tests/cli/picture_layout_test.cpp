// Where things of a picture go.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "picture/layout.hpp"
#include "picture/words.hpp"
#include "picture_scenes.hpp"

namespace carveout::test {
namespace {

using namespace cli::picture;

bool overlap(const Box& a, const Box& b) {
  return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

/// Holds a picture's labels against each other, and against its edges.
void expect_readable(const Layout& layout) {
  std::vector<const Label*> labels = labels_of(layout);
  std::ranges::sort(labels, {}, [](const Label* each) { return each->box.y; });
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const Box& box = labels[i]->box;
    EXPECT_GE(box.x, 0) << labels[i]->text;
    EXPECT_GE(box.y, 0) << labels[i]->text;
    EXPECT_LE(box.right(), layout.width) << labels[i]->text;
    EXPECT_LE(box.bottom(), layout.height) << labels[i]->text;
    EXPECT_GE(box.width, width_of(labels[i]->font, labels[i]->text)) << labels[i]->text;
    for (std::size_t j = i + 1; j < labels.size() && labels[j]->box.y < box.bottom(); ++j) {
      EXPECT_FALSE(overlap(box, labels[j]->box)) << labels[i]->text << " | " << labels[j]->text;
    }
  }
}

class LayoutOf : public testing::TestWithParam<std::size_t> {};

TEST_P(LayoutOf, ManyRegionsHasNoLabelOverAnotherAndNoneOutside) {
  for (unsigned seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(seed);
    const Scene scene = random_scene(seed, GetParam(), seed % 9);
    const Layout layout = layout_of(scene);
    EXPECT_EQ(layout.rows.size(), scene.places.size());
    EXPECT_EQ(layout.askers.size(), scene.askers.size());
    expect_readable(layout);
  }
}

INSTANTIATE_TEST_SUITE_P(Picture, LayoutOf, testing::Values(1, 20, 100, 300),
                         testing::PrintToStringParamName());

TEST(PictureLayout, OfABoardThatStatesNothingIsReadable) {
  const Layout layout = layout_of(Scene{});
  expect_readable(layout);
  EXPECT_TRUE(layout.rows.empty());
}

/// What a view sees of a byte, asked of its windows one by one.
std::optional<std::uint64_t> seen(const View& view, std::uint64_t byte) {
  for (const Window& window : view.windows) {
    const std::uint64_t offset = byte - window.cpu.raw();
    if (byte >= window.cpu.raw() && offset < window.size_bytes) return window.dma.raw() + offset;
  }
  return std::nullopt;
}

TEST(PictureLayout, HatchesExactlyTheMemoryThatNoWindowShows) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    const Scene scene = random_scene(seed, 40, 4);
    const Layout layout = layout_of(scene);
    // The bytes around everything that begins or ends.
    std::vector<std::uint64_t> bytes;
    const auto around = [&](PhysRange range) {
      for (const std::uint64_t edge : {range.base.raw(), range.last().raw()}) {
        for (const std::uint64_t byte : {edge - 1, edge, edge + 1}) bytes.push_back(byte);
      }
    };
    for (const Memory& memory : scene.memory) around(memory.range);
    for (const Place& place : scene.places) {
      if (place.range) around(*place.range);
    }
    for (const View& view : scene.views) {
      for (const Window& window : view.windows) around(window.cpu_range());
    }
    ASSERT_EQ(layout.strips.size(), scene.views.size());
    for (const Strip& strip : layout.strips) {
      for (const std::uint64_t byte : bytes) {
        const auto holds = [&](PhysRange range) { return range.contains(PhysAddr{byte}); };
        const bool is_there = std::ranges::any_of(scene.memory, holds, &Memory::range) ||
                              std::ranges::any_of(scene.places, [&](const Place& place) {
                                return place.range && holds(*place.range);
                              });
        const auto piece = std::ranges::find_if(strip.pieces, holds, &Piece::range);
        ASSERT_EQ(piece != strip.pieces.end(), is_there) << std::hex << byte;
        if (!is_there) continue;
        const auto dma = seen(scene.views[strip.view], byte);
        ASSERT_EQ(piece->dma.has_value(), dma.has_value()) << std::hex << byte;
        if (dma) {
          EXPECT_EQ(piece->dma->raw() + (byte - piece->range.base.raw()), *dma);
        }
      }
    }
  }
}

TEST(PictureLayout, DrawsAPieceBesideTheMemoryThatItIs) {
  Scene scene;
  scene.memory.push_back({"/memory", {PhysAddr{0x8000'0000}, 0x400'0000}});
  scene.views.push_back(
      {.buses = "/soc", .windows = {{DmaAddr{0}, PhysAddr{0x8100'0000}, 0x100'0000}}});
  const Layout layout = layout_of(scene);
  const Strip& strip = layout.strips.at(0);
  ASSERT_EQ(strip.pieces.size(), 3U);
  EXPECT_EQ(strip.pieces[0].box.y, layout.memory.at(0).y);
  EXPECT_FALSE(strip.pieces[0].dma);
  EXPECT_EQ(strip.pieces[1].dma, DmaAddr{0});
  EXPECT_FALSE(strip.pieces[2].dma);
  EXPECT_EQ(strip.pieces[2].box.bottom(), layout.memory[0].bottom());
  ASSERT_EQ(strip.addresses.size(), 1U);
  EXPECT_EQ(strip.addresses[0].text, "0x0");
}

TEST(PictureLayout, WritesADeviceAddressWhereItIsNotTheCpus) {
  Scene scene;
  Place place;
  place.name = "pool@80000000";
  place.range = PhysRange{PhysAddr{0x8000'0000}, 0x1000};
  place.size_bytes = 0x1000;
  scene.places.push_back(place);
  Asker asker;
  asker.name = "device";
  asker.uses.push_back(
      {.place = 0, .name = place.name, .role = "0", .dma = DmaAddr{0x8000'0000}, .trouble = {}});
  asker.uses.push_back(
      {.place = 0, .name = place.name, .role = "rx", .dma = DmaAddr{0x40}, .trouble = {}});
  asker.uses.push_back(
      {.place = 0, .name = place.name, .role = "0", .dma = {}, .trouble = "NOT REACHED"});
  scene.askers.push_back(asker);
  const Layout layout = layout_of(scene);
  const auto texts = [&](std::size_t use) {
    std::vector<std::string> result;
    for (const Label& word : layout.askers.at(0).uses.at(use).words) result.push_back(word.text);
    return result;
  };
  EXPECT_EQ(texts(0), (std::vector<std::string>{"pool@80000000"}));
  EXPECT_EQ(texts(1), (std::vector<std::string>{"rx: pool@80000000", "at 0x40"}));
  EXPECT_EQ(texts(2), (std::vector<std::string>{"pool@80000000", "NOT REACHED"}));
}

TEST(PictureLayout, ConnectsEachUseToTheRowOfItsPlace) {
  const Scene scene = random_scene(5, 60, 2);
  const Layout layout = layout_of(scene);
  std::size_t uses = 0;
  for (const Asker& asker : scene.askers) uses += asker.uses.size();
  ASSERT_EQ(layout.connectors.size(), uses);
  for (const Connector& link : layout.connectors) {
    const Use& use = scene.askers[link.asker].uses[link.use];
    EXPECT_EQ(link.place, use.place);
    const Box& row = layout.rows[link.place].row;
    EXPECT_EQ(link.from.x, row.right());
    EXPECT_TRUE(link.from.y > row.y && link.from.y < row.bottom());
    const auto box = std::ranges::find(layout.askers, link.asker, &AskerBox::asker);
    const Box& to = box->uses.at(link.use).box;
    EXPECT_EQ(link.to.x, to.x);
    EXPECT_TRUE(link.to.y > to.y && link.to.y < to.bottom());
  }
}

TEST(PictureLayout, PutsPlacesThatOverlapBesideEachOther) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Scene scene = random_scene(seed, 60, 0);
    const Layout layout = layout_of(scene);
    for (const Row& a : layout.rows) {
      for (const Row& b : layout.rows) {
        if (a.place >= b.place || !a.bar || !b.bar) continue;
        EXPECT_FALSE(overlap(*a.bar, *b.bar)) << a.place << " " << b.place;
      }
    }
  }
}

TEST(PictureWords, AreCutToTheirColumns) {
  EXPECT_EQ(fitted("linux,cma", 9), "linux,cma");
  EXPECT_EQ(fitted("linux,cma@1", 9), "linux,...");
  EXPECT_EQ(fitted("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 4), "\xc3\xa4...");
  EXPECT_EQ(fitted("\x1b", 4), "\\x1b");
}

TEST(PictureWords, OfANameKeepWhatTellsItFromOthers) {
  EXPECT_EQ(fitted_name("linux,cma", 9), "linux,cma");
  EXPECT_EQ(fitted_name("buffer@90000000", 11), "buff...0000");
  EXPECT_NE(fitted_name("a-rather-long-name-of-a-buffer@90000000", 32),
            fitted_name("a-rather-long-name-of-a-buffer@91000000", 32));
  EXPECT_EQ(fitted_name("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xb6\xc3\xb6\xc3\xb6", 5),
            "\xc3\xa4...\xc3\xb6");
}

TEST(PictureWords, SayASizeInTenColumns) {
  EXPECT_EQ(short_size(0), "0 bytes");
  EXPECT_EQ(short_size(5000), "5000 bytes");
  EXPECT_EQ(short_size(524008 * 1024), "~511 MiB");
  EXPECT_EQ(short_size(1254912), "~1.19 MiB");
  EXPECT_EQ(short_size(~std::uint64_t{0}), "~15.9 EiB");
  for (unsigned shift = 0; shift < 64; ++shift) {
    EXPECT_LE(short_size((std::uint64_t{1} << shift) + 1).size(), 10U);
    EXPECT_LE(short_size((std::uint64_t{1} << shift) - 1).size(), 10U);
  }
}

}  // namespace
}  // namespace carveout::test
