#!/usr/bin/env bash
# How fast the machine model is: explicit accesses a second, and a driver with plain pointers beside
# itself on plain memory, in one run.
#
#   tools/machine-speed.sh     prints the medians
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh

measured_program carveout_machine_speed ''
say "$(cpu_name), commit $(measured_commit sim bench ':!bench/results')"
build/bench/bench/carveout_machine_speed
