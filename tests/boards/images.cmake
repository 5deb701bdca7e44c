# How an image is made. Included by cross builds only.
enable_language(ASM)

# carveout_add_board_support(<target> <source>...): start-up code, console and mem* functions of one
# architecture, for all images of this build.
function(carveout_add_board_support target)
  add_library(${target} OBJECT ${ARGN})
  carveout_target_defaults(${target})
  target_include_directories(${target} PUBLIC common)
  target_link_libraries(${target} PUBLIC carveout::core)
  # The compiler must not find a memcpy in memcpy.
  set_source_files_properties(common/memory.cpp PROPERTIES COMPILE_OPTIONS
                                                           -fno-tree-loop-distribute-patterns)
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
  set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS "${script}")
  # Two warnings that mean nothing here: libgcc has no variant with enums of the size that libfdt
  # has, and nothing that an image takes of it has an enum in it; and some of its assembly does not
  # say that it needs no executable stack.
  target_link_options(${name} PRIVATE -T "${script}" "-L${CMAKE_CURRENT_SOURCE_DIR}" -Wl,--fatal-warnings -Wl,--no-enum-size-warning
                      -Wl,-z,noexecstack "-Wl,-Map=${name}.map")
  target_link_libraries(${name} PRIVATE ${arg_LIBS} carveout::core gcc)
endfunction()
