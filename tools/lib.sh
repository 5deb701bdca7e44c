# shellcheck shell=bash
# Shared by ./run, ./test and the scripts in tools/. Sourced, never run. Needs bash and coreutils.

# All messages go to standard error: standard output belongs to the program that ./run starts.
say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# logged <title> <log file> <command>...
# Runs the command with its output in the log. Silent when it ends within a second; otherwise prints
# the title, then every ten seconds the time gone by and the log's last line. On failure, prints the
# end of the log and returns the command's status.
logged() {
  local title=$1 log=$2 status=0 start=$SECONDS heartbeat
  shift 2
  mkdir -p "$(dirname "$log")"
  : >"$log"
  (
    # The redirections let go of the caller's pipe: an orphaned sleep must not keep it open.
    sleep 1 >/dev/null 2>&1
    printf '==> %s\n' "$title" >&2
    while sleep 10 >/dev/null 2>&1; do
      printf '    %3d s  %s\n' $((SECONDS - start)) \
        "$(tail -n 1 "$log" | tr '\r' '\n' | tail -n 1 | cut -c 1-80)" >&2
    done
  ) &
  heartbeat=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill "$heartbeat" 2>/dev/null || true
  wait "$heartbeat" 2>/dev/null || true
  if [ "$status" -ne 0 ]; then
    say "==> $title: failed with status $status; the end of $log:"
    tail -n 60 "$log" >&2
  elif [ $((SECONDS - start)) -ge 2 ]; then
    printf '    %3d s  done: %s\n' $((SECONDS - start)) "$title" >&2
  fi
  return "$status"
}

# configure <preset> <folder>: configures build/<folder> where that has not been done, where the
# presets changed, or where the folder was made for another place of the source tree.
configure() {
  local preset=$1 folder=build/$2
  local cache=$folder/CMakeCache.txt
  if [ -f "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$cache"; then
    rm -rf "$folder"
  fi
  if [ ! -f "$folder/build.ninja" ] || [ CMakePresets.json -nt "$cache" ]; then
    rm -f "$cache"
    logged "configure $preset" "build/logs/configure-$preset.log" cmake --preset "$preset"
  fi
}

# compile <preset> <folder> <target>...
# One at a time in each folder: two builds in one folder destroy each other's files.
compile() {
  local preset=$1 folder=$2 lock status=0
  shift 2
  mkdir -p build/logs
  exec {lock}>"build/logs/$folder.lock"
  if ! flock -n "$lock"; then
    say "==> waiting for another build in build/$folder"
    flock "$lock"
  fi
  # The lock is not for what the build starts: a compiler cache's server would hold it for ever.
  {
    configure "$preset" "$folder" &&
      logged "build $preset" "build/logs/build-$preset.log" \
        cmake --build "build/$folder" --target "$@"
  } {lock}>&- || status=$?
  exec {lock}>&-
  return "$status"
}

# measured_program <target> <folder of peers from outside, or nothing>: builds one of the benchmarks.
measured_program() {
  tools/install-packages bench
  configure bench bench
  logged "choose peers" build/logs/bench-peers.log \
    cmake -DCARVEOUT_BENCH_EXTRA="$2" build/bench
  compile bench bench "$1"
}

cpu_name() { sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1; }

# measured_commit <path>...: the commit, with a mark where what is measured differs from it.
measured_commit() {
  local commit
  commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
  [ -z "$(git status --porcelain -- "$@" 2>/dev/null)" ] || commit+=-changed
  echo "$commit"
}

# Commits are written anew when a branch is; the tree of the sources stays what it is.
measured_tree() { git rev-parse --short HEAD:src 2>/dev/null || echo unknown; }

# measured_json <commit> <rows>: rows that are counted and not timed, in the form of the benchmarks.
measured_json() {
  printf '{"schema":"carveout.bench/1","cpu":"%s","compiler":"%s","commit":"%s","src_tree":"%s",' \
    "$(cpu_name)" "$(g++ --version | head -n 1)" "$1" "$(measured_tree)"
  printf '"rows":[\n%s\n]}\n' "${2//\},\{/\},$'\n'\{}"
}

# section_of <document> <name>: what stands between its lines `<!-- NAME: begin -->` and `end`.
section_of() { sed -n "/^<!-- $2: begin -->\$/,/^<!-- $2: end -->\$/{/^<!--/d;p}" "$1"; }

# put_section <document> <name> <text>: puts the text there.
put_section() {
  [ "$(grep -cxE "<!-- $2: (begin|end) -->" "$1")" -eq 2 ] || die "$1 has no place for $2"
  awk -v name="$2" -v text="$3" '
    $0 == "<!-- " name ": end -->" { skip = 0 }
    !skip { print }
    $0 == "<!-- " name ": begin -->" { print text; skip = 1 }' "$1" >"$1.new"
  mv "$1.new" "$1"
}
