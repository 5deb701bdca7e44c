#!/usr/bin/env bash
# Text and data of each floor on each target, as the presets build it (-O2, before the linker leaves
# out what a program does not use), and writes the table into docs/performance.md.
#
#   tools/floor-size.sh            the presets are built where needed
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh

document=docs/performance.md
floors=(core pool map ops setup)
table=$(
  printf '| target |'
  printf ' %s |' "${floors[@]}"
  printf '\n|---|'
  printf -- '--:|%.0s' "${floors[@]}"
  printf '\n'
  for target in cortex-m7:arm-none-eabi cortex-m33:arm-none-eabi cortex-a7:arm-none-eabi \
    aarch64:aarch64-linux-gnu mips:mips-linux-gnu riscv64:riscv64-linux-gnu; do
    preset=${target%%:*}
    compile "$preset" "$preset" carveout_core
    printf '| %s |' "$preset"
    for floor in "${floors[@]}"; do
      "${target#*:}-size" "build/$preset/CMakeFiles/carveout_core.dir/src/$floor"/*.obj |
        awk 'NR > 1 { text += $1; data += $2 + $3 } END { printf " %d + %d |", text, data }'
    done
    printf '\n'
  done
)
grep -qx '<!-- floor-size: begin -->' "$document" || die "$document has no place for the table"
awk -v table="$table" '
  /^<!-- floor-size: end -->$/ { skip = 0 }
  !skip { print }
  /^<!-- floor-size: begin -->$/ { print table; skip = 1 }' "$document" >"$document.new"
mv "$document.new" "$document"
printf '%s\n' "$table"
