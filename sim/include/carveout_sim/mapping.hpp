// Stretches of the host's address space: where the model's memory lies, and where it only pretends.
#pragma once

#include <cstddef>

namespace carveout::sim {

/// Memory without an address: each Mapping of it shows the same bytes.
class SharedMemory {
 public:
  /// @param size_bytes  whole host pages; zero at first.
  /// @throws std::system_error  the host has no such memory.
  explicit SharedMemory(std::size_t size_bytes);
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  ~SharedMemory();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }

 private:
  int descriptor_;
  std::size_t size_bytes_;
};

/// Host pages, with an inaccessible page on either side: a pointer that runs off one end faults.
class Mapping {
 public:
  enum class Access : bool {
    none,        ///< addresses and nothing behind them: any touch faults
    read_write,  ///< memory, zero at first
  };

  /// @param size_bytes  whole host pages.
  /// @throws std::system_error  the host has no such memory.
  Mapping(std::size_t size_bytes, Access access);
  /// `memory` need not outlive it.
  explicit Mapping(const SharedMemory& memory);
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&&) = delete;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  [[nodiscard]] std::byte* data() const { return data_; }

  /// Memory is zero again; not for Access::none. Up to a MiB it stays the host's: to write over
  /// that much costs less than to be given one page anew.
  void clear();

 private:
  std::byte* data_;
  std::size_t size_bytes_;
};

/// What Mapping and the addresses of RAM are counted in.
[[nodiscard]] std::size_t host_page_bytes();

}  // namespace carveout::sim
