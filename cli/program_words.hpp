// What help and the man page both say of the program.
#pragma once

#include <string_view>

#if !defined(CARVEOUT_VERSION)
#define CARVEOUT_VERSION "without a version"  // read by a tool, not built by CMake
#define CARVEOUT_VERSION_DATE "1970-01-01"
#endif

namespace carveout::cli {

inline constexpr std::string_view kVersion = CARVEOUT_VERSION;
inline constexpr std::string_view kVersionDate = CARVEOUT_VERSION_DATE;

inline constexpr std::string_view kBoards =
    "BOARD is a .dtb, - (a blob on standard input), a .dts (compiled by dtc), or a directory in\n"
    "the form of /proc/device-tree. Data goes to standard output, all else to standard error.\n";

inline constexpr std::string_view kExitStatus =
    "0 done, for `why` and `simulate` all granted, for `lint` no finding at or above\n"
    "--fail-level; 1 for `why` and `simulate` something refused, for `lint` findings, for `gen` a\n"
    "board that does not fit: nothing is written; 2 wrong use, or an input that cannot be read: "
    "one\n"
    "line on standard error, and nothing on standard output.\n";

}  // namespace carveout::cli
