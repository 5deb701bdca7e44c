// Talking to the emulator through Arm semihosting. Source: Arm "Semihosting for AArch32 and
// AArch64", release 2.0.
#pragma once

#include <cstdint>

namespace semihosting {

/// One call. Every architecture has its own instruction for it: see call.cpp in its folder.
std::uintptr_t call(std::uintptr_t operation, const void* parameter);

void write0(const char* words);
[[noreturn]] void exit(int status);

}  // namespace semihosting
