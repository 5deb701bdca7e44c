#!/usr/bin/env bash
# The instructions of the worst alloc and of the worst free, state by state, in a pool of 1024
# granules and in one of 16 million. Fails where a plain call costs 20 % more in one than in the
# other. The program steps through each call, so a busy machine changes nothing.
#
#   tools/worst-case.sh            prints a table
#   tools/worst-case.sh --json     prints {"schema":"carveout.bench/1","cpu":...,"rows":[...]}
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh

case ${1-} in
  --json | '') ;;
  *)
    echo "tools/worst-case.sh: unknown argument $1" >&2
    exit 2
    ;;
esac
tools/install-packages test
compile debug-san test worst_case

program=build/test/tests/property/pool/worst_case
small=1024 large=16777216
if [ "${1-}" = --json ]; then
  rows=$("$program" --json $small $large)
  measured_json "$(measured_commit src include tests)" "${rows:1:-1}"
else
  "$program" $small $large
fi
