#!/usr/bin/env bash
# Counts the instructions of one alloc and one free with callgrind, which a busy machine does not
# disturb. Everything before the steady state is taken off: a long run less a short one; and so is
# what the loop that plays the trace costs by itself (the peer `nobody`).
#
#   tools/instructions.sh            prints a table
#   tools/instructions.sh --json     prints {"schema":"carveout.bench/1","cpu":...,"rows":[...]}
#
#   --peers-from DIR   adds the peers of a folder outside (bench/README.md)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh

json='' extra=''
while [ $# -gt 0 ]; do
  case $1 in
    --json) json=1 ;;
    --peers-from)
      extra=$(realpath -e "${2:?--peers-from needs a folder}")
      shift
      ;;
    *)
      say "tools/instructions.sh: unknown argument $1"
      exit 2
      ;;
  esac
  shift
done

measured_program carveout_instructions "$extra"
program=build/bench/bench/carveout_instructions

# count POOL WORKLOAD PEER PAIRS: instructions of the whole run.
count() {
  local counted
  counted=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1 >/dev/null |
    awk '/Collected/ { print $4 }')
  [ -n "$counted" ] || die "callgrind counted nothing: $*"
  echo "$counted"
}

# pairs POOL WORKLOAD PEER: instructions between a short and a long run.
pool=64M/4K short=4096 long=12288
pairs() { echo $(($(count "$@" $long) - $(count "$@" $short))); }

peers=$("$program")
rows=()
for workload in W1 W1-turns W3-50 W4-4096 W4-turns; do
  loop=$(pairs "$pool" "$workload" nobody)
  for peer in $peers; do
    pair=$((($(pairs "$pool" "$workload" "$peer") - loop + (long - short) / 2) / (long - short)))
    rows+=("{\"pool\":\"$pool\",\"workload\":\"$workload\",\"peer\":\"$peer\",\"instructions_pair\":$pair}")
    [ -n "$json" ] || printf '%-8s %-8s %-20s %6d\n' "$pool" "$workload" "$peer" "$pair"
  done
done
if [ -n "$json" ]; then
  IFS=,
  measured_json "$(measured_commit src include bench ':!bench/results')" "${rows[*]}"
fi
