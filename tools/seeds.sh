#!/usr/bin/env bash
# The ten bugs of examples/bugs: each is found in every one of 1000 seeds, and its fix is silent in so
# many more. A line for each, and the sum; exit 1 where a bug is missed or a fix reported.
#
#   tools/seeds.sh [SEEDS]     of the fixes; 1,000,000 unless given
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh

[[ $# -le 1 && ${1-1} =~ ^[1-9][0-9]*$ ]] || die "usage: tools/seeds.sh [SEEDS]"
tools/install-packages run
compile release release bugs_seeds
exec build/release/examples/bugs/bugs_seeds 1000 "${1:-1000000}"
