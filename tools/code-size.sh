#!/usr/bin/env bash
# How much code a microcontroller gets that allocates, frees, asks for the route and translates: the
# program bench/code_size.cpp, linked with unused sections left out, by symbol. What makes the pool is
# counted apart, and so are the program itself and the compiler's run time. What of a verb is inlined
# into its caller counts as the verb: the program calls each through a function of its own.
#
#   tools/code-size.sh             writes the table into docs/performance.md: bytes, by processor and store
#   tools/code-size.sh --symbols   prints every symbol with its size to standard error, and writes nothing
#   tools/code-size.sh --check     fails where the table is not what docs/performance.md states
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh

mode='write'
case ${1-} in
  --symbols | --check) mode=${1#--} ;;
  '') ;;
  *) die "unknown argument $1" ;;
esac

document=docs/performance.md
asked_bytes=6144 # of the verbs, on a Cortex-M7
folder=build/code-size
mkdir -p "$folder"
sources=(src/core/*.cpp src/pool/*.cpp src/map/*.cpp)
flags=(-std=c++23 -Os -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics
  -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -Wno-psabi -Iinclude -nostdlib
  '-Wl,--gc-sections' '-Wl,-e,run')
# The board's, and the same for every library.
for name in memcpy memmove memset memcmp; do flags+=("-Wl,--defsym=$name=0"); done

# measure NAME PREFIX FLAG...: adds a line for each store: NAME STORE VERBS SETUP DATA.
lines=()
measure() {
  local name=$1 prefix=$2 source store program
  shift 2
  local objects=$folder/$name.objects
  rm -rf "$objects" && mkdir "$objects"
  for source in "${sources[@]}"; do
    "${prefix}g++" "$@" "${flags[@]}" -c "$source" -o "$objects/${source//\//-}.o"
  done
  for store in 'dense()' 'sparse(64)' 'bitmap()'; do
    program=$folder/$name-${store%%(*}
    "${prefix}g++" "$@" "${flags[@]}" "-DCARVEOUT_STORE=$store" bench/code_size.cpp "$objects"/*.o \
      -lgcc -o "$program" >&2
    # Symbols that share an address are one function.
    lines+=("$("${prefix}nm" -S -C -td "$program" | sort -u -k1,1 |
      awk -v name="$name" -v store="${store%%(*}" -v mode="$mode" '
        $3 !~ /^[tTwWrRvVdDbB]$/ || $2 + 0 == 0 { next }
        {
          kind = $3; size = $2 + 0
          $1 = $2 = $3 = ""; symbol = substr($0, 4)
          if (kind ~ /[dD]/) part = "data"
          else if (kind ~ /[bB]/) next
          else if (symbol ~ /^run$|run::\{lambda|::bench::.*::kStore|PortRef::(kCalls|\{lambda)/) part = "program"
          else if (symbol !~ /carveout/) part = "runtime"
          else if (symbol ~ /make_pool|::create\(|prepare\(|::Pool\(|::chunk\(|::storage_bytes\(/) part = "setup"
          else if (symbol ~ /expected<carveout::RangeAllocator/) part = "setup"
          else part = "verbs"
          bytes[part] += size
          if (mode == "symbols")
            printf "%s %s %6d %-8s %s\n", name, store, size, part, symbol >"/dev/stderr"
        }
        END { printf "%s %s %d %d %d\n", name, store, bytes["verbs"], bytes["setup"], bytes["data"] }')")
  done
}

m7=(-mcpu=cortex-m7 -mthumb -mfloat-abi=hard -mfpu=fpv5-d16)
measure cortex-m7-lto arm-none-eabi- "${m7[@]}" -flto
measure cortex-m7 arm-none-eabi- "${m7[@]}"
measure riscv64 riscv64-linux-gnu- -march=rv64gc -mabi=lp64d -mcmodel=medany -fno-pic -fno-pie \
  -fno-stack-protector -static

table() {
  printf '| processor | store | alloc, free, route, translate | asked | | what makes a pool | data |\n'
  printf '|---|---|--:|--:|---|--:|--:|\n'
  printf '%s\n' "${lines[@]}" | awk -v asked=$asked_bytes '{
    flags = sub(/-lto$/, "", $1) ? "`-Os -flto`" : "`-Os`"
    is_asked = $1 == "cortex-m7"
    verdict = !is_asked ? "" : $3 <= asked ? "met" : "**not met**"
    printf "| %s, %s | %s | %d | %s | %s | %d | %d |\n", $1, flags, $2, $3, is_asked ? asked : "-",
      verdict, $4, $5
  }'
}

case $mode in
  check)
    diff <(section_of "$document" code-size) <(table) ||
      die "$document is off (>: of today); tools/code-size.sh renews it"
    ;;
  write)
    put_section "$document" code-size "$(table)"
    table
    ;;
esac
