// The functions that the compiler and libfdt call and that a C library would bring. Compiled with
// -fno-tree-loop-distribute-patterns: otherwise the compiler sees a memcpy in memcpy and calls it.
//
// Never unaligned, so that they also serve memory that allows only that (an MMU that is off makes
// all memory of ARMv7-A so). memcpy() takes words where both sides have them, as any C library
// does: instructions are counted with it.
#include <cstddef>
#include <cstdint>

extern "C" {

void* memcpy(void* to, const void* from, std::size_t size) {
  using Word [[gnu::may_alias]] = std::uintptr_t;
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  std::size_t done = 0;
  const auto address =
      reinterpret_cast<std::uintptr_t>(to) | reinterpret_cast<std::uintptr_t>(from);
  if (address % sizeof(Word) == 0) {
    for (; size - done >= sizeof(Word); done += sizeof(Word)) {
      *static_cast<Word*>(static_cast<void*>(out + done)) =
          *static_cast<const Word*>(static_cast<const void*>(in + done));
    }
  }
  for (; done < size; ++done) out[done] = in[done];
  return to;
}

void* memmove(void* to, const void* from, std::size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  const auto* in = static_cast<const unsigned char*>(from);
  if (reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from) >= size) {
    for (std::size_t i = 0; i < size; ++i) out[i] = in[i];
  } else {
    for (std::size_t i = size; i > 0; --i) out[i - 1] = in[i - 1];
  }
  return to;
}

void* memset(void* to, int value, std::size_t size) {
  auto* out = static_cast<unsigned char*>(to);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<unsigned char>(value);
  return to;
}

int memcmp(const void* a, const void* b, std::size_t size) {
  const auto* x = static_cast<const unsigned char*>(a);
  const auto* y = static_cast<const unsigned char*>(b);
  for (std::size_t i = 0; i < size; ++i) {
    if (x[i] != y[i]) return x[i] - y[i];
  }
  return 0;
}

std::size_t strlen(const char* words) {
  std::size_t length = 0;
  while (words[length] != '\0') ++length;
  return length;
}

}  // extern "C"
