# How an image is made. Included by cross builds only.
enable_language(ASM)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^cortex-")
  set(CARVEOUT_NO_ENUM_WARNING -Wl,--no-enum-size-warning)
endif()

# carveout_add_board_support(<target> <source>...): start-up code, console and mem* functions of one
# architecture, for all images of this build.
function(carveout_add_board_support target)
  add_library(${target} OBJECT ${ARGN})
  carveout_target_defaults(${target})
  target_include_directories(${target} PUBLIC . common)
  target_link_libraries(${target} PUBLIC carveout::core)
  # GCC must not find a memcpy in memcpy; clang does not while it compiles freestanding.
  set_source_files_properties(
    common/memory.cpp PROPERTIES COMPILE_OPTIONS
                                 "$<$<CXX_COMPILER_ID:GNU>:-fno-tree-loop-distribute-patterns>")
endfunction()

# carveout_add_image(<name> SOURCES <file>... LINKER_SCRIPT <file> LIBS <target>...
#                    [DEFINES <definition>...])
function(carveout_add_image name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LINKER_SCRIPT" "SOURCES;LIBS;DEFINES")
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES SUFFIX .elf)
  carveout_target_defaults(${name})
  target_compile_definitions(${name} PRIVATE ${arg_DEFINES})
  set(script "${CMAKE_CURRENT_SOURCE_DIR}/${arg_LINKER_SCRIPT}")
  set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS "${script}"
                                            "${PROJECT_SOURCE_DIR}/tests/boards/common/image.ld")
  # Two warnings that mean nothing here: libgcc of Arm has no variant with enums of the size that
  # libfdt has, and nothing that an image takes of it has an enum in it; and some of its assembly does
  # not say that it needs no executable stack. An image is loaded as one piece that is all of it
  # readable, writable and executable.
  target_link_options(
    ${name}
    PRIVATE
    "-L${PROJECT_SOURCE_DIR}/tests/boards"
    -T
    "${script}"
    -Wl,--fatal-warnings
    ${CARVEOUT_NO_ENUM_WARNING}
    -Wl,-z,noexecstack
    -Wl,--build-id=none
    -Wl,--no-warn-rwx-segments
    "-Wl,-Map=${name}.map")
  target_link_libraries(${name} PRIVATE ${arg_LIBS} carveout::core
                                        $<$<CXX_COMPILER_ID:GNU>:gcc>)
endfunction()
