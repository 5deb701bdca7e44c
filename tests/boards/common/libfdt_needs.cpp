// What a hosted libfdt.a needs beyond memory.cpp. Debian builds it with the stack protector; the
// guard of an image need not be secret, only not a value that a string copy writes.
#include <cstddef>
#include <cstdint>

#include "board.hpp"

// The C library's prototypes are not in sight here, and must not be: memchr() and its like are
// overloaded in C++ where they are.
extern "C" {

std::uintptr_t __stack_chk_guard = 0x0aff'0d00;
[[noreturn]] void __stack_chk_fail() {
  board::die("stack smashed near", reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)));
}

void* memchr(const void* in, int value, std::size_t size) {
  const auto* at = static_cast<const unsigned char*>(in);
  for (std::size_t i = 0; i < size; ++i) {
    if (at[i] == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(at + i);
  }
  return nullptr;
}

std::size_t strnlen(const char* words, std::size_t most) {
  std::size_t length = 0;
  while (length < most && words[length] != '\0') ++length;
  return length;
}

char* strchr(const char* words, int value) {
  for (;; ++words) {
    if (*words == static_cast<char>(value)) return const_cast<char*>(words);
    if (*words == '\0') return nullptr;
  }
}

char* strrchr(const char* words, int value) {
  const char* last = nullptr;
  for (;; ++words) {
    if (*words == static_cast<char>(value)) last = words;
    if (*words == '\0') return const_cast<char*>(last);
  }
}

}  // extern "C"
