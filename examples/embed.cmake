# Turns a file into a header: cmake -D FILE=... -D NAME=... -D OUT=... -P embed.cmake
# What a firmware does with .incbin, in words that every toolchain understands.
file(READ "${FILE}" hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
file(WRITE "${OUT}" "#pragma once\n\nalignas(8) inline constexpr unsigned char ${NAME}[] = {${bytes}};\n")
