#!/usr/bin/env bash
# Measures the range allocator beside its peers: one process, every peer on the same traces, rounds
# outermost and peers innermost, the median of the rounds. Prints tables. Compare only figures of
# one run: the same code differs by tens of per cent between runs.
#
#   tools/bench.sh                    prints the tables, and draws build/bench/performance.svg
#   tools/bench.sh --json             prints {"schema":"carveout.bench/1","cpu":...,"rows":[...]}
#   tools/bench.sh --save             also keeps the measurement in bench/results/ and the picture
#                                     in docs/
#   tools/bench.sh --table FILE       prints what was kept, of this or of tools/instructions.sh
#   tools/bench.sh --verdict FILE...  a measurement against what is required, with what
#                                     tools/instructions.sh --json printed; fails where a
#                                     requirement is missed
#
#   --rounds N         11 unless told
#   --only REGEX       only workloads whose POOL/WORKLOAD matches: '64M/4K/W3-.*'
#   --peers-from DIR   adds the peers of a folder outside (bench/README.md)
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh

json='' save='' extra='' kept=() arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    --json) json=1 ;;
    --save) save=1 ;;
    --rounds | --only)
      arguments+=("$1" "${2:?$1 needs a value}")
      shift
      ;;
    --peers-from)
      extra=$(realpath -e "${2:?--peers-from needs a folder}")
      shift
      ;;
    --table | --verdict)
      kept=("$@")
      [ ${#kept[@]} -gt 1 ] || die "$1 needs a file"
      break
      ;;
    *)
      say "tools/bench.sh: unknown argument $1"
      exit 2
      ;;
  esac
  shift
done

measured_program carveout_bench "$extra"
program=build/bench/bench/carveout_bench

if [ ${#kept[@]} -gt 0 ]; then
  "$program" "${kept[@]}"
  exit
fi

commit=$(measured_commit src include bench ':!bench/results')
measured=build/bench/measured.json
"$program" --commit "$commit" --tree "$(measured_tree)" ${arguments[@]+"${arguments[@]}"} >"$measured"
"$program" --draw "$measured" >build/bench/performance.svg
if [ -n "$json" ]; then
  cat "$measured"
else
  "$program" --table "$measured"
fi
if [ -n "$save" ]; then
  cpu=$(cpu_name | tr -cs '[:alnum:]\n' -)
  name=bench/results/$commit-$cpu-gcc-$(g++ -dumpfullversion).json
  mkdir -p bench/results
  cp "$measured" "$name"
  cp build/bench/performance.svg docs/performance.svg
  say "kept: $name, docs/performance.svg"
fi
