// The checker: follows who owns which bytes and what the caches may hold of them, and reports each
// mistake by name, whether it did harm in this run or not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout/core/direction.hpp"
#include "carveout_sim/bus_side.hpp"
#include "carveout_sim/marked_lines.hpp"
#include "carveout_sim/observer.hpp"

namespace carveout::sim {

/// What can be wrong. docs/machine.md has a row for each.
enum class Mistake : std::uint8_t {
  missing_sync_before_device_reads,
  missing_sync_after_device_wrote,
  dirty_line_over_device_data,
  line_shared,
  store_lost_by_invalidate,
  touch_while_device_owns,
  cached_twin,
  overrun,
  missing_publish_barrier,
  published_before_data,
  device_access_unmapped,
  device_write_to_read_only,
  outside_window,
  use_after_detach,
  partial_line,
  map_overlap,
  unmap_unknown,
  double_unmap,
  wrong_size_at_unmap,
  wrong_direction_at_unmap,
  sync_unknown,
  sync_outside_range,
  wrong_direction_at_sync,
  leaked_mapping,
  leaked_block,
  free_unknown,
  double_free,
  wrong_size_at_free,
};
inline constexpr std::size_t kMistakes = 28;

[[nodiscard]] std::string_view name_of(Mistake mistake);
/// Why it is wrong, and the line that is missing or to be changed.
[[nodiscard]] std::string_view why(Mistake mistake);
[[nodiscard]] std::string_view cure(Mistake mistake);

using Where = std::source_location;

/// What happened to a buffer, told when a report is about it.
struct Happening {
  std::uint64_t number;  ///< of all that the checker saw, from 1
  std::string what;      ///< "CPU 0 stores", "map to_device at send.cpp:12 (send)"
  PhysRange range;
};

struct Report {
  Mistake mistake;
  std::string what;  ///< who did what to which bytes
  PhysRange range;
  std::string buffer;  ///< which, allocated and mapped where and by whom, its owner now; may be ""
  std::vector<Happening> history;  ///< of that buffer, the last ones
  std::string stacks;              ///< of a touch of a PlainMachine's memory

  /// All of it, with why() and cure().
  [[nodiscard]] std::string text() const;
};

enum class OnReport : std::uint8_t { go_on, abort };

/// Watches a machine and is told of what the machine cannot see: which memory is whose.
///
/// Checks that follow from accesses need no such call and hold for drivers that make none. They do
/// not depend on what the caches did in this run: a store that was never cleaned is a mistake even
/// where the line happened to be evicted in time.
///
/// Each mistake about a buffer is reported once as long as it lives. Addresses may be either one of
/// the RAM's two. Thread-safe; a callback uses neither checker nor machine.
class Checker final : public Observer {
 public:
  using Callback = std::function<void(const Report&)>;
  struct Settings {
    Callback callback = print;
    OnReport then = OnReport::go_on;
  };
  /// Writes the report to stderr.
  static void print(const Report& report);
  static void silent(const Report& /*report*/) {}

  /// `machine` outlives the checker, which is its observer as long as it lives.
  explicit Checker(BusSide& machine);
  Checker(BusSide& machine, Settings settings);
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;
  ~Checker() override;

  [[nodiscard]] std::uint64_t count(Mistake mistake) const;
  [[nodiscard]] std::uint64_t count() const;
  /// The first kReports of them.
  static constexpr std::size_t kReports = 256;
  [[nodiscard]] std::vector<Report> reports() const;

  /// A device, for DmaEngine's `master`. Only of such devices are mappings checked.
  [[nodiscard]] Master attach(std::string name);
  void detach(Master device, Where where = Where::current());

  /// Coherent memory: reached past the cache from now on, by the device and by the CPU.
  /// @param granted_bytes  how much the block has: more than was asked for is nobody's.
  void alloc(Master device, PhysRange asked, std::uint64_t granted_bytes,
             Where where = Where::current());
  void free(Master device, PhysRange asked, Where where = Where::current());

  /// Streaming mappings, as the calls of the same names in Linux: the device owns the bytes from
  /// map() or sync_for_device() on until sync_for_cpu() or unmap().
  void map(Master device, PhysRange range, Direction direction, Where where = Where::current());
  void unmap(Master device, PhysRange range, Direction direction, Where where = Where::current());
  void sync_for_cpu(Master device, PhysRange range, Direction direction,
                    Where where = Where::current());
  void sync_for_device(Master device, PhysRange range, Direction direction,
                       Where where = Where::current());

  void cpu_reads(std::uint32_t cpu, PhysRange range, Through through) override;
  void cpu_writes(std::uint32_t cpu, PhysRange range, Through through) override;
  void cpu_maintains(std::uint32_t cpu, PhysRange lines, Maintenance what) override;
  void stores_found(std::uint32_t cpu, PhysRange range) override;
  void cpu_touched(PhysRange range, Touch how, std::string_view stacks) override;
  void cpu_orders(std::uint32_t cpu, Barrier barrier) override;
  void device_reads(Master master, PhysRange range, Started started) override;
  void device_writes(Master master, PhysRange range) override;
  void bus_refuses(Master master, DmaRange range, BusError error) override;

 private:
  struct Device {
    std::string name;
    bool attached;
  };
  enum class Owner : std::uint8_t { cpu, device };
  enum class Made : std::uint8_t { by_map, by_alloc };
  struct Buffer {
    PhysRange range;
    std::uint64_t granted_bytes;
    Master device;
    Made made;
    Direction direction;
    Owner owner;
    std::string where;
    std::vector<Happening> history;
    std::uint32_t reported = 0;  ///< a bit for each Mistake
  };
  struct Store {
    PhysRange range;
    bool device_saw;
  };
  struct CpuState {
    MarkedLines lines;
    std::vector<Store> unpublished;  ///< past the cache, since the last publish barrier
  };

  static constexpr std::size_t kHistory = 8;

  [[nodiscard]] PhysRange canonical(PhysRange range) const;
  [[nodiscard]] std::string device_name(Master device) const;
  /// The live buffer that overlaps a range; of `device`, where one is given.
  [[nodiscard]] Buffer* find(PhysRange range, std::optional<Master> device = {});
  [[nodiscard]] Buffer* mapped_at(Master device, PhysAddr base);
  [[nodiscard]] Buffer* block_at(Master device, PhysAddr base);
  [[nodiscard]] static Buffer* find_dead(std::vector<Buffer>& dead, Master device, PhysRange range);
  void bury(std::vector<Buffer>& dead, Buffer* buffer);

  /// Notes what happens in every live buffer that it touches.
  void note(std::string_view what, PhysRange range);
  void note(Buffer& buffer, std::string_view what, PhysRange range);
  void report(Mistake mistake, PhysRange range, Buffer* buffer, std::string what,
              std::string_view stacks = {});
  [[nodiscard]] std::string describe(const Buffer& buffer) const;

  void check_touch(std::string_view who, PhysRange range, Through through, Touch how,
                   std::string_view stacks = {});
  [[nodiscard]] Buffer* check_mapped(Master master, PhysRange range, std::string_view verb);
  void note_map(Master device, PhysRange given, Direction direction, const Where& where);
  void sync(Master device, PhysRange given, Direction direction, Owner to, const Where& where);

  BusSide& machine_;
  Settings settings_;
  std::size_t line_bytes_;
  mutable std::mutex mutex_;
  std::uint64_t happened_ = 0;
  std::array<std::uint64_t, kMistakes> counts_{};
  std::vector<Report> reports_;
  std::set<std::pair<Mistake, std::uint64_t>> reported_;  ///< about no buffer: by page
  std::vector<Device> devices_;                           ///< Master less 1
  std::vector<Buffer> live_;
  std::vector<Buffer> unmapped_, freed_;
  std::vector<CpuState> cpus_;
};

}  // namespace carveout::sim
