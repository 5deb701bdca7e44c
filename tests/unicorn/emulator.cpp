#include "emulator.hpp"

#include <unicorn/unicorn.h>

#include <algorithm>
#include <array>
#include <exception>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "carveout_port/cortex_m.hpp"
#include "carveout_sim/machine.hpp"
#include "copy_engine.hpp"
#include "core.hpp"
#include "tables.hpp"

namespace carveout::test {
namespace {

// As tests/boards/mps2_an500/image.ld has it; the rest of the SSRAM is unicorn_board::kDmaRam.
constexpr std::uint32_t kCodeBytes = 0x40'0000;
constexpr std::uint32_t kData = 0x2000'0000;
constexpr std::uint32_t kDataBytes = 0x20'0000;
constexpr std::uint32_t kSystemControlSpace = 0xe000'e000;
constexpr std::uint32_t kPageBytes = 0x1000;

constexpr std::string_view kPort = "carveout::cortex_m::";

constexpr std::uint64_t kHangs = 5'000'000;  // instructions: ten times what the image takes

enum class Kind : std::uint8_t { other, dsb, dmb, isb, semihosting };

/// Source: ARMv7-M Architecture Reference Manual (DDI 0403E), A7.7; every option of a barrier acts
/// as SY there. Semihosting is BKPT 0xab.
Kind kind_of(std::uint16_t first, std::uint16_t second) {
  if (first == 0xbeab) return Kind::semihosting;
  if (first != 0xf3bf) return Kind::other;
  switch (second & 0xfff0) {
    case 0x8f40:
      return Kind::dsb;
    case 0x8f50:
      return Kind::dmb;
    case 0x8f60:
      return Kind::isb;
    default:
      return Kind::other;
  }
}

/// Overwrites an instruction with NOPs, and a branch that does not come back with a return: what is
/// left out is where it leads. Source: DDI 0403E, A5.2 and A5.3.4.
std::span<const std::byte> without(std::span<std::byte> instruction) {
  constexpr std::array kNop{std::byte{0x00}, std::byte{0xbf}};
  constexpr std::array kReturn{std::byte{0x70}, std::byte{0x47}};  // bx lr
  const auto high = [&](std::size_t at) { return std::to_integer<unsigned>(instruction[at]); };
  const bool branch = instruction.size() == 2
                          ? (high(1) & 0xf8) == 0xe0
                          : (high(1) & 0xf8) == 0xf0 && (high(3) & 0xd0) == 0x90;
  for (std::size_t i = 0; i < instruction.size(); i += 2) {
    std::ranges::copy(branch && i == 0 ? kReturn : kNop, instruction.begin() + std::ptrdiff_t(i));
  }
  return instruction;
}

sim::MachineFacts facts(const RunOptions& options) {
  using unicorn_board::kDmaRam;
  return {
      .ram = {{.size_bytes = kDmaRam.size_bytes, .cached = kDmaRam.base, .uncached = kDmaRam.base}},
      // 16 KiB, four ways, as the larger Cortex-M7s have it: nothing is pushed out by chance.
      .cache =
          sim::CacheGeometry{
              .line_bytes = options.line_bytes, .sets = 0x1000 / options.line_bytes, .ways = 4},
      .write_buffer_stores = 8,
      .early_loads = 32};
}

/// An instruction as it is executed.
struct Step {
  std::uint32_t address;
  std::uint32_t size_bytes;
};

class Emulator {
 public:
  Emulator(const ElfImage& image, sim::Adversary& adversary, const RunOptions& options);
  Outcome run();

 private:
  using Engine = std::unique_ptr<uc_engine, decltype(&uc_close)>;

  static Engine open();
  void map_memory();
  void load_image();
  void map_devices();
  template <std::uint32_t base, auto read, auto write>
  void map_device(std::size_t size_bytes, const char* what);
  void watch_instructions();

  void check(uc_err error, const char* what) {
    if (error != UC_ERR_OK) throw std::runtime_error{std::string{what} + ": " + uc_strerror(error)};
  }
  /// Of what Unicorn calls nothing may throw: it is C.
  template <class Action>
  void guarded(Action action) noexcept {
    try {
      action();
    } catch (const std::exception& thrown) {
      stop(thrown.what());
    }
  }
  void stop(const std::string& why) {
    if (outcome_.error.empty()) outcome_.error = why;
    uc_emu_stop(uc_.get());
  }

  // What the image's loads and stores of a part of the address space do, by address.
  std::uint64_t load(std::uint32_t address, unsigned size_bytes);
  void store(std::uint32_t address, unsigned size_bytes, std::uint64_t value);
  std::uint64_t read_engine(std::uint32_t address, unsigned size_bytes);
  void write_engine(std::uint32_t address, unsigned size_bytes, std::uint64_t value);
  std::uint64_t read_core(std::uint32_t address, unsigned size_bytes);
  void write_core(std::uint32_t address, unsigned size_bytes, std::uint64_t value);

  void at_instruction(std::uint32_t address, std::uint32_t size_bytes);
  void call_debugger();
  void note(const char* what);
  [[nodiscard]] std::uint32_t word(std::uint32_t address);

  const ElfImage& image_;
  const RunOptions& options_;
  sim::Machine machine_;
  sim::Checker checker_{machine_, {.callback = sim::Checker::silent}};
  Core core_{machine_};
  CopyEngine engine_{machine_};
  Engine uc_ = open();
  std::vector<Kind> kinds_;  ///< of the instruction at 2 n
  std::map<std::uint32_t, Site> sites_;
  Step now_{}, before_{};
  Outcome outcome_;
};

Emulator::Emulator(const ElfImage& image, sim::Adversary& adversary, const RunOptions& options)
    : image_{image}, options_{options}, machine_{facts(options)} {
  machine_.set_adversary(&adversary);
  map_memory();
  load_image();
  map_devices();
  watch_instructions();
}

Emulator::Engine Emulator::open() {
  uc_engine* uc = nullptr;
  const auto mode = static_cast<uc_mode>(UC_MODE_THUMB | UC_MODE_MCLASS);
  if (uc_open(UC_ARCH_ARM, mode, &uc) != UC_ERR_OK) throw std::runtime_error{"no Unicorn"};
  Engine engine{uc, &uc_close};
  if (uc_ctl_set_cpu_model(uc, UC_CPU_ARM_CORTEX_M7) != UC_ERR_OK) {
    throw std::runtime_error{"this Unicorn has no Cortex-M7"};
  }
  return engine;
}

void Emulator::map_memory() {
  check(uc_mem_map(uc_.get(), 0, kCodeBytes, UC_PROT_READ | UC_PROT_EXEC), "code");
  check(uc_mem_map(uc_.get(), kData, kDataBytes, UC_PROT_READ | UC_PROT_WRITE), "data");
}

void Emulator::load_image() {
  std::vector<std::byte> code;
  for (const ElfImage::Segment& segment : image_.segments()) {
    check(uc_mem_write(uc_.get(), segment.address, segment.bytes.data(), segment.bytes.size()),
          "a segment of the image");
    if (segment.address >= kCodeBytes) continue;
    code.resize(std::max(code.size(), segment.address + segment.bytes.size()));
    std::ranges::copy(segment.bytes, code.begin() + segment.address);
  }
  if (options_.without) {
    const auto nothing =
        without(std::span{code}.subspan(options_.without->address, options_.without->size_bytes));
    check(uc_mem_write(uc_.get(), options_.without->address, nothing.data(), nothing.size()),
          "nothing in place of an instruction");
  }
  const auto halfword = [&](std::size_t index) {
    return static_cast<std::uint16_t>(std::to_integer<unsigned>(code[2 * index]) |
                                      std::to_integer<unsigned>(code[2 * index + 1]) << 8);
  };
  for (std::size_t i = 0; i + 1 < code.size() / 2; ++i) {
    kinds_.push_back(kind_of(halfword(i), halfword(i + 1)));
  }
}

template <std::uint32_t base, auto read, auto write>
void Emulator::map_device(std::size_t size_bytes, const char* what) {
  const uc_cb_mmio_read_t reads = [](uc_engine*, std::uint64_t offset, unsigned size, void* user) {
    auto* const self = static_cast<Emulator*>(user);
    std::uint64_t value = 0;
    self->guarded([&] { value = (self->*read)(base + static_cast<std::uint32_t>(offset), size); });
    return value;
  };
  const uc_cb_mmio_write_t writes = [](uc_engine*, std::uint64_t offset, unsigned size,
                                       std::uint64_t value, void* user) {
    auto* const self = static_cast<Emulator*>(user);
    self->guarded([&] { (self->*write)(base + static_cast<std::uint32_t>(offset), size, value); });
  };
  check(uc_mmio_map(uc_.get(), base, size_bytes, reads, this, writes, this), what);
}

void Emulator::map_devices() {
  using namespace unicorn_board;
  map_device<kDmaRam.base.raw(), &Emulator::load, &Emulator::store>(kDmaRam.size_bytes,
                                                                    "DMA memory");
  map_device<kEngine, &Emulator::read_engine, &Emulator::write_engine>(kPageBytes,
                                                                       "the DMA engine");
  map_device<kSystemControlSpace, &Emulator::read_core, &Emulator::write_core>(
      kPageBytes, "the System Control Space");
}

std::uint64_t Emulator::load(std::uint32_t address, unsigned size_bytes) {
  ++outcome_.accesses;
  return core_.load(address, size_bytes);
}

void Emulator::store(std::uint32_t address, unsigned size_bytes, std::uint64_t value) {
  ++outcome_.accesses;
  core_.store(address, size_bytes, value);
  // The engine is quick to see what it can.
  if (unicorn_board::kCoherent.contains(PhysAddr{address})) engine_.look();
}

std::uint64_t Emulator::read_engine(std::uint32_t address, unsigned /*size_bytes*/) {
  return engine_.read(address - unicorn_board::kEngine);
}

void Emulator::write_engine(std::uint32_t address, unsigned /*size_bytes*/, std::uint64_t value) {
  engine_.write(address - unicorn_board::kEngine, static_cast<std::uint32_t>(value));
}

std::uint64_t Emulator::read_core(std::uint32_t address, unsigned /*size_bytes*/) {
  return core_.read_register(address);
}

void Emulator::write_core(std::uint32_t address, unsigned /*size_bytes*/, std::uint64_t value) {
  if (address == cortex_m::kDccmvac) note("DCCMVAC");
  if (address == cortex_m::kDcimvac) note("DCIMVAC");
  if (address == cortex_m::kDccimvac) note("DCCIMVAC");
  core_.write_register(address, static_cast<std::uint32_t>(value));
}

void Emulator::watch_instructions() {
  uc_hook hook = 0;
  constexpr auto each = [](uc_engine*, std::uint64_t address, std::uint32_t size, void* user) {
    auto* const self = static_cast<Emulator*>(user);
    self->guarded([&] { self->at_instruction(static_cast<std::uint32_t>(address), size); });
  };
  const uc_cb_hookcode_t callback = each;
  check(uc_hook_add(uc_.get(), &hook, UC_HOOK_CODE, reinterpret_cast<void*>(callback), this,
                    std::uint64_t{1}, std::uint64_t{0}),
        "a hook on instructions");
}

void Emulator::note(const char* what) {
  const std::string function = image_.function_at(now_.address);
  if (!function.starts_with(kPort)) return;
  sites_.try_emplace(now_.address, Site{now_.address, now_.size_bytes, what, function});
  if (!image_.begins_function(now_.address)) return;
  sites_.try_emplace(before_.address, Site{before_.address, before_.size_bytes, what,
                                           image_.function_at(before_.address)});
}

void Emulator::at_instruction(std::uint32_t address, std::uint32_t size_bytes) {
  before_ = std::exchange(now_, {address, size_bytes});
  if (++outcome_.instructions == kHangs) stop("the image hangs");
  switch (kinds_.at(address / 2)) {
    case Kind::other:
      break;
    case Kind::dsb:
      note("dsb");
      core_.dsb();
      break;
    case Kind::dmb:
      note("dmb");
      core_.dmb();
      break;
    case Kind::isb:
      note("isb");
      core_.isb();
      break;
    case Kind::semihosting:
      call_debugger();
      break;
  }
}

std::uint32_t Emulator::word(std::uint32_t address) {
  std::uint32_t value = 0;
  check(uc_mem_read(uc_.get(), address, &value, sizeof value), "a word for the debugger");
  return value;
}

/// Source: Arm "Semihosting for AArch32 and AArch64", release 2.0: SYS_WRITE0, SYS_EXIT_EXTENDED.
void Emulator::call_debugger() {
  std::uint32_t operation = 0;
  std::uint32_t parameter = 0;
  uc_reg_read(uc_.get(), UC_ARM_REG_R0, &operation);
  uc_reg_read(uc_.get(), UC_ARM_REG_R1, &parameter);
  constexpr std::uint32_t kApplicationExit = 0x20026;
  switch (operation) {
    case 0x04:
      for (char byte = 0;; ++parameter) {
        check(uc_mem_read(uc_.get(), parameter, &byte, 1), "words for the debugger");
        if (byte == 0) break;
        outcome_.console += byte;
      }
      break;
    case 0x20:
      if (word(parameter) == kApplicationExit)
        outcome_.status = static_cast<int>(word(parameter + 4));
      uc_emu_stop(uc_.get());
      return;
    default:
      throw std::runtime_error{"an unknown semihosting call"};
  }
  // On behind the breakpoint.
  const std::uint32_t behind = (now_.address + 2) | 1U;
  uc_reg_write(uc_.get(), UC_ARM_REG_PC, &behind);
}

Outcome Emulator::run() {
  const std::uint32_t stack = word(0);
  uc_reg_write(uc_.get(), UC_ARM_REG_SP, &stack);
  const uc_err ended = uc_emu_start(uc_.get(), word(4), kCodeBytes, 0, 0);
  if (outcome_.error.empty() && ended != UC_ERR_OK) outcome_.error = uc_strerror(ended);
  if (outcome_.error.empty()) outcome_.error = engine_.error();
  outcome_.reports = checker_.reports();
  outcome_.copied = engine_.copied();
  for (auto& [address, site] : sites_) outcome_.sites.push_back(std::move(site));
  return std::move(outcome_);
}

}  // namespace

bool Outcome::right() const { return complaint().empty(); }

std::string Outcome::complaint() const {
  if (!error.empty()) return error;
  if (!status) return "the image did not end";
  if (*status != 0) {
    const std::size_t at = console.find("FAIL ");
    return at == std::string::npos ? "the image failed"
                                   : console.substr(at, console.find('\n', at) - at);
  }
  if (!reports.empty()) return "the checker: " + std::string{name_of(reports.front().mistake)};
  if (copied.size() != unicorn_board::kCopies) return "the engine did not get every copy";
  for (std::uint32_t copy = 0; copy < copied.size(); ++copy) {
    for (std::uint32_t i = 0; i < copied[copy].size(); ++i) {
      if (copied[copy][i] != std::byte{unicorn_board::source_byte(copy, i)}) {
        return "the engine read another byte than the CPU stored";
      }
    }
  }
  return "";
}

Outcome run(const ElfImage& image, sim::Adversary adversary, const RunOptions& options) {
  return Emulator{image, adversary, options}.run();
}

}  // namespace carveout::test
