// A plugin of QEMU 7.2's translator: counts the instructions between two addresses, each time that
// they are passed, and at the end says how many at most, by what was at the second address.
//
// Arguments: out=FILE for what is said, begin=ADDRESS, and NAME=ADDRESS for each end. Of an
// interrupt in between, the instructions count as well.
//
// Debian packages no header for plugins: what is used of the interface is declared here. Source:
// QEMU 7.2, docs/devel/tcg-plugins.rst, "API".
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <string>
#include <string_view>

extern "C" {
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
using Id = std::uint64_t;

std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb* tb);
qemu_plugin_insn* qemu_plugin_tb_get_insn(const qemu_plugin_tb* tb, std::size_t index);
std::uint64_t qemu_plugin_insn_vaddr(const qemu_plugin_insn* instruction);
void qemu_plugin_register_vcpu_tb_trans_cb(Id id, void (*translated)(Id, qemu_plugin_tb*));
void qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_insn* instruction,
                                            void (*executed)(unsigned cpu, void* data), int flags,
                                            void* data);
void qemu_plugin_register_atexit_cb(Id id, void (*ended)(Id, void*), void* data);

[[gnu::visibility("default")]] int qemu_plugin_version = 1;
[[gnu::visibility("default")]] int qemu_plugin_install(Id id, const qemu_info_t* info, int count,
                                                       char** arguments);
}

namespace {

struct End {
  std::string name;
  std::uint64_t times = 0;
  std::uint64_t most = 0;
};

/// Never destroyed: the emulator still asks for it after it has called the destructors of its
/// plugins.
struct Counter {
  std::string out;
  std::uint64_t begin = 0;
  std::map<std::uint64_t, End*> ends;
  std::deque<End> in_order;
  std::uint64_t counted = 0;
};
Counter& counter = *new Counter;

void translated(Id /*id*/, qemu_plugin_tb* tb) {
  constexpr int kNoRegisters = 0;
  for (std::size_t i = 0; i < qemu_plugin_tb_n_insns(tb); ++i) {
    qemu_plugin_insn* const instruction = qemu_plugin_tb_get_insn(tb, i);
    const std::uint64_t address = qemu_plugin_insn_vaddr(instruction);
    const auto end = counter.ends.find(address);
    if (address == counter.begin) {
      qemu_plugin_register_vcpu_insn_exec_cb(
          instruction, [](unsigned, void*) { counter.counted = 0; }, kNoRegisters, nullptr);
    } else if (end != counter.ends.end()) {
      qemu_plugin_register_vcpu_insn_exec_cb(
          instruction,
          [](unsigned, void* data) {
            End& here = *static_cast<End*>(data);
            ++here.times;
            here.most = std::max(here.most, counter.counted);
          },
          kNoRegisters, end->second);
    } else {
      qemu_plugin_register_vcpu_insn_exec_cb(
          instruction, [](unsigned, void*) { ++counter.counted; }, kNoRegisters, nullptr);
    }
  }
}

void ended(Id /*id*/, void* /*data*/) {
  std::FILE* const file = std::fopen(counter.out.c_str(), "w");
  if (file == nullptr) return;
  for (const End& end : counter.in_order) {
    std::fprintf(file, "%s calls %llu worst %llu\n", end.name.c_str(),
                 static_cast<unsigned long long>(end.times),
                 static_cast<unsigned long long>(end.most));
  }
  std::fclose(file);
}

}  // namespace

int qemu_plugin_install(Id id, const qemu_info_t* /*info*/, int count, char** arguments) {
  for (int i = 0; i < count; ++i) {
    const std::string_view argument = arguments[i];
    const auto equals = argument.find('=');
    if (equals == std::string_view::npos) return 1;
    const std::uint64_t address = std::strtoull(arguments[i] + equals + 1, nullptr, 16);
    const std::string name{argument.substr(0, equals)};
    if (name == "out") {
      counter.out = argument.substr(equals + 1);
    } else if (name == "begin") {
      counter.begin = address;
    } else {
      counter.ends[address] = &counter.in_order.emplace_back(End{.name = name});
    }
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, ended, nullptr);
  return 0;
}
