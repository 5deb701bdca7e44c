// The files of --facts, --workload and --elf.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settings.hpp"
#include "text_file.hpp"

namespace carveout::cli {

/// `BASE+SIZE`. Throws Refusal.
///
/// @param subject  the file or verb, and
/// @param where    the place in it, for the refusal.
[[nodiscard]] PhysRange parse_range(std::string_view text, std::string_view subject,
                                    std::string_view where);

/// Lines `cache-line BYTES`, `mpu-regions N`, `reaches NODE BASE+SIZE`, `slow BASE+SIZE`,
/// `rate-critical NODE`, `section NAME`; each may stand several times, but mpu-regions. Throws
/// Refusal with the number of a line that cannot be read.
[[nodiscard]] ChipFacts read_facts(const UserFile& file);

/// A table in CSV with the header `time,op,id,device,size,align`, as for simulate. Throws Refusal
/// with the number of a line that cannot be read, or that frees what is not allocated.
[[nodiscard]] Workload read_workload(const UserFile& file);

/// The segments and named sections of an ELF file that occupy memory, by their physical (load)
/// addresses. Throws Refusal: it is no ELF file, is cut off, has no segment, or its section names
/// are longer together than itself.
///
/// @param load  where the lowest segment goes; as the file says, if nothing.
[[nodiscard]] Program read_program(const UserFile& file, std::optional<std::uint64_t> load);

}  // namespace carveout::cli
