// The book alone, as a target has it: each mistake made once, and all but made; and its table.
#include "carveout/check/mapping_book.hpp"

#include <gtest/gtest.h>

#include <array>
#include <ostream>
#include <string>
#include <vector>

namespace carveout {
namespace {

using Bytes = MappingBook::Bytes;
using Entry = MappingBook::Entry;

constexpr std::uint32_t kEth = 7, kUsb = 9;
constexpr auto kTo = Direction::to_device;
constexpr auto kFrom = Direction::from_device;
constexpr auto kBoth = Direction::bidirectional;
constexpr std::uintptr_t kBase = 0x2000'0000;

constexpr Bytes at(std::size_t offset, std::size_t size_bytes) {
  return {kBase + offset, size_bytes};
}
/// The pointer that an allocation would have given.
const void* pointer(std::size_t offset) {
  static const std::array<std::byte, 64> bytes{};
  return bytes.data() + offset;
}

constexpr MappingBook::Forbidden kForbidden[] = {
    {at(0x1000, 0x400), Mistake::maps_stack},
    {at(0x2000, 0x400), Mistake::maps_text},
    {at(0x3000, 0x400), Mistake::maps_no_ram},
};

struct Told {
  Mistake mistake;
  Bytes bytes;
  bool has_entry;
  bool entry_lives;
};

struct Desk {
  explicit Desk(MappingBook::Errors errors = MappingBook::Errors::by_result)
      : book{table,
             {.callback =
                  [](void* to, const MappingBook::Report& report) {
                    static_cast<std::vector<Told>*>(to)->push_back(
                        {report.mistake, report.bytes, report.entry != nullptr,
                         report.entry != nullptr && report.entry->ended == 0});
                  },
              .context = &told,
              .line_bytes = 32,
              .errors = errors}} {
    book.forbid(kForbidden);
  }

  std::vector<Told> told;
  std::array<Entry, 12> table;
  MappingBook book;

  void map(Bytes bytes, Direction direction, std::uint32_t device = kEth) {
    book.map(bytes, {.device = device, .direction = direction});
  }
  void unmap(Bytes bytes, Direction direction, std::uint32_t device = kEth) {
    book.unmap(bytes, {.device = device, .direction = direction});
  }
  void sync_for_cpu(Bytes bytes, Direction direction) {
    book.sync_for_cpu(bytes, {.device = kEth, .direction = direction});
  }
  void sync_for_device(Bytes bytes, Direction direction) {
    book.sync_for_device(bytes, {.device = kEth, .direction = direction});
  }
  void alloc(Bytes bytes, const void* cpu = nullptr) {
    book.alloc(bytes, {.device = kEth, .cpu = cpu});
  }
  void free(Bytes bytes, const void* cpu = nullptr) {
    book.free(bytes, {.device = kEth, .cpu = cpu});
  }
  void detach(std::uint32_t device) { book.detach({.device = device}); }
};

constexpr Bytes kList[] = {at(0, 64), at(128, 64), at(256, 64)};
constexpr MappingBook::List kShort{kList, 2};
constexpr MappingBook::Call kCall{.device = kEth, .direction = kFrom, .where = {}};

struct Case {
  Mistake mistake;
  void (*wrong)(Desk&);
  void (*right)(Desk&);
  MappingBook::Errors errors = MappingBook::Errors::by_result;
};
void PrintTo(const Case& test, std::ostream* out) { *out << name_of(test.mistake); }

constexpr Case kCases[] = {
    {Mistake::partial_line, [](Desk& d) { d.map(at(0, 33), kFrom); },
     [](Desk& d) {
       d.map(at(0, 64), kFrom);
       d.map(at(101, 33), kTo);
     }},
    {Mistake::map_overlap,
     [](Desk& d) {
       d.map(at(0, 40), kTo);
       d.map(at(32, 32), kFrom, kUsb);
     },
     [](Desk& d) {
       d.map(at(0, 40), kTo);
       d.map(at(32, 32), kTo, kUsb);
       d.map(at(64, 32), kFrom);
       d.alloc(at(64, 32));
       d.book.map_resource(at(64, 32), kCall);
     }},
    {Mistake::too_many_overlaps,
     [](Desk& d) {
       for (std::size_t i = 0; i < 9; ++i) d.map(at(i, 40), kTo);
     },
     [](Desk& d) {
       for (std::size_t i = 0; i < 8; ++i) d.map(at(32 * i, 8), kTo);
       d.map(at(0, 256), kTo);
     }},
    {Mistake::maps_stack, [](Desk& d) { d.map(at(0x13ff, 1), kTo); },
     [](Desk& d) {
       d.map(at(0x1400, 1), kTo);
       d.map(at(0xfff, 1), kTo);
     }},
    {Mistake::maps_text, [](Desk& d) { d.map(at(0x1fff, 2), kTo); },
     [](Desk& d) { d.map(at(0x1fff, 1), kTo); }},
    {Mistake::maps_no_ram, [](Desk& d) { d.map(at(0x2ff0, 0x1000), kTo); },
     [](Desk& d) { d.book.map_resource(at(0x3000, 4), kCall); }},
    {Mistake::unmap_unknown,
     [](Desk& d) {
       d.map(at(0, 64), kTo, kUsb);
       d.unmap(at(0, 64), kTo);
     },
     [](Desk& d) {
       d.map(at(0, 64), kTo);
       d.unmap(at(0, 64), kTo);
     }},
    {Mistake::double_unmap,
     [](Desk& d) {
       d.map(at(0, 64), kTo);
       d.unmap(at(0, 64), kTo);
       d.unmap(at(0, 64), kTo);
     },
     [](Desk& d) {
       for (int i = 0; i < 40; ++i) {
         d.map(at(0, 64), kTo);
         d.unmap(at(0, 64), kTo);
       }
     }},
    {Mistake::failed_mapping_used,
     [](Desk& d) {
       d.book.map_failed(at(0, 64), kCall);
       d.sync_for_cpu(at(0, 64), kFrom);
     },
     [](Desk& d) {
       d.map(at(0, 64), kTo, kUsb);
       d.book.map_failed(at(0, 64), kCall);
       d.unmap(at(0, 64), kTo, kUsb);
     }},
    {Mistake::wrong_function,
     [](Desk& d) {
       d.alloc(at(0, 64));
       d.unmap(at(0, 64), kBoth);
     },
     [](Desk& d) {
       d.alloc(at(0, 64));
       d.map(at(0, 64), kBoth);
       d.free(at(0, 64));
       d.unmap(at(0, 64), kBoth);
     }},
    {Mistake::wrong_size_at_unmap,
     [](Desk& d) {
       d.map(at(0, 64), kTo);
       d.unmap(at(0, 32), kTo);
     },
     [](Desk& d) {
       d.map(at(0, 64), kTo);
       d.map(at(0, 32), kTo);
       d.unmap(at(0, 64), kTo);
       d.unmap(at(0, 32), kTo);
     }},
    {Mistake::wrong_count_at_unmap,
     [](Desk& d) {
       d.book.map_list(kList, kCall);
       d.book.unmap_list(kShort, kCall);
       d.detach(kEth);
     },
     [](Desk& d) {
       d.book.map_list(kList, kCall);
       d.book.unmap_list(kList, kCall);
       d.detach(kEth);
     }},
    {Mistake::wrong_direction_at_unmap,
     [](Desk& d) {
       d.map(at(0, 64), kFrom);
       d.unmap(at(0, 64), kTo);
     },
     [](Desk& d) {
       d.map(at(0, 64), kTo);
       d.map(at(0, 64), kTo, kUsb);
       d.unmap(at(0, 64), kTo);
     }},
    {Mistake::unchecked_mapping,
     [](Desk& d) {
       d.map(at(0, 64), kFrom);
       d.unmap(at(0, 64), kFrom);
     },
     [](Desk& d) {
       d.map(at(0, 64), kFrom);
       d.book.mapping_error(at(0, 64), kCall);
       d.unmap(at(0, 64), kFrom);
       // Twice the same bytes, each looked at.
       for (int i = 0; i < 2; ++i) {
         d.map(at(0, 64), kTo);
         d.book.mapping_error(at(0, 64), kCall);
       }
       for (int i = 0; i < 2; ++i) d.unmap(at(0, 64), kTo);
       d.book.map_list(kList, kCall);
       d.book.unmap_list(kList, kCall);
       d.alloc(at(0, 64));
       d.free(at(0, 64));
     },
     MappingBook::Errors::by_mapping_error},
    {Mistake::sync_unknown,
     [](Desk& d) {
       d.map(at(0, 64), kFrom);
       d.sync_for_cpu(at(64, 1), kFrom);
     },
     [](Desk& d) {
       d.map(at(0, 64), kFrom);
       d.sync_for_cpu(at(63, 1), kFrom);
     }},
    {Mistake::sync_outside_range,
     [](Desk& d) {
       d.map(at(0, 64), kFrom);
       d.sync_for_cpu(at(32, 33), kFrom);
     },
     [](Desk& d) {
       d.map(at(0, 64), kFrom);
       d.sync_for_cpu(at(32, 32), kFrom);
     }},
    {Mistake::sync_for_cpu_of_to_device,
     [](Desk& d) {
       d.map(at(0, 64), kTo);
       d.sync_for_cpu(at(0, 64), kBoth);
     },
     [](Desk& d) {
       d.map(at(0, 64), kTo);
       d.sync_for_cpu(at(0, 64), kTo);
     }},
    {Mistake::sync_for_device_of_from_device,
     [](Desk& d) {
       d.map(at(0, 64), kFrom);
       d.sync_for_device(at(0, 64), kBoth);
     },
     [](Desk& d) {
       d.map(at(0, 64), kFrom);
       d.sync_for_device(at(0, 64), kFrom);
     }},
    {Mistake::wrong_direction_at_sync,
     [](Desk& d) {
       d.map(at(0, 64), kBoth);
       d.sync_for_device(at(0, 64), kFrom);
     },
     [](Desk& d) {
       d.map(at(0, 64), kBoth);
       d.sync_for_device(at(0, 64), kBoth);
     }},
    {Mistake::wrong_count_at_sync,
     [](Desk& d) {
       d.book.map_list(kList, kCall);
       d.book.sync_list_for_device(kShort, kCall);
     },
     [](Desk& d) {
       d.book.map_list(kList, kCall);
       d.book.sync_list_for_cpu(kList, kCall);
       d.book.sync_list_for_device(kList, kCall);
     }},
    {Mistake::free_unknown,
     [](Desk& d) {
       d.alloc(at(0, 64));
       d.free(at(32, 32));
     },
     [](Desk& d) {
       d.alloc(at(0, 64));
       d.free(at(0, 64));
     }},
    {Mistake::double_free,
     [](Desk& d) {
       d.alloc(at(0, 64));
       d.free(at(0, 64));
       d.free(at(0, 64));
     },
     [](Desk& d) {
       d.alloc(at(0, 64));
       d.free(at(0, 64));
       d.alloc(at(0, 64));
       d.free(at(0, 64));
     }},
    {Mistake::wrong_size_at_free,
     [](Desk& d) {
       d.alloc(at(0, 60));
       d.free(at(0, 64));
     },
     [](Desk& d) {
       d.alloc(at(0, 60));
       d.free(at(0, 60));
     }},
    {Mistake::wrong_pointer_at_free,
     [](Desk& d) {
       d.alloc(at(0, 64), pointer(0));
       d.free(at(0, 64), pointer(1));
     },
     [](Desk& d) {
       d.alloc(at(0, 64), pointer(0));
       d.free(at(0, 64), pointer(0));
       d.alloc(at(0, 64), pointer(0));
       d.free(at(0, 64));
     }},
    {Mistake::leaked_mapping,
     [](Desk& d) {
       d.map(at(0, 64), kTo);
       d.detach(kEth);
     },
     [](Desk& d) {
       d.map(at(0, 64), kTo, kUsb);
       d.detach(kEth);
     }},
    {Mistake::leaked_block,
     [](Desk& d) {
       d.alloc(at(0, 64));
       d.detach(kEth);
       d.detach(kEth);
     },
     [](Desk& d) {
       d.alloc(at(0, 64));
       d.free(at(0, 64));
       d.detach(kEth);
     }},
    {Mistake::table_full,
     [](Desk& d) {
       for (std::size_t i = 0; i < 20; ++i) d.map(at(64 * i, 64), kTo);
       d.unmap(at(0x900, 64), kTo);
       d.sync_for_cpu(at(0x900, 64), kTo);
       d.detach(kEth);
     },
     [](Desk& d) {
       for (std::size_t i = 0; i < 12; ++i) d.map(at(64 * i, 64), kTo);
     }},
};

consteval bool has_each() {
  if (std::size(kCases) != kMistakesOfCalls) return false;
  for (std::size_t i = 0; i < kMistakesOfCalls; ++i) {
    if (kCases[i].mistake != static_cast<Mistake>(i)) return false;
    if (kCases[i].wrong == nullptr || kCases[i].right == nullptr) return false;
  }
  return true;
}
static_assert(has_each(), "each mistake has a case, in their order");

class BookCase : public testing::TestWithParam<Case> {};

TEST_P(BookCase, IsReportedOnceAndAlone) {
  Desk desk{GetParam().errors};
  GetParam().wrong(desk);
  ASSERT_EQ(desk.told.size(), 1U);
  EXPECT_EQ(name_of(desk.told[0].mistake), name_of(GetParam().mistake));
  for (std::size_t i = 0; i < kMistakes; ++i) {
    const auto kind = static_cast<Mistake>(i);
    EXPECT_EQ(desk.book.count(kind), kind == GetParam().mistake ? 1U : 0U) << name_of(kind);
  }
}

TEST_P(BookCase, IsNotReportedWhereItIsNotMade) {
  Desk desk{GetParam().errors};
  GetParam().right(desk);
  for (const Told& told : desk.told) ADD_FAILURE() << name_of(told.mistake);
}

INSTANTIATE_TEST_SUITE_P(All, BookCase, testing::ValuesIn(kCases));

TEST(MappingBook, TellsWhoMadeWhatTheReportIsAbout) {
  std::array<Entry, 2> table;
  std::string seen;
  MappingBook book{table,
                   {.callback =
                        [](void* to, const MappingBook::Report& report) {
                          *static_cast<std::string*>(to) =
                              std::to_string(report.call.where.line()) + " after " +
                              std::to_string(report.entry->call.where.line());
                        },
                    .context = &seen,
                    .line_bytes = 32}};
  const auto line = std::source_location::current().line();
  book.map(at(0, 64), {.device = kEth, .direction = kTo});
  book.unmap(at(0, 32), {.device = kEth, .direction = kTo});
  EXPECT_EQ(seen, std::to_string(line + 2) + " after " + std::to_string(line + 1));
}

TEST(MappingBook, RemembersWhatEndedUntilItsPlaceIsNeeded) {
  Desk desk;
  for (std::size_t i = 0; i < 3; ++i) {
    desk.map(at(64 * i, 64), kTo);
    desk.unmap(at(64 * i, 64), kTo);
  }
  // Ten live, so there is room for two that ended: the latest.
  for (std::size_t i = 0; i < 10; ++i) desk.map(at(0x4000 + 64 * i, 64), kTo);
  for (std::size_t i = 0; i < 3; ++i) desk.unmap(at(64 * i, 64), kTo);
  ASSERT_EQ(desk.told.size(), 3U);
  EXPECT_EQ(desk.told[0].mistake, Mistake::unmap_unknown);
  EXPECT_EQ(desk.told[1].mistake, Mistake::double_unmap);
  EXPECT_EQ(desk.told[2].mistake, Mistake::double_unmap);
  EXPECT_FALSE(desk.told[0].has_entry);
  EXPECT_FALSE(desk.told[2].entry_lives);
}

TEST(MappingBook, GivesEachEntryOfTheTableASlotOfItsOwn) {
  Desk desk;
  desk.book.forbid({});
  for (std::size_t i = 0; i < 500; ++i) {
    desk.map(at(64 * i, 64), kFrom);
    if (i % 3 == 2) desk.unmap(at(64 * (i - 1), 64), kFrom);
    if (i >= 9 && (i - 9) % 3 != 1) desk.unmap(at(64 * (i - 9), 64), kFrom);
    std::vector<bool> taken(desk.table.size());
    for (const Entry& entry : desk.book.used()) {
      ASSERT_LT(entry.slot, taken.size());
      ASSERT_FALSE(taken[entry.slot]) << i;
      taken[entry.slot] = true;
    }
    for (const Entry& entry : desk.book.living()) ASSERT_EQ(entry.ended, 0U);
  }
  EXPECT_TRUE(desk.told.empty());
}

TEST(MappingBook, EndsTheWholeListThatWasGivenBackWithAWrongCount) {
  Desk desk;
  desk.map(at(0x800, 64), kTo);
  desk.book.map_list(kList, kCall);
  desk.book.unmap_list(kShort, kCall);
  ASSERT_EQ(desk.book.living().size(), 1U);
  EXPECT_EQ(desk.book.living()[0].bytes, at(0x800, 64));
}

TEST(MappingBook, FollowsAgainOnceCleared) {
  Desk desk;
  for (std::size_t i = 0; i < 13; ++i) desk.map(at(64 * i, 64), kTo);
  EXPECT_FALSE(desk.book.follows());
  desk.book.clear();
  EXPECT_TRUE(desk.book.follows());
  desk.unmap(at(0, 64), kTo);
  ASSERT_EQ(desk.told.size(), 2U);
  EXPECT_EQ(desk.told[1].mistake, Mistake::unmap_unknown);
}

TEST(MappingBook, TakesBytesUpToTheTopOfTheAddressSpace) {
  Desk desk;
  const Bytes top{std::uintptr_t{0} - 64, 64};
  desk.map(top, kFrom);
  desk.map({0, 64}, kFrom);
  desk.sync_for_cpu(top, kFrom);
  desk.unmap(top, kFrom);
  EXPECT_TRUE(desk.told.empty());
}

TEST(MappingBook, SaysNothingOfNoBytes) {
  Desk desk;
  desk.map(at(0, 0), kFrom);
  desk.unmap(at(0, 0), kFrom);
  desk.sync_for_cpu(at(0, 0), kFrom);
  EXPECT_TRUE(desk.told.empty());
  EXPECT_TRUE(desk.book.living().empty());
}

TEST(MappingBook, TwoThatShareALineAndNoByteOverlap) {
  Desk desk;
  desk.map(at(0, 40), kTo);
  desk.map(at(40, 24), kFrom, kUsb);
  ASSERT_EQ(desk.told.size(), 2U);
  EXPECT_EQ(desk.told[0].mistake, Mistake::map_overlap);
  EXPECT_EQ(desk.told[1].mistake, Mistake::partial_line);
}

TEST(MappingBook, ASyncIsOfTheMappingThatHoldsAllOfItsBytes) {
  Desk desk;
  desk.map(at(0, 64), kTo);
  desk.map(at(0, 128), kTo);
  desk.sync_for_device(at(32, 64), kTo);
  desk.sync_for_device(at(32, 96), kTo);
  EXPECT_TRUE(desk.told.empty());
}

TEST(MappingBook, PhysicalAddressesHave64BitsWhateverAPointerHas) {
  Desk desk;
  constexpr std::uint64_t kHigh = 0x1'0000'0000;
  desk.map(at(0, 64), kFrom);
  desk.map({kBase + kHigh, 64}, kFrom);
  EXPECT_TRUE(desk.told.empty());
  desk.unmap({kBase + 2 * kHigh, 64}, kFrom);
  ASSERT_EQ(desk.told.size(), 1U);
  EXPECT_EQ(desk.told[0].mistake, Mistake::unmap_unknown);
  EXPECT_EQ(desk.told[0].bytes.at, kBase + 2 * kHigh);
}

}  // namespace
}  // namespace carveout
