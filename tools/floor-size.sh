#!/usr/bin/env bash
# Text and data of each floor, of each optional part and of the port on each target, as the presets
# build them (-O2, before the linker leaves out what a program does not use), and writes the table into
# docs/performance.md.
#
#   tools/floor-size.sh            the presets are built where needed
#   tools/floor-size.sh --check    of what is built, and writes nothing: fails where the document is
#                                  off by more than 2 %
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh

check=
case ${1-} in
  --check) check=1 ;;
  '') ;;
  *) die "unknown argument $1" ;;
esac
document=docs/performance.md
# Each is a folder of src in an archive; the last is the port's own.
parts=(core:core pool:core map:core ops:core setup:core check:check c:c linux:linux
  device_tree:device_tree setup:device_tree port:port)
targets=(cortex-m7:arm-none-eabi cortex-m33:arm-none-eabi cortex-a7:arm-none-eabi
  aarch64:aarch64-linux-gnu mips:mips-linux-gnu riscv64:riscv64-linux-gnu)

# objects <preset> <folder> <archive>: the objects of a part, where the preset builds it.
objects() {
  local path="build/$1/CMakeFiles/carveout_$3.dir/src/$2/*"
  [ "$3" != port ] || path="build/$1/ports/*/CMakeFiles/carveout_port_*.dir/src/*"
  find "build/$1" -path "$path" -name '*.obj'
}

table=$(
  printf '| part |'
  for target in "${targets[@]}"; do printf ' %s |' "${target%%:*}"; done
  printf '\n|---|'
  printf -- '--:|%.0s' "${targets[@]}"
  for target in "${targets[@]}"; do
    [ -n "$check" ] || compile "${target%%:*}" "${target%%:*}" all
  done
  for part in "${parts[@]}"; do
    name=${part%%:*}
    [ "$part" != setup:device_tree ] || name='setup, from a device tree'
    printf '\n| %s |' "$name"
    for target in "${targets[@]}"; do
      mapfile -t found < <(objects "${target%%:*}" "${part%%:*}" "${part#*:}")
      if [ ${#found[@]} -eq 0 ]; then
        printf ' - |'
      else
        "${target#*:}-size" "${found[@]}" |
          awk 'NR > 1 { text += $1; data += $2 + $3 } END { printf " %d + %d |", text, data }'
      fi
    done
  done
)
if [ -n "$check" ]; then
  # Word for word the same but for numbers, of which each pair is near.
  awk '
    FILENAME == ARGV[1] { stated[FNR] = $0; lines = FNR; next }
    {
      fields = split($0, now)
      if (split(stated[FNR], was) != fields) off = 1
      for (i = 1; i <= fields; ++i) {
        if (now[i] == was[i]) continue
        far = now[i] > was[i] * 1.02 || now[i] < was[i] * 0.98
        if (now[i] !~ /^[0-9]+$/ || was[i] !~ /^[0-9]+$/ || far) off = 1
      }
      if (off) { printf "stated: %s\nis:     %s\n", stated[FNR], $0; exit }
    }
    END { exit off || !lines || FNR != lines }' \
    <(section_of "$document" floor-size) <(printf '%s\n' "$table") ||
    die "$document is off: tools/floor-size.sh renews it"
  exit
fi
put_section "$document" floor-size "$table"
printf '%s\n' "$table"
