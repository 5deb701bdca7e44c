#!/usr/bin/env bash
# Counts the instructions of one alloc + free pair with callgrind, which a busy machine does not
# disturb. What the loop costs by itself is taken off, and so is everything before the steady state:
# a long run less a short one.
#
#   tools/instructions.sh            prints a table
#   tools/instructions.sh --json     prints {"schema":"carveout.bench/1","cpu":...,"rows":[...]}
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh

json=
case ${1-} in
  --json) json=1 ;;
  '') ;;
  *)
    echo "tools/instructions.sh: unknown argument $1" >&2
    exit 2
    ;;
esac

folder=build/instructions
mkdir -p "$folder"
program=$folder/instructions
g++ -std=c++23 -O2 -DNDEBUG -Iinclude -I. src/pool/range_allocator.cpp src/pool/sparse_store.cpp \
  src/pool/dense_store.cpp src/pool/bitmap_store.cpp bench/instructions.cpp -o "$program" >&2

# count POOL WORKLOAD PEER PAIRS: instructions of the whole run.
count() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1 >/dev/null |
    awk '/Collected/ { print $4 }'
}

pool=64M/4K short=10000 long=20000
rows=()
for workload in W1 W3-50 W4-4096; do
  loop=$(($(count "$pool" "$workload" nobody $long) - $(count "$pool" "$workload" nobody $short)))
  for peer in carveout carveout-sparse dma-coherent genalloc-first-fit genalloc-best-fit cma; do
    all=$(($(count "$pool" "$workload" "$peer" $long) - $(count "$pool" "$workload" "$peer" $short)))
    pair=$(((all - loop) / (long - short)))
    rows+=("{\"pool\":\"$pool\",\"workload\":\"$workload\",\"peer\":\"$peer\",\"instructions_pair\":$pair}")
    [ -n "$json" ] || printf '%-8s %-8s %-20s %6d\n' "$pool" "$workload" "$peer" "$pair"
  done
done
if [ -n "$json" ]; then
  cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
  printf '{"schema":"carveout.bench/1","cpu":"%s","compiler":"%s","commit":"%s","rows":[%s]}\n' \
    "$cpu" "$(g++ --version | head -1)" "$(git rev-parse --short HEAD)" "$(
      IFS=,
      echo "${rows[*]}"
    )"
fi
