#include "carveout_sim/mapping.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace carveout::sim {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

}  // namespace

std::size_t host_page_bytes() {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return page;
}

Mapping::Mapping(std::size_t size_bytes, Access access) : data_{nullptr}, size_bytes_{size_bytes} {
  const std::size_t guard = host_page_bytes();
  const std::size_t whole = guard + size_bytes_ + guard;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* const reserved = ::mmap(nullptr, whole, PROT_NONE, kFlags, -1, 0);
  if (reserved == MAP_FAILED) fail("address space for a model's memory");
  data_ = static_cast<std::byte*>(reserved) + guard;
  if (access == Access::none) return;
  if (::mprotect(data_, size_bytes_, PROT_READ | PROT_WRITE) != 0) {
    const int error = errno;
    ::munmap(reserved, whole);
    errno = error;
    fail("a model's memory");
  }
}

Mapping::Mapping(const SharedMemory& memory) : Mapping{memory.size_bytes(), Access::none} {
  void* const shown = ::mmap(data_, size_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                             memory.descriptor(), 0);
  if (shown == MAP_FAILED) fail("a view of a model's memory");
}

void Mapping::clear() {
  constexpr std::size_t kWrittenOver = 0x10'0000;
  if (size_bytes_ <= kWrittenOver) {
    std::memset(data_, 0, size_bytes_);
  } else if (::madvise(data_, size_bytes_, MADV_DONTNEED) != 0) {
    fail("a model's memory, to be zero again");
  }
}

SharedMemory::SharedMemory(std::size_t size_bytes)
    : descriptor_{::memfd_create("carveout-machine", MFD_CLOEXEC)}, size_bytes_{size_bytes} {
  if (descriptor_ < 0) fail("a model's shared memory");
  if (::ftruncate(descriptor_, static_cast<off_t>(size_bytes)) != 0) {
    const int error = errno;
    ::close(descriptor_);
    errno = error;
    fail("a model's shared memory");
  }
}

SharedMemory::~SharedMemory() { ::close(descriptor_); }

Mapping::Mapping(Mapping&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)}, size_bytes_{other.size_bytes_} {}

Mapping::~Mapping() {
  if (data_ == nullptr) return;
  const std::size_t guard = host_page_bytes();
  ::munmap(data_ - guard, guard + size_bytes_ + guard);
}

}  // namespace carveout::sim
