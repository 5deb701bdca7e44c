# Install rules and the package that find_package(carveout) reads. One export set per component, so
# that a user of carveout::core needs no libfdt.
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/carveout")

set(components core check c linux)
if(CARVEOUT_HOSTED)
  list(APPEND components hosted)
endif()
if(CARVEOUT_HAVE_DEVICE_TREE)
  list(APPEND components device_tree)
endif()
if(TARGET carveout_machine)
  list(APPEND components machine)
endif()
foreach(component IN LISTS components)
  install(
    TARGETS carveout_${component}
    EXPORT carveout_${component}
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    FILE_SET HEADERS
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(
    EXPORT carveout_${component}
    NAMESPACE carveout::
    FILE carveout-${component}-targets.cmake
    DESTINATION "${package_dir}")
endforeach()

write_basic_package_version_file("${PROJECT_BINARY_DIR}/carveoutConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/carveoutConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/carveoutConfig.cmake" INSTALL_DESTINATION "${package_dir}")
install(FILES "${PROJECT_BINARY_DIR}/carveoutConfig.cmake"
              "${PROJECT_BINARY_DIR}/carveoutConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/CarveoutGenerate.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindLibFDT.cmake" DESTINATION "${package_dir}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
