# `cpack -G DEB` in a release build: the program alone, as Debian would lay it out. It is linked with
# the system's libraries, which Debian mends; for other systems there is the preset static.
set(CPACK_PACKAGE_NAME carveout)
set(CPACK_PACKAGE_VENDOR "The Carveout authors")
set(CPACK_PACKAGE_CONTACT "The Carveout authors <maintainers@carveout.invalid>")
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "DMA memory in device trees: who gets what, and why")
set(CPACK_PACKAGE_DESCRIPTION
    "carveout reads a flattened device tree and says which device gets which memory
for DMA, finds mistakes in it, replays traces of allocations on its pools, and
writes tables and linker fragments for firmware.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};carveout;program;/"
                                 "${PROJECT_BINARY_DIR};carveout;debian;/")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS device-tree-compiler)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

# What Debian's policy asks of every package: whose it is, and a changelog in its form.
set(folder "${PROJECT_BINARY_DIR}/debian")
file(MAKE_DIRECTORY "${folder}")
configure_file("${PROJECT_SOURCE_DIR}/LICENSE" "${folder}/copyright" COPYONLY)
configure_file("${PROJECT_SOURCE_DIR}/CHANGELOG.md" "${folder}/CHANGELOG.md" COPYONLY)
execute_process(
  COMMAND date --utc --rfc-email "--date=${CARVEOUT_VERSION_DATE}"
  OUTPUT_VARIABLE date
  OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
file(
  WRITE "${folder}/changelog"
  "carveout (${PROJECT_VERSION}) unstable; urgency=medium\n\n  * CHANGELOG.md.gz says what is new.\n\n"
  " -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
find_program(CARVEOUT_GZIP gzip REQUIRED)
execute_process(COMMAND "${CARVEOUT_GZIP}" -9nf "${folder}/changelog" "${folder}/CHANGELOG.md"
                        COMMAND_ERROR_IS_FATAL ANY)
install(
  FILES "${folder}/changelog.gz" "${folder}/CHANGELOG.md.gz" "${folder}/copyright"
  DESTINATION share/doc/carveout
  COMPONENT debian
  EXCLUDE_FROM_ALL)
include(CPack)
