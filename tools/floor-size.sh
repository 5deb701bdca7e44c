#!/usr/bin/env bash
# Text and data of each floor on each target, as the presets build it (-O2, before the linker leaves
# out what a program does not use), and writes the table into docs/performance.md.
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
    [ -n "$check" ] || compile "$preset" "$preset" carveout_core
    printf '| %s |' "$preset"
    for floor in "${floors[@]}"; do
      "${target#*:}-size" "build/$preset/CMakeFiles/carveout_core.dir/src/$floor"/*.obj |
        awk 'NR > 1 { text += $1; data += $2 + $3 } END { printf " %d + %d |", text, data }'
    done
    printf '\n'
  done
)
grep -qx '<!-- floor-size: begin -->' "$document" || die "$document has no place for the table"
if [ -n "$check" ]; then
  stated=$(sed -n '/^<!-- floor-size: begin -->$/,/^<!-- floor-size: end -->$/{/^<!--/d;p}' "$document")
  # Word for word the same but for numbers, of which each pair is near.
  awk '
    NR == FNR { stated[FNR] = $0; lines = FNR; next }
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
    END { exit off || FNR != lines }' <(printf '%s\n' "$stated") <(printf '%s\n' "$table") ||
    die "$document is off: tools/floor-size.sh renews it"
  exit
fi
awk -v table="$table" '
  /^<!-- floor-size: end -->$/ { skip = 0 }
  !skip { print }
  /^<!-- floor-size: begin -->$/ { print table; skip = 1 }' "$document" >"$document.new"
mv "$document.new" "$document"
printf '%s\n' "$table"
