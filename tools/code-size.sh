#!/usr/bin/env bash
# How much code a microcontroller gets that allocates, frees, asks for the route and translates: the
# program bench/code_size.cpp, linked with unused sections left out, by symbol. What makes the pool is
# counted apart, and so are the program itself and the compiler's run time. What is inlined into the
# program, as the caller's copy of a verb, counts as the program.
#
#   tools/code-size.sh             prints a table: bytes, by processor and store
#   tools/code-size.sh --symbols   and every symbol with its size
#   tools/code-size.sh --check     of what docs/performance.md states as met: fails where it is not
#   tools/code-size.sh --json      prints {"schema":"carveout.bench/1","cpu":...,"rows":[...]}
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh

symbols='' json='' check='' rows=()
case ${1-} in
  --symbols) symbols=1 ;;
  --json) json=1 ;;
  --check) check=1 ;;
  '') ;;
  *) die "unknown argument $1" ;;
esac

folder=build/code-size
mkdir -p "$folder"
sources=(bench/code_size.cpp src/core/*.cpp src/pool/*.cpp src/map/*.cpp)
flags=(-std=c++23 -Os -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics
  -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -Wno-psabi -Iinclude -nostdlib
  '-Wl,--gc-sections' '-Wl,-e,run')
# The board's, and the same for every library.
for name in memcpy memmove memset memcmp; do flags+=("-Wl,--defsym=$name=0"); done

# measure NAME STORE PREFIX FLAG...: one line of the table.
measure() {
  local name=$1 store=$2 prefix=$3 program line
  shift 3
  program=$folder/$name-${store%%(*}
  "${prefix}g++" "$@" "${flags[@]}" "-DCARVEOUT_STORE=$store" "${sources[@]}" -lgcc -o "$program" >&2
  # Symbols that share an address are one function.
  line=$("${prefix}nm" -S -C -td "$program" | sort -u -k1,1 |
    awk -v name="$name" -v store="${store%%(*}" -v symbols="$symbols" '
      $3 !~ /^[tTwWrRvVdDbB]$/ || $2 + 0 == 0 { next }
      {
        kind = $3; size = $2 + 0
        $1 = $2 = $3 = ""; symbol = substr($0, 4)
        if (kind ~ /[dD]/) part = "data"
        else if (kind ~ /[bB]/) next
        else if (symbol ~ /^run$|run::\{lambda|PortRef::(kCalls|\{lambda)/) part = "program"
        else if (symbol !~ /carveout/) part = "runtime"
        else if (symbol ~ /make_pool|::create\(|prepare\(|::Pool\(|::chunk\(/) part = "setup"
        else if (symbol ~ /expected<carveout::RangeAllocator/) part = "setup"
        else part = "verbs"
        bytes[part] += size
        if (symbols) printf "%6d %-8s %s\n", size, part, symbol
      }
      END {
        printf "%-13s %-8s verbs %5d  setup %5d  data %3d  (run time %d, program %d)\n", name, store,
          bytes["verbs"], bytes["setup"], bytes["data"], bytes["runtime"], bytes["program"]
      }')
  if [ -z "$json" ]; then
    echo "$line"
  else
    rows+=("$(awk '{
      printf "{\"pool\":\"%s\",\"workload\":\"code\",\"peer\":\"carveout-%s\",", $1, $2
      printf "\"text_bytes\":%d,\"setup_bytes\":%d,\"data_bytes\":%d}", $4, $6, $8
    }' <<<"$line")")
  fi
}

m7=(-mcpu=cortex-m7 -mthumb -mfloat-abi=hard -mfpu=fpv5-d16)
if [ -n "$check" ]; then
  for store in 'dense()' 'bitmap()'; do
    line=$(measure cortex-m7-lto "$store" arm-none-eabi- "${m7[@]}" -flto)
    echo "$line"
    awk '{ exit !($4 > 0 && $4 <= 6144 && $8 + 0 == 0) }' <<<"$line" ||
      die "over 6144 bytes, or with data"
  done
  exit
fi

for store in 'dense()' 'sparse(64)' 'bitmap()'; do
  measure cortex-m7 "$store" arm-none-eabi- "${m7[@]}"
  measure cortex-m7-lto "$store" arm-none-eabi- "${m7[@]}" -flto
  measure riscv64 "$store" riscv64-linux-gnu- -march=rv64gc -mabi=lp64d -mcmodel=medany -fno-pic \
    -fno-pie -fno-stack-protector -static
done
if [ -n "$json" ]; then
  IFS=,
  measured_json "$(measured_commit src include bench ':!bench/results')" "${rows[*]}"
fi
