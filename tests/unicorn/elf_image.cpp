#include "elf_image.hpp"

#include <cxxabi.h>
#include <elf.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <stdexcept>

namespace carveout::test {
namespace {

/// The n-th T of a table of the file.
template <class T>
T entry(std::span<const char> file, std::size_t offset, std::size_t index = 0) {
  offset += index * sizeof(T);
  if (offset > file.size() || file.size() - offset < sizeof(T)) {
    throw std::runtime_error{"the image ends in the middle"};
  }
  T value;
  std::memcpy(&value, file.data() + offset, sizeof(T));
  return value;
}

std::string demangled(const char* name) {
  const std::unique_ptr<char, decltype(&std::free)> text{
      abi::__cxa_demangle(name, nullptr, nullptr, nullptr), &std::free};
  const std::string whole = text ? text.get() : name;
  return whole.substr(0, whole.rfind('('));
}

}  // namespace

ElfImage::ElfImage(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  const std::vector<char> file{std::istreambuf_iterator<char>{in}, {}};
  if (file.empty()) throw std::runtime_error{"no image " + path};
  const auto header = entry<Elf32_Ehdr>(file, 0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS32 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_ARM) {
    throw std::runtime_error{path + " is no 32-bit Arm program"};
  }
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = entry<Elf32_Phdr>(file, header.e_phoff, i);
    if (segment.p_type != PT_LOAD || segment.p_filesz == 0) continue;
    const auto bytes = std::as_bytes(std::span{file}).subspan(segment.p_offset, segment.p_filesz);
    segments_.push_back({segment.p_paddr, {bytes.begin(), bytes.end()}});
  }
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const auto table = entry<Elf32_Shdr>(file, header.e_shoff, i);
    if (table.sh_type != SHT_SYMTAB) continue;
    const auto names = entry<Elf32_Shdr>(file, header.e_shoff, table.sh_link);
    for (std::size_t n = 0; n < table.sh_size / sizeof(Elf32_Sym); ++n) {
      const auto symbol = entry<Elf32_Sym>(file, table.sh_offset, n);
      if (ELF32_ST_TYPE(symbol.st_info) != STT_FUNC) continue;
      const char* const name = file.data() + names.sh_offset + symbol.st_name;
      functions_.push_back({symbol.st_value & ~1U, symbol.st_size, demangled(name)});
    }
  }
}

std::string ElfImage::function_at(std::uint32_t address) const {
  for (const Function& function : functions_) {
    if (address - function.address < function.size_bytes) return function.name;
  }
  return "";
}

bool ElfImage::begins_function(std::uint32_t address) const {
  return std::ranges::find(functions_, address, &Function::address) != functions_.end();
}

}  // namespace carveout::test
