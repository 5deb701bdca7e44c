#!/usr/bin/env bash
# What `carveout lint` takes as a tree grows, in four shapes (tests/cli/scale_tree.cpp). A busy machine does not change
# instructions, which callgrind counts.
#
#   tools/lint-scale.sh                    prints a table of 25,000 to 200,000 nodes, with seconds
#   tools/lint-scale.sh --check            fails where twice the nodes cost more than 2.4 times the
#                                          instructions, or where 200,000 nodes in a blob of 4 MiB or
#                                          more need over 64 MiB of data
#   tools/lint-scale.sh [--check] CARVEOUT this program, and not the release build's
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh
check=
if [ "${1-}" = --check ]; then
  check=1
  shift
fi
carveout=${1:-build/release/carveout}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# tree <shape> <nodes>
tree() { build/test/tests/cli/scale_tree "$1" "$2" "$folder/tree.dtb"; }

# Within 64 MiB of data, and no longer than a minute.
lint() {
  (
    ulimit -d 65536 -t 60
    "$carveout" lint "$folder/tree.dtb" >"$folder/out" 2>"$folder/notes" || [ $? -eq 1 ]
  )
}

instructions() {
  local counted
  counted=$(valgrind --tool=callgrind --callgrind-out-file="$folder/callgrind" \
    "$carveout" lint "$folder/tree.dtb" 2>&1 >"$folder/out" |
    sed -n 's/^==[0-9]*== Collected : //p')
  echo "${counted:?callgrind counted nothing}"
}

shapes=(pools regions shared towers)
if [ -z "$check" ]; then
  compile debug-san test scale_tree
  compile release release carveout
  TIMEFORMAT='%U'
  printf '%8s %8s %12s %10s %s\n' shape nodes bytes seconds findings
  for shape in "${shapes[@]}"; do
    for nodes in 25000 50000 100000 200000; do
      tree "$shape" "$nodes"
      seconds=$({ time lint; } 2>&1)
      printf '%8s %8s %12s %10s %s\n' "$shape" "$nodes" "$(stat -c %s "$folder/tree.dtb")" \
        "$seconds" "$(tail -n 1 "$folder/out")"
    done
  done
  exit
fi

bad=0
for shape in "${shapes[@]}"; do
  before=
  for nodes in 12500 25000 50000; do
    tree "$shape" "$nodes"
    now=$(instructions)
    echo "$shape: $nodes nodes, $now instructions"
    if [ -n "$before" ] && [ $((now * 10)) -gt $((before * 24)) ]; then
      echo "$shape: more than 2.4 times those of half the nodes"
      bad=1
    fi
    before=$now
  done
  tree "$shape" 200000
  bytes=$(stat -c %s "$folder/tree.dtb")
  if lint; then
    echo "$shape: $bytes bytes of blob, within 64 MiB of data: $(tail -n 1 "$folder/out")"
  else
    echo "$shape: $bytes bytes of blob, and 64 MiB of data are not enough"
    bad=1
  fi
done
exit "$bad"
