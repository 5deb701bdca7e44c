// What happened in one run of a machine, step by step, and what cache and RAM held after each step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carveout/core/address.hpp"
#include "carveout/core/direction.hpp"
#include "carveout_sim/adversary.hpp"
#include "carveout_sim/checker.hpp"
#include "carveout_sim/witness.hpp"

namespace carveout::sim {

enum class Actor : std::uint8_t {
  cpu,       ///< the program
  hardware,  ///< by itself
  device,
  lender,  ///< hands memory over between CPU and device
  checker,
};

struct Step {
  std::uint64_t moment;  ///< as Decision counts them
  Actor actor;
  std::uint32_t which;                ///< CPU, or Master of a device
  std::string verb;                   ///< "loads"
  PhysRange range;                    ///< of a barrier: empty
  std::optional<Direction> lent;      ///< of a lender: to the device, so; nothing: returned
  std::optional<std::size_t> report;  ///< of reports(): the first that it caused
};

/// What one CPU has of a line.
struct CachedLine {
  LineState state;
  std::vector<std::byte> bytes;  ///< where it is valid
  bool store_waits = false;      ///< in the write buffer, to this line

  bool operator==(const CachedLine&) const = default;
  [[nodiscard]] bool is_stale(std::span<const std::byte> ram) const;
};

/// A line from a step on.
struct LineNow {
  std::size_t after;  ///< so many steps had been done
  std::vector<CachedLine> cpus;
  std::vector<std::byte> ram;
};

/// Follows one run: show_to() of the run's adversary. It outlives the machine, and is read when the
/// run is over. Cost: each moment looks at every line that was touched so far.
class RunRecord final : public Witness {
 public:
  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
  [[nodiscard]] const std::vector<Report>& reports() const { return reports_; }
  [[nodiscard]] std::size_t line_bytes() const { return line_bytes_; }
  [[nodiscard]] std::uint32_t cpus() const { return cpus_; }
  /// First bytes of the lines that were touched.
  [[nodiscard]] std::vector<PhysAddr> lines() const;
  /// What a line was when so many steps had been done; nullptr: not looked at until then.
  [[nodiscard]] const LineNow* line(PhysAddr base, std::size_t after) const;
  /// As the checker knows it, or "device 3".
  [[nodiscard]] std::string device_name(Master device) const;

  void begins(const Hands& machine) override;
  void ends() override;
  void comes(const Moment& moment) override;
  void may_act(const Action& action) override;
  void acted(const Action& action) override;
  void observed() override;
  void lent(PhysRange range, Direction direction) override;
  void returned(PhysRange range) override;
  void named(Master device, std::string_view name) override;
  void found(const Report& report) override;

  void cpu_reads(std::uint32_t cpu, PhysRange range, Through through) override;
  void cpu_writes(std::uint32_t cpu, PhysRange range, Through through) override;
  void cpu_maintains(std::uint32_t cpu, PhysRange lines, Maintenance what) override;
  void stores_found(std::uint32_t cpu, PhysRange range) override;
  void cpu_touched(PhysRange range, Touch how, std::string_view stacks) override;
  void cpu_orders(std::uint32_t cpu, Barrier barrier) override;
  void device_reads(Master master, PhysRange range, Started started) override;
  void device_writes(Master master, PhysRange range, Started started) override;
  void bus_refuses(Master master, DmaRange range, BusError error) override;

 private:
  /// Notes every line that is not as it was.
  void look();
  [[nodiscard]] LineNow seen(PhysAddr base) const;
  void add(Actor actor, std::uint32_t which, std::string_view verb, PhysRange range);

  mutable std::mutex mutex_;
  const Hands* machine_ = nullptr;
  std::size_t line_bytes_ = 1;
  std::uint32_t cpus_ = 1;
  std::uint64_t moments_ = 0;  ///< that came
  bool observing_ = false;     ///< the last step is being told to the checker
  LineNow before_;             ///< the line that the hardware may act on
  std::vector<Step> steps_;
  std::vector<Report> reports_;
  std::map<Master, std::string> names_;
  std::map<std::uint64_t, std::vector<LineNow>> lines_;  ///< by the address of the first byte
};

}  // namespace carveout::sim
