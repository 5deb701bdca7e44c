// The emulator traps at each operation of Zicbom: they are recorded, and taken for done.
#include <array>
#include <cstddef>
#include <cstdint>

#include "board.hpp"
#include "checks.hpp"
#include "machine.hpp"
#include "trap.hpp"

namespace virt {
namespace {

enum Operation : std::uint32_t { cbo_inval, cbo_clean, cbo_flush };
struct Record {
  std::uint32_t operation;
  std::uintptr_t address;
};
std::array<Record, 4> records;
std::size_t recorded = 0;

void check_records(Operation operation, std::uintptr_t first) {
  board::check_equal(recorded, 3, "three blocks are maintained");
  for (std::size_t i = 0; i < 3; ++i) {
    board::check_equal(records[i].operation, operation, "by the operation of the verb");
    board::check_equal(records[i].address, first + i * 64, "in rising order");
  }
  recorded = 0;
}

}  // namespace

void check_processor() {
  alignas(64) static std::array<std::byte, 256> bytes;
  const auto first = reinterpret_cast<std::uintptr_t>(bytes.data());
  machine::Port port = machine::make_port();
  recorded = 0;
  board::write("     63 bytes into a block, 66 bytes long");
  port.clean(bytes.data() + 63, 66);
  check_records(cbo_clean, first);
  port.invalidate(bytes.data() + 63, 66);
  check_records(cbo_inval, first);
  port.clean_invalidate(bytes.data() + 63, 66);
  check_records(cbo_flush, first);
}

}  // namespace virt

std::uintptr_t on_trap(std::uintptr_t a0, std::uintptr_t pc, std::uintptr_t cause,
                       std::uintptr_t value) {
  using namespace virt;
  constexpr std::uintptr_t kIllegalInstruction = 2;
  constexpr std::uint32_t kOfBlockAtA0 = 0x0005'200f;
  const std::uint32_t instruction = *reinterpret_cast<const std::uint16_t*>(pc) |
                                    std::uint32_t{*reinterpret_cast<const std::uint16_t*>(pc + 2)}
                                        << 16;
  if (cause != kIllegalInstruction || (instruction & 0xf'ffff) != kOfBlockAtA0 ||
      instruction >> 20 > cbo_flush) {
    board::note("mepc", pc);
    board::note("mtval", value);
    board::die("trap that nobody expected, mcause", cause);
  }
  records[recorded % records.size()] = {instruction >> 20, a0};
  ++recorded;
  return pc + 4;
}
