# Functions that every CMakeLists.txt of this project uses to make its targets alike.

set(CARVEOUT_WARNINGS
    -Wall
    -Wextra
    -Wpedantic
    -Wconversion
    -Wsign-conversion
    -Wshadow
    -Wold-style-cast
    -Wnon-virtual-dtor
    -Woverloaded-virtual
    # clang's form of it also fires inside libfdt's macros.
    $<$<CXX_COMPILER_ID:GNU>:-Wcast-align>
    -Wcast-qual
    -Wundef
    -Wformat=2
    -Wimplicit-fallthrough
    -Wextra-semi
    -Wdouble-promotion
    -Wnull-dereference
    -Wno-psabi # a note about an ABI of GCC before 7, for each std::span passed on Arm
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond>
    $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-branches>
    $<$<CXX_COMPILER_ID:GNU>:-Wlogical-op>
    $<$<CXX_COMPILER_ID:GNU>:-Wsuggest-override>)

# Language level and warnings of our own code, hosted or not.
function(carveout_target_defaults target)
  set_target_properties(${target} PROPERTIES CXX_STANDARD 23 CXX_STANDARD_REQUIRED ON
                                             CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${CARVEOUT_WARNINGS}>)
  if(CARVEOUT_WERROR)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
  endif()
endfunction()

# carveout_add_library(<target> EXPORT_NAME <name>): a static library of the freestanding floors,
# with the alias carveout::<name>. The sources are listed by the folders under src/.
#
# -fno-exceptions and -fno-rtti hold everywhere, the host too. -ffreestanding holds where there is
# no operating system, and only there: on a host the same inline functions of the standard library
# are also compiled into hosted callers, and two preprocessings of one inline function are a breach
# of the one-definition rule; the sanitizers also lose sight of mem* calls that the compiler is told
# not to know. The freestanding builds (presets cortex-m7, cortex-a7, riscv64) compile the same
# sources, so nothing hosted stays unnoticed.
function(carveout_add_library target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "EXPORT_NAME" "")
  # The list file is a source that is not compiled: a floor that is headers only is still a target.
  add_library(${target} STATIC "${PROJECT_SOURCE_DIR}/CMakeLists.txt")
  add_library(carveout::${arg_EXPORT_NAME} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${arg_EXPORT_NAME} LINKER_LANGUAGE CXX)
  carveout_target_defaults(${target})
  target_compile_features(${target} PUBLIC cxx_std_23)
  target_compile_options(
    ${target}
    PRIVATE -fno-exceptions -fno-rtti -ffunction-sections -fdata-sections
            $<$<NOT:$<BOOL:${CARVEOUT_HOSTED}>>:-ffreestanding> -fno-threadsafe-statics)
  target_include_directories(
    ${target} PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
                     "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
endfunction()

# carveout_public_headers(<target> <pattern>...): the headers that are installed and that must
# compile alone; patterns are relative to include/carveout. Globbed, unlike the sources, because a
# header that somebody forgot to list would silently be neither installed nor verified.
function(carveout_public_headers target)
  list(TRANSFORM ARGN PREPEND "${PROJECT_SOURCE_DIR}/include/carveout/")
  file(GLOB headers CONFIGURE_DEPENDS ${ARGN})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES
                                  ${headers})
endfunction()

function(carveout_exclude_public_header target header)
  get_target_property(headers ${target} HEADER_SET)
  list(REMOVE_ITEM headers "${PROJECT_SOURCE_DIR}/include/carveout/${header}")
  set_property(TARGET ${target} PROPERTY HEADER_SET "${headers}")
endfunction()

function(carveout_add_optional_subdirectory folder)
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/CMakeLists.txt")
    add_subdirectory(${folder})
  endif()
endfunction()

# carveout_add_hosted_library(<target> ALIAS <name> INCLUDE <folder>): a library for programs that
# run under an operating system; heap, exceptions and streams are at home there.
function(carveout_add_hosted_library target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ALIAS;INCLUDE" "")
  add_library(${target} STATIC CMakeLists.txt)
  add_library(carveout::${arg_ALIAS} ALIAS ${target})
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
  carveout_target_defaults(${target})
  target_compile_features(${target} PUBLIC cxx_std_23)
  set(base "${CMAKE_CURRENT_SOURCE_DIR}/${arg_INCLUDE}")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${base}/*.hpp")
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${base}" FILES ${headers})
endfunction()
