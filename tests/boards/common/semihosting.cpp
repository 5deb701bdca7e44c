#include "semihosting.hpp"

#include <array>

namespace semihosting {
namespace {

constexpr std::uintptr_t kWrite0 = 0x04;
constexpr std::uintptr_t kExitExtended = 0x20;  // with a status on 32 bits, where SYS_EXIT has none
constexpr std::uintptr_t kApplicationExit = 0x20026;

}  // namespace

void write0(const char* words) { call(kWrite0, words); }

void exit(int status) {
  const std::array<std::uintptr_t, 2> block{kApplicationExit, static_cast<std::uintptr_t>(status)};
  for (;;) call(kExitExtended, block.data());
}

}  // namespace semihosting
