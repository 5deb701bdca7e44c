// --elf: what of a program is in memory.
#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "carveout/core/size.hpp"
#include "facts.hpp"
#include "refusal.hpp"

namespace carveout::cli {
namespace {

/// Reads numbers of either width and byte order out of an ELF file. Throws Refusal where one lies
/// outside of it.
class Elf {
 public:
  explicit Elf(const UserFile& file) : name_{file.name}, bytes_{file.bytes} {
    const std::string_view bytes = bytes_;
    if (bytes.size() < EI_NIDENT || !bytes.starts_with(ELFMAG)) refuse("is no ELF file", 0);
    wide_ = bytes[EI_CLASS] == ELFCLASS64;
    big_ = bytes[EI_DATA] == ELFDATA2MSB;
    if (!wide_ && bytes[EI_CLASS] != ELFCLASS32) refuse("is of no known class", EI_CLASS);
    if (!big_ && bytes[EI_DATA] != ELFDATA2LSB) refuse("is of no known byte order", EI_DATA);
  }

  [[nodiscard]] bool wide() const { return wide_; }

  /// A number whose place depends on the class.
  [[nodiscard]] std::uint64_t at(std::uint64_t base, std::size_t in_32, std::size_t bytes_32,
                                 std::size_t in_64, std::size_t bytes_64) const {
    if (base > bytes_.size()) refuse("is truncated", base);
    return number(base + (wide_ ? in_64 : in_32), wide_ ? bytes_64 : bytes_32);
  }

  [[nodiscard]] std::uint64_t size_bytes() const { return bytes_.size(); }

  /// What stands so far behind the begin of a table, up to its zero.
  [[nodiscard]] std::string_view text(std::uint64_t table, std::uint64_t offset) const {
    if (table >= bytes_.size() || bytes_.size() - table <= offset) {
      refuse("has a name outside of it", table);
    }
    const std::string_view rest = bytes_.substr(table + offset);
    return rest.substr(0, rest.find('\0'));
  }

  [[noreturn]] void refuse(std::string_view what, std::uint64_t offset) const {
    throw Refusal{name_, what, fmt::format("byte {:#x}", offset)};
  }

 private:
  [[nodiscard]] std::uint64_t number(std::uint64_t offset, std::size_t size) const {
    if (offset > bytes_.size() || bytes_.size() - offset < size) refuse("is truncated", offset);
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t byte = big_ ? i : size - 1 - i;
      value = value << 8 | static_cast<unsigned char>(bytes_[offset + byte]);
    }
    return value;
  }

  const std::string& name_;
  std::string_view bytes_;
  bool wide_ = false;
  bool big_ = false;
};

// The place and width of a field in both classes.
#define FIELD(type, name)                                                                 \
  offsetof(Elf32_##type, name), sizeof(Elf32_##type::name), offsetof(Elf64_##type, name), \
      sizeof(Elf64_##type::name)

std::vector<PhysRange> segments_of(const Elf& elf) {
  const std::uint64_t table = elf.at(0, FIELD(Ehdr, e_phoff));
  const std::uint64_t size = elf.at(0, FIELD(Ehdr, e_phentsize));
  const std::uint64_t count = elf.at(0, FIELD(Ehdr, e_phnum));
  if (count != 0 && size < (elf.wide() ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr))) {
    elf.refuse("has program headers that lie over each other", table);
  }
  std::vector<PhysRange> segments;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t entry = table + i * size;
    if (elf.at(entry, FIELD(Phdr, p_type)) != PT_LOAD) continue;
    const PhysRange range{PhysAddr{elf.at(entry, FIELD(Phdr, p_paddr))},
                          elf.at(entry, FIELD(Phdr, p_memsz))};
    if (range.empty()) continue;
    if (range.wraps()) elf.refuse("has a segment that passes 2^64", entry);
    segments.push_back(range);
  }
  return segments;
}

std::vector<ProgramSection> sections_of(const Elf& elf) {
  const std::uint64_t table = elf.at(0, FIELD(Ehdr, e_shoff));
  const std::uint64_t size = elf.at(0, FIELD(Ehdr, e_shentsize));
  const std::uint64_t count = elf.at(0, FIELD(Ehdr, e_shnum));
  const std::uint64_t names_index = elf.at(0, FIELD(Ehdr, e_shstrndx));
  std::vector<ProgramSection> sections;
  if (count == 0) return sections;
  if (size < (elf.wide() ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr))) {
    elf.refuse("has section headers that lie over each other", table);
  }
  // Names may share their ends, and a hostile file all of a name as long as itself, 65,535 times.
  std::uint64_t bytes_left = elf.size_bytes();
  const std::uint64_t names = elf.at(table + names_index * size, FIELD(Shdr, sh_offset));
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t entry = table + i * size;
    if ((elf.at(entry, FIELD(Shdr, sh_flags)) & SHF_ALLOC) == 0) continue;
    const PhysRange range{PhysAddr{elf.at(entry, FIELD(Shdr, sh_addr))},
                          elf.at(entry, FIELD(Shdr, sh_size))};
    if (range.empty() || range.wraps()) continue;
    const std::string_view name = elf.text(names, elf.at(entry, FIELD(Shdr, sh_name)));
    if (name.size() > bytes_left) elf.refuse("has section names longer than itself", entry);
    bytes_left -= name.size();
    sections.push_back({std::string{name}, range});
  }
  return sections;
}

#undef FIELD

}  // namespace

Program read_program(const UserFile& file, std::optional<std::uint64_t> load) {
  const Elf elf{file};
  std::vector<PhysRange> segments = segments_of(elf);
  if (segments.empty())
    throw Refusal{file.name, "has no segment that is loaded", "program headers"};
  const std::uint64_t lowest = std::ranges::min(segments, {}, &PhysRange::base).base.raw();
  const std::uint64_t moved = load ? *load - lowest : 0;
  for (PhysRange& segment : segments) {
    const bool passes = load && !checked_add(segment.base.raw() - lowest, *load);
    segment.base = PhysAddr{segment.base.raw() + moved};
    if (passes || segment.wraps()) throw Refusal{file.name, "would pass 2^64 there", "--load"};
  }
  Program program{.segments = std::move(segments), .sections = sections_of(elf)};
  // A section runs where it was linked to: a copy at start may move it away from where it is
  // loaded, so only a program that is moved as a whole has other addresses than the file says.
  for (ProgramSection& section : program.sections) {
    section.range.base = PhysAddr{section.range.base.raw() + moved};
  }
  std::erase_if(program.sections, [](const ProgramSection& each) { return each.range.wraps(); });
  return program;
}

}  // namespace carveout::cli
