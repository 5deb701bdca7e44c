#include "lint_trees.hpp"

#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "command_line.hpp"
#include "refusal.hpp"

namespace carveout::test {
namespace {

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream{line};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

template <class Part>
void append(std::string& to, const Part& part) {
  to.append(reinterpret_cast<const char*>(&part), sizeof part);
}

void replace(std::string& text, std::string_view what, const std::string& by) {
  const std::size_t at = text.find(what);
  if (at != std::string::npos) text.replace(at, what.size(), by);
}

}  // namespace

std::string lint_trees() { return std::string{CARVEOUT_CLI_TESTS} + "/../trees/lint"; }

LintTree lint_tree(const std::string& rule, std::string_view name) {
  LintTree tree{.path = lint_trees() + "/" + rule + "/" + std::string{name} + ".dts",
                .options = {}};
  std::ifstream file{tree.path};
  EXPECT_TRUE(file) << tree.path << " is missing";
  std::string line;
  while (std::getline(file, line) && line.starts_with("// ")) {
    const std::vector<std::string> words = words_of(line);
    if (words[1] == "lint:") tree.options.assign(words.begin() + 2, words.end());
    if (words[1] != "blob:") continue;
    tree.is_cut = true;
    tree.longer_bytes = (words[2] == "cut" ? -1 : 1) * std::stoi(words[3]);
  }
  return tree;
}

cli::Answer in_process(const std::vector<std::string>& arguments) {
  return cli::parse(arguments)(cli::Terminal{.colour = false});
}

std::string refusal_of(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "lint");
  try {
    return in_process(arguments).data;
  } catch (const cli::Refusal& refusal) {
    return refusal.what();
  }
}

nlohmann::json lint(const TemporaryFolder& folder, const LintTree& tree,
                    std::vector<std::string> more) {
  std::vector<std::string> arguments{"lint", "--format", "json"};
  for (std::string option : tree.options) {
    replace(option, "{dir}", std::filesystem::path{tree.path}.parent_path().string());
    if (option == "{elf}") option = folder.write("program.elf", small_program());
    arguments.push_back(option);
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  std::string board = tree.path;
  if (tree.is_cut) {
    const auto from = std::filesystem::path{CARVEOUT_CLI_TESTS} / "trees";
    std::string blob = compiled(std::filesystem::relative(tree.path, from).string());
    blob.resize(blob.size() + static_cast<std::size_t>(tree.longer_bytes));
    board = folder.write("board.dtb", blob);
  }
  arguments.push_back(board);
  return nlohmann::json::parse(in_process(arguments).data);
}

std::vector<nlohmann::json> findings_of(std::string_view rule, const nlohmann::json& answer) {
  std::vector<nlohmann::json> findings;
  for (const nlohmann::json& finding : answer["findings"]) {
    if (finding["rule"] == rule) findings.push_back(finding);
  }
  return findings;
}

std::string small_program() {
  constexpr Elf32_Addr kBase = 0x9001'0000;
  constexpr std::uint32_t kBytes = 0x1000;
  const std::string names{"\0.dma_rings\0.names\0", 19};
  Elf32_Ehdr head{};
  const std::string ident{ELFMAG};
  std::ranges::copy(ident, head.e_ident);
  head.e_ident[EI_CLASS] = ELFCLASS32;
  head.e_ident[EI_DATA] = ELFDATA2LSB;
  head.e_machine = EM_ARM;
  head.e_phoff = sizeof head;
  head.e_phentsize = sizeof(Elf32_Phdr);
  head.e_phnum = 1;
  head.e_shoff = sizeof head + sizeof(Elf32_Phdr);
  head.e_shentsize = sizeof(Elf32_Shdr);
  head.e_shnum = 3;
  head.e_shstrndx = 2;
  const Elf32_Phdr segment{.p_type = PT_LOAD,
                           .p_offset = 0,
                           .p_vaddr = kBase,
                           .p_paddr = kBase,
                           .p_filesz = 0,
                           .p_memsz = kBytes,
                           .p_flags = PF_R | PF_W,
                           .p_align = 4};
  Elf32_Shdr rings{};
  rings.sh_name = 1;
  rings.sh_type = SHT_NOBITS;
  rings.sh_flags = SHF_ALLOC | SHF_WRITE;
  rings.sh_addr = kBase;
  rings.sh_size = kBytes;
  Elf32_Shdr table{};
  table.sh_name = 12;
  table.sh_type = SHT_STRTAB;
  table.sh_offset = head.e_shoff + 3 * sizeof(Elf32_Shdr);
  table.sh_size = static_cast<Elf32_Word>(names.size());
  std::string file;
  append(file, head);
  append(file, segment);
  append(file, Elf32_Shdr{});
  append(file, rings);
  append(file, table);
  return file + names;
}

std::vector<std::string> trimmed_lines(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream stream{std::string{text}};
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line.substr(std::min(line.find_first_not_of('\t'), line.size())));
  }
  return lines;
}

std::string line_of(const std::string& file, std::size_t number) {
  std::ifstream stream{file};
  std::string line;
  for (std::size_t i = 0; i < number; ++i) std::getline(stream, line);
  return line;
}

std::string contents_if_there(const std::string& file) {
  return std::filesystem::exists(file) ? contents(file) : std::string{};
}

void expect_golden(const std::string& file, const std::string& text) {
  if (std::getenv("CARVEOUT_UPDATE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(std::filesystem::path{file}.parent_path());
    std::ofstream{file} << text;
  }
  EXPECT_EQ(contents_if_there(file), text) << file;
}

}  // namespace carveout::test
