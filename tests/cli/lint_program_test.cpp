// lint --elf: a program that is moved, cut off, or made to be large.
#include <elf.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lint_trees.hpp"
#include "program.hpp"

namespace carveout::test {
namespace {

bool has(std::vector<std::string> arguments, std::string_view rule) {
  arguments.insert(arguments.begin(), {"lint", "--format", "json"});
  return !findings_of(rule, nlohmann::json::parse(in_process(arguments).data)).empty();
}

TEST(LintProgram, IsMovedToWhereItIsLoaded) {
  const TemporaryFolder folder;
  const std::string program = folder.write("program.elf", small_program());
  const std::string board = lint_tree("DMA016", "fixed").path;
  EXPECT_FALSE(has({lint_tree("DMA027", "fires").path, "--elf", program}, "DMA003"));
  EXPECT_TRUE(
      has({lint_tree("DMA027", "fires").path, "--elf", program, "--load", "0xa0000000"}, "DMA003"));
  EXPECT_TRUE(refusal_of({board, "--load", "0x90000000"}).contains("--load"));
}

TEST(LintProgram, ThatIsCutAnywhereIsRefused) {
  const TemporaryFolder folder;
  const std::string whole = small_program();
  const std::string board = lint_tree("DMA001", "fixed").path;
  for (std::size_t size = 0; size < whole.size() - 19; size += 7) {
    const std::string file = folder.write("program.elf", whole.substr(0, size));
    const std::string said = refusal_of({board, "--elf", file});
    EXPECT_TRUE(said.starts_with("carveout: " + file)) << size << said;
  }
}

/// A number in the head of an ELF file for 32 bits.
void set(std::string& program, std::size_t field, std::uint16_t value) {
  program[field] = static_cast<char>(value & 0xff);
  program[field + 1] = static_cast<char>(value >> 8);
}

TEST(LintProgram, WhoseHeadersLieOverEachOtherIsRefused) {
  const TemporaryFolder folder;
  for (const std::size_t field :
       {offsetof(Elf32_Ehdr, e_phentsize), offsetof(Elf32_Ehdr, e_shentsize)}) {
    std::string program = small_program();
    set(program, field, 16);
    const std::string said = refusal_of(
        {lint_tree("DMA001", "fixed").path, "--elf", folder.write("program.elf", program)});
    EXPECT_TRUE(said.contains("headers that lie over each other")) << said;
  }
}

TEST(LintProgram, WhoseSectionsShareANameAsLongAsTheFileIsRefused) {
  const TemporaryFolder folder;
  std::string program = small_program();
  Elf32_Shdr rings;
  std::memcpy(&rings, program.data() + sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr) + sizeof rings,
              sizeof rings);
  Elf32_Shdr names{};
  names.sh_offset = static_cast<Elf32_Off>(program.size());
  rings.sh_name = 0;
  program += ".dma" + std::string(1000, 'x') + '\0';
  const auto table = static_cast<Elf32_Off>(program.size());
  for (const Elf32_Shdr& each : {names, rings, rings, rings}) {
    program.append(reinterpret_cast<const char*>(&each), sizeof each);
  }
  std::memcpy(program.data() + offsetof(Elf32_Ehdr, e_shoff), &table, sizeof table);
  set(program, offsetof(Elf32_Ehdr, e_shstrndx), 0);
  const auto with_sections = [&](std::uint16_t count) {
    set(program, offsetof(Elf32_Ehdr, e_shnum), count);
    return folder.write("program.elf", program);
  };
  EXPECT_FALSE(refusal_of({lint_tree("DMA001", "fixed").path, "--elf", with_sections(2)})
                   .contains("longer"));
  const std::string said =
      refusal_of({lint_tree("DMA001", "fixed").path, "--elf", with_sections(4)});
  EXPECT_TRUE(said.contains("section names longer than itself")) << said;
}

TEST(LintProgram, OfWhichAPartWouldPassTheLastAddressIsRefused) {
  // Segments at 0x80000000 and 0x80100000.
  const std::string program = CARVEOUT_CLI_TESTS "/../fuzz/program/arm";
  const std::string said = refusal_of(
      {lint_tree("DMA001", "fixed").path, "--elf", program, "--load", "0xfffffffffff80000"});
  EXPECT_TRUE(said.contains("would pass 2^64 there (--load)")) << said;
}

}  // namespace
}  // namespace carveout::test
