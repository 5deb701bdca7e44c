// The checker: follows who owns which bytes and what the caches may hold of them, and reports each
// mistake by name, whether it did harm in this run or not.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carveout/check/mapping_book.hpp"
#include "carveout/core/address.hpp"
#include "carveout/core/direction.hpp"
#include "carveout/core/window.hpp"
#include "carveout_sim/buffer.hpp"
#include "carveout_sim/bus_side.hpp"
#include "carveout_sim/marked_lines.hpp"
#include "carveout_sim/mistake.hpp"
#include "carveout_sim/observer.hpp"
#include "carveout_sim/range_set.hpp"
#include "carveout_sim/report.hpp"

namespace carveout::sim {

using Where = std::source_location;

enum class OnReport : std::uint8_t { go_on, abort };

/// Whether the CPUs bring lines in that no program asked for.
enum class Speculation : std::uint8_t {
  may_happen,
  never,  ///< MIPS 24K, Hexagon: a line that was invalidated before a transfer stays out until a
          ///< load or a store of the CPU brings it in
};

/// What a device reaches, and in what pieces. Whatever is mapped or allocated for it is held
/// against that.
struct DeviceLimits {
  Translation translation = Translation::identity();        ///< its windows outlive the checker
  DmaAddr mask{std::numeric_limits<std::uint64_t>::max()};  ///< the highest address it can emit
  std::uint64_t max_segment_bytes = 0;                      ///< 0: none is too long
  std::uint64_t segment_boundary_bytes = 0;  ///< a power of two that no piece crosses; 0: none
};

/// Watches a machine and is told of what the machine cannot see: which memory is whose.
///
/// Checks that follow from accesses need no such call and hold for drivers that make none. They do
/// not depend on what the caches did in this run: a store that was never cleaned is a mistake even
/// where the line happened to be evicted in time.
///
/// What is told of mappings goes into a MappingBook, whose rules are the ones for a target, too.
///
/// Each mistake about a buffer is reported once as long as it lives. Addresses may be either one of
/// the RAM's two. Thread-safe; a callback uses neither checker nor machine.
class Checker final : public Observer {
 public:
  using Callback = std::function<void(const Report&)>;
  using Errors = MappingBook::Errors;
  struct Settings {
    Callback callback = print;
    OnReport then = OnReport::go_on;
    Speculation speculation = Speculation::may_happen;
    /// by_mapping_error: each map() and map_resource() is followed by a mapping_error().
    Errors errors = Errors::by_result;
    /// How many mappings and blocks may live at a time, ended ones that are remembered included.
    std::size_t entries = 4096;
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
  [[nodiscard]] Master attach(std::string name, const DeviceLimits& limits = {});
  void detach(Master device, Where where = Where::current());

  /// Memory that no device is to be given, and why: maps_stack, maps_text, maps_no_ram. What is no
  /// RAM of the machine needs no such call.
  void forbid(PhysRange range, Mistake mistake);
  /// Bytes that say, once a device wrote them, that others are written: an ownership bit, an index.
  /// What the CPU loads past its cache after such a one wants an observe_barrier() between the two.
  void flag(PhysRange range);

  /// Coherent memory: reached past the cache from now on, by the device and by the CPU.
  /// @param granted_bytes  how much the block has: more than was asked for is nobody's.
  /// @param cpu  the pointer that came with it; nullptr: not compared with the one at free().
  void alloc(Master device, PhysRange asked, std::uint64_t granted_bytes,
             Where where = Where::current());
  void alloc(Master device, PhysRange asked, std::uint64_t granted_bytes, const void* cpu,
             Where where = Where::current());
  void free(Master device, PhysRange asked, Where where = Where::current());
  void free(Master device, PhysRange asked, const void* cpu, Where where = Where::current());

  /// Streaming mappings, as the calls of the same names in Linux: the device owns the bytes from
  /// map() or sync_for_device() on until sync_for_cpu() or unmap(). A sync of a part passes the
  /// whole lines of it that the mapping has.
  void map(Master device, PhysRange range, Direction direction, Where where = Where::current());
  void unmap(Master device, PhysRange range, Direction direction, Where where = Where::current());
  void sync_for_cpu(Master device, PhysRange range, Direction direction,
                    Where where = Where::current());
  void sync_for_device(Master device, PhysRange range, Direction direction,
                       Where where = Where::current());

  /// A map() that was refused, and the driver's question whether one was.
  void map_failed(Master device, PhysRange range, Direction direction,
                  Where where = Where::current());
  void mapping_error(Master device, PhysRange range);

  using List = std::span<const PhysRange>;
  void map_sg(Master device, List list, Direction direction, Where where = Where::current());
  void unmap_sg(Master device, List list, Direction direction, Where where = Where::current());
  void sync_sg_for_cpu(Master device, List list, Direction direction,
                       Where where = Where::current());
  void sync_sg_for_device(Master device, List list, Direction direction,
                          Where where = Where::current());

  /// What is no memory: another device's registers.
  void map_resource(Master device, PhysRange range, Direction direction,
                    Where where = Where::current());
  void unmap_resource(Master device, PhysRange range, Direction direction,
                      Where where = Where::current());

  void cpu_reads(std::uint32_t cpu, PhysRange range, Through through) override;
  void cpu_writes(std::uint32_t cpu, PhysRange range, Through through) override;
  void cpu_maintains(std::uint32_t cpu, PhysRange lines, Maintenance what) override;
  void stores_found(std::uint32_t cpu, PhysRange range) override;
  void cpu_touched(PhysRange range, Touch how, std::string_view stacks) override;
  void cpu_orders(std::uint32_t cpu, Barrier barrier) override;
  void device_reads(Master master, PhysRange range, Started started) override;
  void device_writes(Master master, PhysRange range, Started started) override;
  void bus_refuses(Master master, DmaRange range, BusError error) override;
  /// Devices, flags, forbidden memory, counts and reports stay.
  void machine_resets() override;

 private:
  struct Device {
    std::string name;
    DeviceLimits limits;
    bool attached;
  };
  struct Store {
    PhysRange range;
    bool by_its_line;  ///< through the cache, or where the cache has no other address
    std::set<Master> seen_by;
  };
  struct CpuState {
    MarkedLines lines;
    std::vector<Store> unpublished;  ///< past the cache, since the last publish barrier
    /// What each device wrote since the last observe barrier, and what of it a flag has told of.
    std::map<Master, RangeSet> unobserved;
    RangeSet announced;
  };

  // checker.cpp
  [[nodiscard]] std::vector<CpuState> new_cpus() const;
  [[nodiscard]] PhysRange canonical(PhysRange range) const;
  [[nodiscard]] Device* device_of(Master device);
  [[nodiscard]] std::string name_of_device(Master device);
  [[nodiscard]] Buffer& buffer_of(const MappingBook::Entry& entry);
  /// The living buffer that overlaps a range.
  [[nodiscard]] Buffer* find(PhysRange range);
  /// Notes what happens in every living buffer that it touches.
  void note(std::string_view what, PhysRange range);
  void report(Mistake mistake, PhysRange range, Buffer* buffer, std::string what,
              std::string_view stacks = {});
  [[nodiscard]] std::string text_of_buffer(const Buffer& buffer);

  // checker_calls.cpp
  using Bytes = MappingBook::Bytes;
  using Entry = MappingBook::Entry;
  using Call = MappingBook::Call;
  /// A call that the book is about to be told of, and in words for whatever it reports.
  [[nodiscard]] Call enter(std::string_view verb, Master device, Direction direction,
                           const Where& where);
  [[nodiscard]] Bytes bytes_of(PhysRange range) const;
  [[nodiscard]] std::vector<Bytes> bytes_of(List list) const;
  void found(const MappingBook::Report& told);
  void make_room(std::size_t entries);
  void begun(const Entry* entry, PhysRange given);
  /// Notes the call in what it is about, before it is.
  void note_call(Master device, PhysRange range);
  /// A sync passed a list to the CPU, or back.
  void passed(Master device, List list, void (Buffer::*to)(PhysRange));
  void check_reach(const Entry& entry, PhysRange given);
  void owns(List list, Direction direction);
  void owns_no_more(List list);
  /// What devices have: one, or each of them.
  [[nodiscard]] std::vector<PhysRange> lent(std::optional<Master> to = std::nullopt) const;

  // checker_accesses.cpp
  void check_touch(std::string_view who, PhysRange range, Through through, Touch how,
                   std::string_view stacks = {});
  void check_order(std::uint32_t cpu, PhysRange range, std::string_view who);
  /// A CPU stores: what it lost before is of no interest any more, to nobody.
  void stored_anew(PhysRange range);
  /// A store past the cache, or through it, is on its way.
  void on_its_way(std::uint32_t cpu, PhysRange range, Through through);
  /// Of what is on its way, this has arrived.
  void arrived(std::uint32_t cpu, PhysRange lines);
  /// What the CPUs have stored in the lines of a device's bytes.
  void check_lines_under(PhysRange range, Buffer* buffer, const std::string& who);
  [[nodiscard]] Buffer* check_mapped(Master master, PhysRange range, std::string_view verb);

  BusSide& machine_;
  Settings settings_;
  std::size_t line_bytes_;
  mutable std::mutex mutex_;
  std::uint64_t happened_ = 0;
  std::array<std::uint64_t, kMistakes> counts_{};
  std::vector<Report> reports_;
  std::set<std::pair<Mistake, std::uint64_t>> reported_;  ///< about no buffer: by page
  std::vector<Device> devices_;                           ///< Master less 1
  std::vector<MappingBook::Entry> table_;
  MappingBook book_;
  std::vector<Buffer> buffers_;  ///< by the slot of the book's entry
  std::vector<MappingBook::Forbidden> forbidden_;
  std::string call_;  ///< what the book was told of last, in words
  RangeSet flags_;
  std::vector<CpuState> cpus_;
};

}  // namespace carveout::sim
