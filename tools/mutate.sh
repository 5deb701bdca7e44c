#!/usr/bin/env bash
# Takes out each cache and barrier call of ops, of the faces for C and Linux, and of the ports, one at
# a time, and expects a test to fail. A call that no test misses is either not needed or not tested. Ends with `N of N killed`.
#
#   tools/mutate.sh               all of them: minutes, see CONTRIBUTING.md
#   tools/mutate.sh FILE...       those of these files
#   tools/mutate.sh --list        only prints them, and those that are not counted
#   tools/mutate.sh --tree ROOT   on the tree at ROOT
#
# Calls are found by pattern, so that new ones are picked up by themselves. tools/mutate-equivalent
# lists those whose loss no test can see, with the reason; tools/mutate-recorded those whose loss no
# byte can show, so that a recorded sequence of calls has to. What is built and run for a file is up to
# tools/mutate-steps. Works on a copy under build/mutate: this tree is never changed.
set -euo pipefail
tools=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$tools") list_only=0 only=()
while [ $# -gt 0 ]; do
  case $1 in
    --list) list_only=1 ;;
    --tree)
      root=$(cd "${2:?--tree needs a folder}" && pwd)
      shift
      ;;
    -*)
      echo "tools/mutate.sh: unknown argument $1" >&2
      exit 2
      ;;
    *) only+=("$1") ;;
  esac
  shift
done
cd "$root"
shopt -s nullglob
files=(include/carveout/ops/*.hpp src/{ops,c,linux}/*.?pp ports/*/include/carveout_port/*.hpp
  ports/*/src/*.cpp)
[ ${#files[@]} -gt 0 ] || { echo "tools/mutate.sh: no source file under $root" >&2; exit 2; }

# One line for each statement that is to be taken out: file, line, kind, byte offset, length, text.
# A statement is a call of the port or of what a port is made on, with all of its arguments; a call
# of one of our own functions that consist of nothing else; or a single instruction.
# shellcheck disable=SC2016 # for perl to expand
find_calls='
  my $arguments = qr/(\((?:[^()]++|(?-1))*+\))\s*;/;
  my $object = qr/[\w:.>()\[\]*-]*(?:\.|->)/;
  my %patterns = (
    cache => [qr/$object(?:clean|invalidate|clean_invalidate)$arguments/,
              qr/$object(?:clean|invalidate|clean_invalidate)_line$arguments/,
              qr/$object write(?=\(operation\b)$arguments/x,
              qr/(?<![\w:>] )(?:\b$object|\b)(?:work|to_device|to_cpu)$arguments/,
              qr/\basm volatile(?=\("(?:mcr p15|dc |cache |\.4byte))$arguments/],
    barrier => [qr/$object(?:publish_barrier|observe_barrier|full_barrier|dsb|dmb|isb|sync)$arguments/,
                qr/$object(?:dsb_stores|dmb_loads|fence(?:_writes|_reads)?|complete_lines)$arguments/,
                qr/$object(?:publish|observe)(?=\(\))$arguments/,
                qr/\basm volatile(?=\("(?:dsb|dmb|isb|fence|sync))$arguments/]);
  for my $file (@ARGV) {
    open my $in, "<", $file or die "$file: $!";
    local $/; my $text = <$in>;
    my @found;
    for my $kind (sort keys %patterns) {
      for my $pattern (@{$patterns{$kind}}) {
        while ($text =~ /$pattern/g) {
          my ($at, $length) = ($-[0], $+[0] - $-[0]);
          my $before = substr($text, 0, $at);
          my ($line) = $before =~ /([^\n]*)\z/;
          next if $line =~ m{//|=\s*$|\breturn\s*$};  # a comment; a value that is used
          my $call = substr($text, $at, $length);
          $call =~ s/\s+/ /g;
          push @found, [$at, join("\t", $file, 1 + ($before =~ tr/\n//), $kind, $at, $length, $call)];
        }
      }
    }
    print "$$_[1]\n" for sort { $$a[0] <=> $$b[0] } @found;
  }'
mapfile -t calls < <(perl -e "$find_calls" "${files[@]}")

# The two lists: FILE: CALL: REASON. All calls of the file with that text are meant.
# read_list LIST ARRAY: the reasons, by file and call
# shellcheck disable=SC2034 # the caller's array, by its name
read_list() {
  local -n reasons=$2
  local line file rest
  [ -f "$1" ] || return 0
  while IFS= read -r line; do
    case $line in '' | '#'*) continue ;; esac
    file=${line%%: *} rest=${line#*: }
    reasons["$file"$'\t'"${rest%%;: *};"]=${rest#*;: }
  done <"$1"
}
declare -A equivalent recorded
read_list tools/mutate-equivalent equivalent
read_list tools/mutate-recorded recorded

wanted=() skipped=0
declare -A there
for call in "${calls[@]}"; do
  IFS=$'\t' read -r file line kind at length text <<<"$call"
  key=$file$'\t'$text
  there[$key]=1
  if [ ${#only[@]} -gt 0 ] && [[ " ${only[*]} " != *" $file "* ]]; then continue; fi
  if [ -n "${equivalent[$key]-}" ]; then
    skipped=$((skipped + 1))
    if [ "$list_only" -eq 1 ]; then echo "$file:$line: not counted: $text: ${equivalent[$key]}"; fi
    continue
  fi
  if [ -n "${recorded[$key]-}" ]; then kind=recorded; fi
  if [ "$list_only" -eq 1 ]; then echo "$file:$line: $kind: $text${recorded[$key]+: ${recorded[$key]}}"; fi
  wanted+=("$file"$'\t'"$line"$'\t'"$kind"$'\t'"$at"$'\t'"$length"$'\t'"$text")
done
# check_list LIST ARRAY: whether each of its calls is there
check_list() {
  local -n listed=$2
  local key stale=0
  for key in "${!listed[@]}"; do
    [ -z "${there[$key]-}" ] || continue
    echo "$1: there is no such call: ${key/$'\t'/: }"
    stale=1
  done
  return "$stale"
}
check_list tools/mutate-equivalent equivalent || exit 1
check_list tools/mutate-recorded recorded || exit 1
if [ "$list_only" -eq 1 ]; then
  echo "${#wanted[@]} calls, $skipped not counted"
  exit 0
fi
[ ${#wanted[@]} -gt 0 ] || { echo "tools/mutate.sh: no call found" >&2; exit 2; }

# The copy. Only what differs is copied, with a new time, so that little is built again, and what an
# earlier run left in the middle is.
copy=$root/build/mutate/tree whole=$root/build/mutate/whole
mkdir -p "$copy"
files_in() { (cd "$1" && find . \( -path ./build -o -path ./.git \) -prune -o -type f -print) | sort; }
while IFS= read -r file; do rm "$copy/$file"; done < <(comm -13 <(files_in .) <(files_in "$copy"))
while IFS= read -r file; do
  if ! cmp -s "$file" "$copy/$file"; then
    mkdir -p "$(dirname "$copy/$file")"
    cp "$file" "$copy/$file"
  fi
done < <(files_in .)

# judge FILE KIND: 0 where the tests passed, 1 where one failed, 2 where it does not build
judge() {
  local status=0
  (cd "$copy" && tools/mutate-steps "$1" "$2") >build/mutate/log 2>&1 </dev/null || status=$?
  return "$status"
}

killed=0 bad=0 before=
for call in "${wanted[@]}"; do
  IFS=$'\t' read -r file line kind at length text <<<"$call"
  if [ "$file" != "$before" ]; then
    before=$file
    if ! judge "$file" all; then
      echo "$file: its tests fail, or it does not build, with nothing taken out:"
      tail -n 20 build/mutate/log
      exit 1
    fi
  fi
  cp "$copy/$file" "$whole"
  # shellcheck disable=SC2016
  perl -e 'my ($from, $to, $at, $length) = @ARGV; local $/;
    open my $in, "<", $from or die; my $text = <$in>;
    substr($text, $at, $length) = "static_cast<void>(0);";
    open my $out, ">", $to or die; print $out $text;' "$whole" "$copy/$file" "$at" "$length"
  status=0
  judge "$file" "$kind" || status=$?
  cp "$whole" "$copy/$file"
  case $status in
    1)
      echo "killed $file:$line: $text"
      killed=$((killed + 1))
      ;;
    0)
      echo "SURVIVED $file:$line: $text"
      bad=$((bad + 1))
      ;;
    *)
      echo "DOES NOT BUILD $file:$line: $text"
      tail -n 20 build/mutate/log
      bad=$((bad + 1))
      ;;
  esac
done
echo "$killed of ${#wanted[@]} killed"
[ "$bad" -eq 0 ]
