# Files that go into a program as text.

# carveout_embed(<variable> <file>): reads it, now and again when it has changed.
function(carveout_embed variable file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(READ "${file}" text)
  set(${variable}
      "${text}"
      PARENT_SCOPE)
endfunction()

# carveout_sha256_base64(<variable> <text>): as a Content-Security-Policy wants it.
function(carveout_sha256_base64 variable text)
  string(SHA256 rest "${text}")
  set(letters ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  # 64 hexadecimal digits, and 2 of nothing: three digits are two letters.
  string(APPEND rest 00)
  set(base64 "")
  foreach(group RANGE 0 63 3)
    string(SUBSTRING "${rest}" ${group} 3 digits)
    foreach(shift IN ITEMS 6 0)
      math(EXPR at "(0x${digits} >> ${shift}) & 63")
      string(SUBSTRING "${letters}" ${at} 1 letter)
      string(APPEND base64 "${letter}")
    endforeach()
  endforeach()
  string(SUBSTRING "${base64}" 0 43 base64)
  set(${variable}
      "${base64}="
      PARENT_SCOPE)
endfunction()
