# What is installed beside the program: completions where each shell looks, and the man page, all
# from the program that was just built.
install(TARGETS carveout RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT program)
if(CMAKE_CROSSCOMPILING)
  return() # it cannot be asked here
endif()

find_program(CARVEOUT_GZIP gzip REQUIRED)
set(bash_file "${CMAKE_INSTALL_DATADIR}/bash-completion/completions/carveout")
set(zsh_file "${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions/_carveout")
set(fish_file "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d/carveout.fish")
set(man_file "${CMAKE_INSTALL_MANDIR}/man1/carveout.1")

set(outputs "")
foreach(form IN ITEMS bash zsh fish man)
  get_filename_component(folder "${${form}_file}" DIRECTORY)
  get_filename_component(name "${${form}_file}" NAME)
  set(file "${CMAKE_CURRENT_BINARY_DIR}/${form}/${name}")
  file(MAKE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/${form}")
  if(form STREQUAL "man") # as Debian's policy wants it
    add_custom_command(
      OUTPUT "${file}.gz"
      COMMAND carveout completion ${form} > "${file}"
      COMMAND "${CARVEOUT_GZIP}" -9nf "${file}"
      DEPENDS carveout
      VERBATIM)
    string(APPEND file .gz)
  else()
    add_custom_command(
      OUTPUT "${file}"
      COMMAND carveout completion ${form} > "${file}"
      DEPENDS carveout
      VERBATIM)
  endif()
  list(APPEND outputs "${file}")
  install(FILES "${file}" DESTINATION "${folder}" COMPONENT program)
endforeach()
add_custom_target(carveout_completions ALL DEPENDS ${outputs})

