# What the program is made of besides its sources.
include(CarveoutEmbed)

# carveout_program_parts(<target>): for whoever compiles the sources of cli/: the version, and what
# pictures are written with (cli/picture/parts.hpp).
function(carveout_program_parts target)
  set(picture "${PROJECT_SOURCE_DIR}/cli/picture")
  carveout_embed(CARVEOUT_SVG_STYLE "${picture}/svg.css")
  carveout_embed(CARVEOUT_PAGE_STYLE "${picture}/page.css")
  carveout_embed(CARVEOUT_PAGE_SCRIPT "${picture}/page.js")
  carveout_sha256_base64(CARVEOUT_PAGE_SCRIPT_HASH "${CARVEOUT_PAGE_SCRIPT}")
  configure_file("${picture}/parts.cpp.in" picture/parts.cpp @ONLY)
  target_sources(${target} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/picture/parts.cpp")
  target_compile_definitions(${target} PRIVATE CARVEOUT_VERSION="${PROJECT_VERSION}"
                                               CARVEOUT_VERSION_DATE="${CARVEOUT_VERSION_DATE}")
endfunction()
