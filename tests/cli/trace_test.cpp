// Reading traces: both forms, what is refused and with which line, and what is kept of them.
#include "simulate/trace.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace carveout::cli {
namespace {

Trace csv(const std::string& lines) {
  return Trace{TraceText{"t.csv", "time,op,id,device,size,align\n" + lines}};
}

Trace kernel(const std::string& lines) { return Trace{TraceText{"trace", lines}}; }

std::vector<TraceStep> steps_of(Trace& trace) {
  std::vector<TraceStep> steps;
  TraceStep step;
  while (trace.next(step)) steps.push_back(step);
  return steps;
}

std::vector<TraceStep> steps_of(Trace&& trace) { return steps_of(trace); }

/// The refusal of a trace, whenever it comes.
std::string refusal_of(const std::string& text) {
  try {
    Trace trace{TraceText{"t", text}};
    steps_of(trace);
  } catch (const Refusal& refusal) {
    return refusal.what();
  }
  return "none";
}

std::string csv_refusal(const std::string& lines) {
  return refusal_of("time,op,id,device,size,align\n" + lines);
}

TEST(CsvTrace, ReadsTimeIdDeviceSizeAndAlignment) {
  Trace trace = csv("0.25,alloc,a,/soc/dsp,4K,0x40\n1.5,free,a,,,\n");
  const auto steps = steps_of(trace);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_TRUE(steps[0].is_alloc);
  EXPECT_EQ(steps[0].request.time_ns, 250'000'000U);
  EXPECT_EQ(steps[0].request.size_bytes, 4096U);
  EXPECT_EQ(steps[0].request.align_bytes, 64U);
  EXPECT_EQ(steps[0].request.line, 2U);
  EXPECT_EQ(trace.devices()[0].name, "/soc/dsp");
  EXPECT_FALSE(steps[1].is_alloc);
  EXPECT_EQ(steps[1].slot, steps[0].slot);
  EXPECT_EQ(steps[1].request.time_ns, 1'500'000'000U);
  EXPECT_EQ(steps[1].request.size_bytes, 4096U);
}

TEST(CsvTrace, ReadsTheNumbersThatProgramsWrite) {
  const auto steps =
      steps_of(csv("0,alloc,a,,1,\n1e-05,alloc,b,,1,\n.5,alloc,c,,1,\n"
                   "1.30000000000000004,alloc,d,,1,\n"));
  ASSERT_EQ(steps.size(), 4U);
  EXPECT_EQ(steps[1].request.time_ns, 10'000U);
  EXPECT_EQ(steps[2].request.time_ns, 500'000'000U);
  EXPECT_EQ(steps[3].request.time_ns, 1'300'000'000U);
}

TEST(CsvTrace, ReadsWhatSpreadsheetsWrite) {
  Trace trace{TraceText{"t",
                        "\xef\xbb\xbftime,op,id,device,size,align\r\n"
                        "0,\"alloc\",\"a \"\"b\"\"\",\"/soc/fsl,dsp@1\",8,\r\n"
                        "1,free,\"a \"\"b\"\"\",,,\r\n"}};
  const auto steps = steps_of(trace);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(trace.devices()[0].name, "/soc/fsl,dsp@1");
}

TEST(CsvTrace, NeedsNoLineFeedAtItsEnd) {
  EXPECT_EQ(steps_of(csv("0,alloc,a,,1,\n1,free,a,,,")).size(), 2U);
}

TEST(CsvTrace, RefusesALineWithItsNumber) {
  EXPECT_EQ(csv_refusal("0,alloc,a,,1,\n0,alloc,b,1,\n"),
            "carveout: t: has 5 fields, not the 6 of 'time,op,id,device,size,align' (line 3)");
  EXPECT_EQ(csv_refusal("0,alloc,a,,1,,\n"),
            "carveout: t: has 7 or more fields, not the 6 of 'time,op,id,device,size,align' "
            "(line 2)");
  EXPECT_EQ(csv_refusal("\n"), "carveout: t: is empty (line 2)");
  EXPECT_EQ(csv_refusal("-1,alloc,a,,1,\n"), "carveout: t: '-1' is no time in seconds (line 2)");
  EXPECT_EQ(csv_refusal("1,map,a,,1,\n"), "carveout: t: 'map' is no op: alloc or free (line 2)");
  EXPECT_EQ(csv_refusal("1,alloc,,,1,\n"), "carveout: t: has no id (line 2)");
  EXPECT_EQ(csv_refusal("1,alloc,a,,,\n"), "carveout: t: allocates no size (line 2)");
  EXPECT_EQ(csv_refusal("1,alloc,a,,-1,\n"),
            "carveout: t: '-1' is not a size (a size is 4096, 0x1000, 4K, 1M or 1G) (line 2)");
  EXPECT_EQ(csv_refusal("1,alloc,\"a,,1,\n"),
            "carveout: t: has a quote that does not end (line 2)");
  EXPECT_EQ(csv_refusal("1,alloc,\"a\"b,,1,\n"),
            "carveout: t: has something behind the quote that ends a field (line 2)");
  EXPECT_EQ(csv_refusal("1,alloc,a\"b,,1,\n"), "carveout: t: has a quote inside a field (line 2)");
  EXPECT_EQ(csv_refusal("1,alloc," + std::string(48, 'x') + ",,1,\n"),
            "carveout: t: has an id of more than 47 bytes (line 2)");
}

TEST(CsvTrace, RefusesWhatCannotHaveHappened) {
  EXPECT_EQ(csv_refusal("1,alloc,a,,1,\n0.5,free,a,,,\n"),
            "carveout: t: is earlier than the line before it (line 3)");
  EXPECT_EQ(csv_refusal("1,alloc,a,,1,\n2,alloc,a,,1,\n"),
            "carveout: t: allocates a, which lives since line 2 (line 3)");
  EXPECT_EQ(csv_refusal("1,free,a,,,\n"), "carveout: t: frees a, which does not live (line 2)");
  EXPECT_EQ(csv_refusal("1,alloc,a,,1,\n2,free,a,,,\n3,free,a,,,\n"),
            "carveout: t: frees a, which does not live (line 4)");
  EXPECT_EQ(csv_refusal("1,alloc,a,x,1,4\n2,free,a,,2,\n"),
            "carveout: t: frees a with another size than it was allocated with in line 2 (line 3)");
  EXPECT_EQ(csv_refusal("1,alloc,a,x,1,4\n2,free,a,,1,8\n"),
            "carveout: t: frees a with another alignment than it was allocated with in line 2 "
            "(line 3)");
  EXPECT_EQ(csv_refusal("1,alloc,a,x,1,4\n2,free,a,y,1,4\n"),
            "carveout: t: frees a with another device than it was allocated with in line 2 "
            "(line 3)");
}

TEST(CsvTrace, RefusesALineOfMoreThan64KiB) {
  EXPECT_EQ(csv_refusal("1,alloc,a,,1," + std::string(65536, '0') + "\n"),
            "carveout: t: is longer than the 64 KiB of any line (line 2)");
}

TEST(Trace, RefusesWhatIsNoTrace) {
  EXPECT_EQ(refusal_of(""), "carveout: t: is empty, and no trace (line 1)");
  EXPECT_EQ(refusal_of("time,op\n"),
            "carveout: t: is no trace: neither the header 'time,op,id,device,size,align' nor what "
            "the kernel's tracing prints (line 1)");
  EXPECT_EQ(refusal_of("\x17\x08\x44tracing\n"),
            "carveout: t: is the binary file of trace-cmd: give the text of 'trace-cmd report' "
            "(line 1)");
}

TEST(Trace, GivesANumberAgainOnceItsAllocationIsFreed) {
  const auto steps = steps_of(csv("0,alloc,a,,1,\n0,alloc,b,,1,\n0,free,a,,,\n0,alloc,c,,1,\n"));
  EXPECT_EQ(steps[0].slot, 0U);
  EXPECT_EQ(steps[1].slot, 1U);
  EXPECT_EQ(steps[3].slot, 0U);
}

TEST(Trace, IsTheSameWhenItIsReadAgain) {
  Trace trace = csv("0,alloc,a,x,1,\n0,alloc,b,y,1,\n1,free,a,,,\n");
  ASSERT_EQ(steps_of(trace).size(), 3U);
  trace.rewind();
  EXPECT_EQ(steps_of(trace).size(), 3U);
  EXPECT_EQ(trace.counts().allocations, 2U);
  EXPECT_EQ(trace.counts().frees, 1U);
  EXPECT_EQ(trace.counts().most_live, 2U);
  EXPECT_EQ(trace.devices().size(), 2U);
}

constexpr std::string_view kTraceFile =
    "# tracer: nop\n"
    "#\n"
    "# entries-in-buffer/entries-written: 2/2   #P:4\n"
    "    kworker/u8:2-47      [002] d..1.   12.000250: dma_alloc: 30be0000.ethernet "
    "dir=BIDIRECTIONAL dma_addr=fa000000 size=8192 virt_addr=00000000f3b1c2aa flags=GFP_KERNEL "
    "attrs=\n"
    "          ip-312     [001] .....   12.500000: dma_free: 30be0000.ethernet dir=BIDIRECTIONAL "
    "dma_addr=fa000000 size=8192 virt_addr=00000000f3b1c2aa attrs=\n";

TEST(KernelTrace, ReadsTheTraceFile) {
  Trace trace = kernel(std::string{kTraceFile});
  EXPECT_EQ(trace.form(), TraceForm::kernel);
  const auto steps = steps_of(trace);
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(trace.devices()[0].name, "30be0000.ethernet");
  EXPECT_EQ(steps[0].request.size_bytes, 8192U);
  EXPECT_EQ(steps[0].request.line, 4U);
  EXPECT_EQ(steps[0].request.time_ns, 12'000'250'000U);
  EXPECT_FALSE(steps[1].is_alloc);
}

TEST(KernelTrace, ReadsTraceCmdPerfAndLinux612) {
  const auto steps = steps_of(
      kernel("cpus=2\nversion = 7\nCPU 1 is empty\n"
             "  a: b [001] 3-9  [000]   1.5: dma_alloc:            soc:dsp dma_addr=0 size=64 "
             "virt_addr=0xffff8000 flags=GFP_KERNEL|__GFP_ZERO attrs=\n"
             "swapper 0 [000] 2.5: dma:dma_free: soc:dsp dma_addr=0 size=64 virt_addr=0xffff8000 "
             "attrs=\n"));
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].request.time_ns, 1'500'000'000U);
}

TEST(KernelTrace, TakesAttributesAndWhetherTheCallerMayWait) {
  const auto steps =
      steps_of(kernel("x-1 [000] 1.5: dma_alloc: d dma_addr=1000 size=64 virt_addr=1 "
                      "flags=GFP_ATOMIC|__GFP_NOWARN attrs=NO_KERNEL_MAPPING|FORCE_CONTIGUOUS\n"));
  EXPECT_EQ(steps[0].request.context, Context::must_not_wait);
  EXPECT_TRUE(has(steps[0].request.attributes, Attributes::no_cpu_mapping));
  EXPECT_TRUE(has(steps[0].request.attributes, Attributes::force_contiguous));
}

TEST(KernelTrace, CountsWhatItDoesNotReplay) {
  Trace trace = kernel(
      "x-1 [000] 1.0: dma_free: d dma_addr=1000 size=64 virt_addr=1 attrs=\n"
      "x-1 [000] 1.1: dma_map_phys: d dir=TO_DEVICE dma_addr=2000 size=64 phys_addr=1 attrs=\n");
  EXPECT_TRUE(steps_of(trace).empty());
  EXPECT_EQ(trace.counts().freed_unseen, 1U);
  EXPECT_EQ(trace.counts().other_events, 1U);
}

TEST(KernelTrace, GivesBackAtOnceWhatFailedWhenItWasRecorded) {
  Trace trace = kernel(
      "x-1 [000] 1.0: dma_alloc: d dma_addr=0 size=64 virt_addr=1 flags=GFP_KERNEL attrs=\n"
      "x-1 [000] 1.1: dma_alloc: d dma_addr=0 size=99 virt_addr=(null) flags=GFP_KERNEL attrs=\n"
      "x-1 [000] 1.2: dma_free: d dma_addr=0 size=64 virt_addr=1 attrs=\n");
  const auto steps = steps_of(trace);
  ASSERT_EQ(steps.size(), 4U);
  EXPECT_TRUE(steps[1].is_alloc);
  EXPECT_FALSE(steps[2].is_alloc);
  EXPECT_EQ(steps[2].slot, steps[1].slot);
  EXPECT_EQ(steps[3].slot, steps[0].slot);
  EXPECT_EQ(trace.counts().refused_before, 1U);
}

TEST(KernelTrace, KnowsEveryWayInWhichANullPointerIsPrinted) {
  for (const std::string pointer : {"(null)", "(nil)", "0x0", "0000000000000000"}) {
    Trace trace = kernel("x-1 [000] 1.0: dma_alloc: d dma_addr=0 size=64 virt_addr=" + pointer +
                         " flags=GFP_KERNEL attrs=\n");
    EXPECT_EQ(steps_of(trace).size(), 2U) << pointer;
    EXPECT_EQ(trace.counts().refused_before, 1U) << pointer;
  }
}

TEST(KernelTrace, TheSameAddressOfTwoDevicesIsTwoAllocations) {
  EXPECT_EQ(steps_of(kernel("x-1 [000] 1.0: dma_alloc: d dma_addr=1000 size=64 virt_addr=1\n"
                            "x-1 [000] 1.0: dma_alloc: e dma_addr=1000 size=64 virt_addr=1\n"))
                .size(),
            2U);
}

TEST(KernelTrace, RefusesALineWithItsNumber) {
  const std::string first = "# tracer: nop\n";
  EXPECT_EQ(refusal_of(first + "x-1 [000] 1.0: dma_alloc: d size=64\n"),
            "carveout: t: has no 'dma_addr=' (line 2)");
  EXPECT_EQ(refusal_of(first + "x-1 [000] 1.0: dma_alloc: d dma_addr=xyz size=64\n"),
            "carveout: t: has 'dma_addr=xyz', which is no number of 64 bits (line 2)");
  EXPECT_EQ(refusal_of(first + "x-1 [000] 1.0: dma_alloc: d dma_addr=1\n"),
            "carveout: t: has no 'size=' (line 2)");
  EXPECT_EQ(refusal_of(first + "x-1 [000] 1.0: dma_alloc:  dma_addr=1 size=2\n"),
            "carveout: t: names no device (line 2)");
  EXPECT_EQ(refusal_of(first + "x-1 [000] 17: dma_alloc: d dma_addr=1 size=2\n"),
            "carveout: t: is no event with a time in seconds (line 2)");
  EXPECT_EQ(refusal_of(first + "CPU:1 [LOST 3 EVENTS]\n"),
            "carveout: t: says that events were lost, so nobody knows what lives: record again "
            "with a larger buffer (line 2)");
}

TEST(LiveIds, KeepsEveryNameApartHoweverManyComeAndGo) {
  LiveIds ids;
  std::vector<std::pair<std::string, std::uint32_t>> live;
  std::uint64_t seed = 1;
  for (int i = 0; i < 20000; ++i) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    if (live.size() < 10 || (live.size() < 3000 && (seed >> 60) < 9)) {
      const std::string name = "id" + std::to_string(i);
      const auto [slot, is_new] = ids.add(7, name);
      ASSERT_TRUE(is_new);
      live.emplace_back(name, slot);
      continue;
    }
    const std::size_t which = (seed >> 33) % live.size();
    EXPECT_EQ(ids.id(live[which].second), live[which].first);
    ASSERT_EQ(ids.remove(7, live[which].first), live[which].second);
    ASSERT_EQ(ids.remove(7, live[which].first), std::nullopt);
    live.erase(live.begin() + static_cast<std::ptrdiff_t>(which));
  }
  EXPECT_EQ(ids.count(), live.size());
  for (const auto& [name, slot] : live) {
    const auto [again, is_new] = ids.add(7, name);
    EXPECT_FALSE(is_new);
    EXPECT_EQ(again, slot);
  }
}

}  // namespace
}  // namespace carveout::cli
