# carveout_generate(<target> <board> FOR armv7m|armv8m|riscv|generic
#                   [DEVICES <node>[=<bits>]...] [MPU_REGIONS <n>] [NAMESPACE <name>]
#                   [WORLD secure|non-secure] [OVERLAYS <file>...])
#
# Runs `carveout gen` on a device tree whenever it changes, before <target> is compiled: sources
# include <carveout_tables.hpp> and, where there is an MPU, <carveout_mpu.hpp>, and a linker script
# may INCLUDE carveout.ld. A board that does not fit fails the build.
#
# The program is the one of this build, if it has one; else CARVEOUT_PROGRAM, which is looked for
# beside the package and in PATH. In a cross build it is the build machine's.
function(carveout_generate target board)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "FOR;MPU_REGIONS;NAMESPACE;WORLD" "DEVICES;OVERLAYS")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_FOR)
    message(FATAL_ERROR "carveout_generate(${target}): FOR missing, or unknown arguments: "
                        "${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(TARGET carveout)
    set(program carveout)
  else()
    find_program(CARVEOUT_PROGRAM carveout HINTS ${CARVEOUT_PROGRAM_HINTS} REQUIRED)
    set(program "${CARVEOUT_PROGRAM}")
  endif()
  cmake_path(ABSOLUTE_PATH board BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
  set(out "${CMAKE_CURRENT_BINARY_DIR}/${target}_carveout")
  set(files "${out}/carveout.ld" "${out}/carveout_tables.hpp")
  if(arg_FOR MATCHES "^armv[78]m$")
    list(APPEND files "${out}/carveout_mpu.hpp")
  endif()
  set(options --target "${arg_FOR}" --out "${out}")
  foreach(device IN LISTS arg_DEVICES)
    list(APPEND options --device "${device}")
  endforeach()
  foreach(overlay IN LISTS arg_OVERLAYS)
    cmake_path(ABSOLUTE_PATH overlay BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
    list(APPEND options --overlay "${overlay}")
    list(APPEND overlays "${overlay}")
  endforeach()
  if(arg_MPU_REGIONS)
    list(APPEND options --mpu-regions "${arg_MPU_REGIONS}")
  endif()
  if(arg_NAMESPACE)
    list(APPEND options --namespace "${arg_NAMESPACE}")
  endif()
  if(arg_WORLD)
    list(APPEND options --world "${arg_WORLD}")
  endif()
  add_custom_command(
    OUTPUT ${files}
    COMMAND ${program} gen "${board}" ${options}
    DEPENDS ${program} "${board}" ${overlays}
    COMMENT "carveout gen for ${target}"
    VERBATIM)
  target_sources(${target} PRIVATE ${files})
  target_include_directories(${target} PRIVATE "${out}")
  target_link_directories(${target} PRIVATE "${out}")
  set_property(
    TARGET ${target}
    APPEND
    PROPERTY LINK_DEPENDS "${out}/carveout.ld")
endfunction()
