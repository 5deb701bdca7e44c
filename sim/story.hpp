// What of a run's record is worth drawing: the lines that the mistake is about, and the steps that
// touch them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "carveout_sim/run_record.hpp"

namespace carveout::sim {

/// Steps that are drawn as one, or that are not drawn.
struct Column {
  std::size_t first, last;  ///< of the record's steps, the last one included
  bool left_out;
};

/// A byte of which cache and RAM do not agree when the mistake is made.
struct WrongByte {
  PhysAddr at;
  std::uint32_t cpu;
  std::byte cached, in_ram;
};

enum class Cell : std::uint8_t { absent, clean, dirty, stale };

class Story {
 public:
  static constexpr std::size_t kMostColumns = 60;
  static constexpr std::size_t kMostLines = 4;

  /// `run` outlives the story.
  explicit Story(const RunRecord& run);

  [[nodiscard]] const RunRecord& run() const { return run_; }
  [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }
  [[nodiscard]] const std::vector<PhysAddr>& lines() const { return lines_; }
  /// The column of the mistake; nothing where no checker found one.
  [[nodiscard]] std::optional<std::size_t> mistake() const { return mistake_; }
  [[nodiscard]] const Report* report() const;
  [[nodiscard]] const std::optional<WrongByte>& wrong() const { return wrong_; }
  /// The wrong byte, as the CPU or device that read it saw it; empty where nobody read it.
  [[nodiscard]] std::string seen() const;
  /// "at 0x35a000000 CPU 0 saw 00, and RAM held 2a"; empty where wrong() is nothing.
  [[nodiscard]] std::string wrong_in_words() const;

  [[nodiscard]] const Step& first_of(const Column& column) const {
    return run_.steps()[column.first];
  }
  /// From the first to the last byte that the column's steps are about.
  [[nodiscard]] PhysRange range_of(const Column& column) const;
  /// How often, where its steps are about the same bytes; else 1.
  [[nodiscard]] std::size_t times(const Column& column) const;
  /// "CPU 0", "the hardware, by itself", "eth"
  [[nodiscard]] std::string actor_of(const Column& column) const;
  /// "loads 0x35a000000, 128 bytes"; of those left out, how many.
  [[nodiscard]] std::string deed_of(const Column& column) const;
  /// What the hardware had to do for it, in the cache of a line: "fills the line"; may be empty.
  [[nodiscard]] std::string implied_by(const Column& column) const;

  // After a column:
  [[nodiscard]] Cell cell(PhysAddr line, std::uint32_t cpu, const Column& column) const;
  [[nodiscard]] std::string cached_bytes(PhysAddr line, std::uint32_t cpu,
                                         const Column& column) const;
  [[nodiscard]] std::string ram_bytes(PhysAddr line, const Column& column) const;
  [[nodiscard]] bool store_waits(PhysAddr line, std::uint32_t cpu, const Column& column) const;
  /// Empty: nobody said.
  [[nodiscard]] std::string owner(const Column& column) const;
  /// The bytes of a line that are shown.
  [[nodiscard]] PhysRange shown(PhysAddr line) const;

 private:
  [[nodiscard]] std::optional<WrongByte> wrong_in(PhysRange range, std::size_t after) const;
  void find_mistake();
  void choose_lines();
  void choose_columns();
  [[nodiscard]] bool matters(const Step& step) const;
  [[nodiscard]] bool changes(std::size_t step) const;
  [[nodiscard]] bool in_one_line(PhysRange one, PhysRange other) const;
  /// `left_out` tells which steps are; `goes_on`, which ranges are one column's if the deeds are.
  template <class LeftOut, class GoesOn>
  void make_columns(LeftOut left_out, GoesOn goes_on);
  [[nodiscard]] const LineNow* after(PhysAddr line, const Column& column) const {
    return run_.line(line, column.last + 1);
  }
  [[nodiscard]] std::string hex_bytes(PhysAddr line, std::span<const std::byte> bytes) const;

  const RunRecord& run_;
  std::optional<std::size_t> step_;  ///< of the mistake, or the last one that saw a wrong byte
  std::optional<std::size_t> mistake_;
  std::optional<WrongByte> wrong_;
  std::vector<PhysAddr> lines_;
  PhysAddr about_{0};                                  ///< the line of the mistake
  std::map<std::uint64_t, std::uint64_t> shown_from_;  ///< by line: the first byte
  std::vector<Column> columns_;
};

[[nodiscard]] std::string_view name_of(Cell cell);

}  // namespace carveout::sim
