# Asks the completion script for bash: completion_test.bash SCRIPT WORD... prints what it offers for
# the last word, one a line.
# shellcheck shell=bash
# shellcheck source=/dev/null
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMPREPLY=()
_carveout
[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}"
