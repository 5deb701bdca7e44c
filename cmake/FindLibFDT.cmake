# Finds libfdt, which ships no CMake package of its own.
#
# Makes the target LibFDT::fdt. Hints: LibFDT_ROOT (a folder with include/ and lib/), and
# LibFDT_INCLUDE_DIR and LibFDT_LIBRARY, which name the folder and the file themselves. The static
# library is preferred: it is what a bare-metal image links, and a program that carries it needs no
# package of its user.

if(NOT LibFDT_LIBRARY)
  set(_libfdt_suffixes "${CMAKE_FIND_LIBRARY_SUFFIXES}")
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a ${CMAKE_FIND_LIBRARY_SUFFIXES})
  find_library(LibFDT_LIBRARY NAMES fdt)
  set(CMAKE_FIND_LIBRARY_SUFFIXES "${_libfdt_suffixes}")
  unset(_libfdt_suffixes)
endif()
find_path(LibFDT_INCLUDE_DIR NAMES libfdt.h)
mark_as_advanced(LibFDT_LIBRARY LibFDT_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibFDT REQUIRED_VARS LibFDT_LIBRARY LibFDT_INCLUDE_DIR)

if(LibFDT_FOUND AND NOT TARGET LibFDT::fdt)
  add_library(LibFDT::fdt UNKNOWN IMPORTED)
  set_target_properties(
    LibFDT::fdt PROPERTIES IMPORTED_LOCATION "${LibFDT_LIBRARY}"
                           INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${LibFDT_INCLUDE_DIR}"
                           INTERFACE_INCLUDE_DIRECTORIES "${LibFDT_INCLUDE_DIR}")
endif()
