// Mistakes that follow from the calls alone: each made once, and all but made.
#include "checker_world.hpp"

namespace carveout::sim {
namespace {

constexpr Case kCases[] = {
    {Mistake::partial_line, [](auto& w) { w.checker.map(w.eth, at(0, 33), kFrom); },
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.map(w.eth, at(0x107, 33), kTo);
     }},
    {Mistake::map_overlap,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.map(w.usb, at(32, 32), kFrom);
     },
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.map(w.usb, at(32, 32), kTo);
       w.checker.map(w.usb, at(64, 32), kFrom);
     }},
    {Mistake::too_many_overlaps,
     [](auto& w) {
       for (std::size_t i = 0; i < 9; ++i) w.checker.map(w.eth, at(i, 40), kTo);
     },
     [](auto& w) {
       for (std::size_t i = 0; i < 8; ++i) w.checker.map(w.eth, at(i, 40), kTo);
       // Nine more, of which no line has more than eight.
       for (std::size_t i = 0; i < 8; ++i) w.checker.map(w.usb, at(0x800 + 32 * i, 8), kTo);
       w.checker.map(w.usb, at(0x800, 256), kTo);
     }},
    {Mistake::maps_stack,
     [](auto& w) {
       w.checker.forbid(at(0x1000, 0x400), Mistake::maps_stack);
       w.checker.map(w.eth, at(0x13e0, 64), kTo);
     },
     [](auto& w) {
       w.checker.forbid(at(0x1000, 0x400), Mistake::maps_stack);
       w.checker.map(w.eth, at(0x1400, 64), kTo);
       w.checker.map(w.eth, at(0xfc0, 64), kTo);
     }},
    {Mistake::maps_text,
     [](auto& w) {
       w.checker.forbid(uncached_at(0x1000, 0x400), Mistake::maps_text);
       w.checker.map(w.eth, at(0x1000, 1), kTo);
     },
     [](auto& w) {
       w.checker.forbid(at(0x1000, 0x400), Mistake::maps_text);
       w.checker.map(w.eth, at(0xfff, 1), kTo);
     }},
    {Mistake::maps_no_ram, [](auto& w) { w.checker.map(w.eth, at(0xf'ffff, 2), kTo); },
     [](auto& w) {
       w.checker.map(w.eth, at(0xf'ffff, 1), kTo);
       w.checker.map_resource(w.eth, {PhysAddr{0x1000}, 64}, kTo);  // registers are none either
       w.checker.unmap_resource(w.eth, {PhysAddr{0x1000}, 64}, kTo);
     }},
    {Mistake::unmap_unknown,
     [](auto& w) {
       w.checker.map(w.usb, at(0, 64), kTo);
       w.checker.unmap(w.eth, at(0, 64), kTo);
     },
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.unmap(w.eth, at(0, 64), kTo);
     }},
    {Mistake::double_unmap,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.unmap(w.eth, at(0, 64), kTo);
       w.checker.unmap(w.eth, at(0, 64), kTo);
     },
     [](auto& w) {
       for (int i = 0; i < 2; ++i) {
         w.checker.map(w.eth, at(0, 64), kTo);
         w.checker.unmap(w.eth, at(0, 64), kTo);
       }
     }},
    {Mistake::failed_mapping_used,
     [](auto& w) {
       w.checker.map_failed(w.eth, at(0, 64), kTo);
       w.checker.unmap(w.eth, at(0, 64), kTo);
     },
     [](auto& w) {
       w.checker.map_failed(w.eth, at(0, 64), kTo);
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.unmap(w.eth, at(0, 64), kTo);
     }},
    {Mistake::wrong_function,
     [](auto& w) {
       const PhysRange list[] = {at(0, 64)};
       w.checker.map_sg(w.eth, list, kTo);
       w.checker.unmap(w.eth, list[0], kTo);
     },
     [](auto& w) {
       // The same bytes as a block and mapped: each is ended by its own.
       const PhysRange list[] = {at(0, 64)};
       w.checker.alloc(w.eth, at(0, 64), 64);
       w.checker.map_sg(w.eth, list, kTo);
       w.checker.map(w.eth, list[0], kTo);
       w.checker.unmap_sg(w.eth, list, kTo);
       w.checker.free(w.eth, at(0, 64));
       w.checker.unmap(w.eth, list[0], kTo);
     }},
    {Mistake::wrong_size_at_unmap,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.unmap(w.eth, at(0, 32), kTo);
     },
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.unmap(w.eth, {kUncached, 64}, kTo);  // the same bytes by their other address
     }},
    {Mistake::wrong_count_at_unmap,
     [](auto& w) {
       const PhysRange list[] = {at(0, 64), at(128, 64)};
       w.checker.map_sg(w.eth, list, kTo);
       w.checker.unmap_sg(w.eth, std::span{list}.first(1), kTo);
       w.checker.detach(w.eth);  // and no more is said of the rest
     },
     [](auto& w) {
       const PhysRange list[] = {at(0, 64), at(128, 64)};
       w.checker.map_sg(w.eth, list, kTo);
       w.checker.unmap_sg(w.eth, list, kTo);
       w.checker.detach(w.eth);
     }},
    {Mistake::wrong_direction_at_unmap,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.unmap(w.eth, at(0, 64), kTo);
     },
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.unmap(w.eth, at(0, 64), kFrom);
     }},
    {Mistake::unchecked_mapping,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.unmap(w.eth, at(0, 64), kTo);
     },
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.mapping_error(w.eth, at(0, 64));
       w.checker.unmap(w.eth, at(0, 64), kTo);
       const PhysRange list[] = {at(0, 64)};  // a list says by its count that it failed
       w.checker.map_sg(w.eth, list, kTo);
       w.checker.unmap_sg(w.eth, list, kTo);
     },
     {.errors = Checker::Errors::by_mapping_error}},
    {Mistake::sync_unknown,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.unmap(w.eth, at(0, 64), kFrom);
       w.checker.sync_for_cpu(w.eth, at(0, 64), kFrom);
     },
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.sync_for_cpu(w.eth, at(32, 32), kFrom);
     }},
    {Mistake::sync_outside_range,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.sync_for_cpu(w.eth, at(32, 33), kFrom);
     },
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.sync_for_cpu(w.eth, at(32, 32), kFrom);
       w.checker.sync_for_device(w.eth, at(0, 64), kFrom);
     }},
    {Mistake::sync_for_cpu_of_to_device,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.sync_for_cpu(w.eth, at(0, 64), kFrom);
     },
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.sync_for_cpu(w.eth, at(0, 64), kTo);  // to store anew
       w.checker.sync_for_device(w.eth, at(0, 64), kTo);
     }},
    {Mistake::sync_for_device_of_from_device,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.sync_for_device(w.eth, at(0, 64), kTo);
     },
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kFrom);
       w.checker.sync_for_cpu(w.eth, at(0, 64), kFrom);
       w.checker.sync_for_device(w.eth, at(0, 64), kFrom);  // for the next packet
     }},
    {Mistake::wrong_direction_at_sync,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kBoth);
       w.checker.sync_for_device(w.eth, at(0, 64), kFrom);
     },
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kBoth);
       w.checker.sync_for_device(w.eth, at(0, 64), kBoth);
     }},
    {Mistake::wrong_count_at_sync,
     [](auto& w) {
       const PhysRange list[] = {at(0, 64), at(128, 64)};
       w.checker.map_sg(w.eth, list, kFrom);
       w.checker.sync_sg_for_cpu(w.eth, std::span{list}.first(1), kFrom);
     },
     [](auto& w) {
       const PhysRange list[] = {at(0, 64), at(128, 64)};
       w.checker.map_sg(w.eth, list, kFrom);
       w.checker.sync_sg_for_cpu(w.eth, list, kFrom);
       w.load(0, 64);
       w.checker.sync_sg_for_device(w.eth, list, kFrom);
       w.checker.sync_for_cpu(w.eth, at(128, 64), kFrom);  // one piece by itself
     }},
    {Mistake::free_unknown,
     [](auto& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.checker.free(w.eth, at(32, 32));
     },
     [](auto& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.checker.free(w.eth, at(0, 64));
     }},
    {Mistake::double_free,
     [](auto& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.checker.free(w.eth, {kUncached, 64});
       w.checker.free(w.eth, {kUncached, 64});
     },
     [](auto& w) {
       for (int i = 0; i < 2; ++i) {
         w.checker.alloc(w.eth, {kUncached, 64}, 64);
         w.checker.free(w.eth, {kUncached, 64});
       }
     }},
    {Mistake::wrong_size_at_free,
     [](auto& w) {
       w.checker.alloc(w.eth, {kUncached, 60}, 64);
       w.checker.free(w.eth, {kUncached, 64});
     },
     [](auto& w) {
       w.checker.alloc(w.eth, {kUncached, 60}, 64);
       w.checker.free(w.eth, {kUncached, 60});
     }},
    {Mistake::wrong_pointer_at_free,
     [](auto& w) {
       w.checker.alloc(w.eth, uncached_at(0, 64), 64, w.uncached);
       w.checker.free(w.eth, uncached_at(0, 64), w.cached);
     },
     [](auto& w) {
       w.checker.alloc(w.eth, uncached_at(0, 64), 64, w.uncached);
       w.checker.free(w.eth, uncached_at(0, 64), w.uncached);
       w.checker.alloc(w.eth, uncached_at(0, 64), 64, w.uncached);
       w.checker.free(w.eth, uncached_at(0, 64));
     }},
    {Mistake::leaked_mapping,
     [](auto& w) {
       w.checker.map(w.eth, at(0, 64), kTo);
       w.checker.detach(w.eth);
     },
     [](auto& w) {
       w.checker.map(w.usb, at(0, 64), kTo);
       w.checker.detach(w.eth);
     }},
    {Mistake::leaked_block,
     [](auto& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.checker.detach(w.eth);
     },
     [](auto& w) {
       w.checker.alloc(w.eth, {kUncached, 64}, 64);
       w.checker.free(w.eth, {kUncached, 64});
       w.checker.detach(w.eth);
     }},
    {Mistake::table_full,
     [](auto& w) {
       for (std::size_t i = 0; i < 5; ++i) w.checker.map(w.eth, at(64 * i, 64), kFrom);
       // Nothing is known from here on, so nothing is said.
       w.checker.unmap(w.eth, at(0x800, 64), kFrom);
       w.device_writes(w.engine, 0x800);
       w.checker.detach(w.usb);
     },
     [](auto& w) {
       for (std::size_t i = 0; i < 20; ++i) {
         w.checker.map(w.eth, at(64 * i, 64), kFrom);
         if (i >= 3) w.checker.unmap(w.eth, at(64 * (i - 3), 64), kFrom);
       }
     },
     {.entries = 4}},
    {Mistake::outside_window, [](auto& w) { w.checker.map(w.adc, at(0xffff, 2), kTo); },
     [](auto& w) {
       w.checker.map(w.adc, at(0xffff, 1), kTo);
       w.checker.alloc(w.adc, uncached_at(0, 64), 64);
       w.device_reads(w.bare, 0xf'ffff);
     }},
    {Mistake::segment_too_long,
     [](auto& w) {
       const PhysRange list[] = {at(0, 256), at(512, 257)};
       w.checker.map_sg(w.adc, list, kTo);
     },
     [](auto& w) {
       const PhysRange list[] = {at(0, 256), at(512, 256)};
       w.checker.map_sg(w.adc, list, kTo);
       w.checker.map(w.eth, at(1024, 257), kTo);
     }},
    {Mistake::crosses_boundary, [](auto& w) { w.checker.map(w.adc, at(0xfe0, 64), kTo); },
     [](auto& w) {
       w.checker.map(w.adc, at(0xfc0, 64), kTo);
       w.checker.map(w.adc, at(0x1000, 64), kTo);
       w.checker.alloc(w.adc, at(0x2fe0, 64), 64);
     }},
    {Mistake::use_after_detach,
     [](auto& w) {
       w.checker.detach(w.eth);
       w.device_reads(w.engine, 0);
     },
     [](auto& w) {
       w.checker.detach(w.usb);
       w.checker.map(w.eth, at(0, 4), kTo);
       w.device_reads(w.engine, 0);
     }},
};
constexpr auto kFirst = static_cast<std::size_t>(Mistake::missing_sync_before_device_reads);
static_assert(has_each(kCases, 0, kFirst), "each mistake has a case, in their order");

class CheckerCall : public testing::TestWithParam<Case> {};

TEST_P(CheckerCall, IsReportedOnceAndAlone) { expect_it_alone_and_once(GetParam()); }

TEST_P(CheckerCall, IsReportedWithPlainPointersToo) {
  expect_it_where_plain_pointers_show_it(GetParam());
}

TEST_P(CheckerCall, IsNotReportedWhereItIsNotMade) { expect_silence(GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, CheckerCall, testing::ValuesIn(kCases));

}  // namespace
}  // namespace carveout::sim
