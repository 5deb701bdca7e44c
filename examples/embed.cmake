# Turns a file into an array: cmake -D FILE=... -D NAME=... -D OUT=... -P embed.cmake
# What firmware does with .incbin, in words that every toolchain understands.
file(READ "${FILE}" hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
file(
  WRITE "${OUT}"
  "#include <cstddef>
extern const unsigned char ${NAME}[];
extern const std::size_t ${NAME}_bytes;
alignas(8) const unsigned char ${NAME}[] = {${bytes}};
const std::size_t ${NAME}_bytes = sizeof ${NAME};
")
