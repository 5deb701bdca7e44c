# shellcheck shell=bash
# Shared by tools/kernel-table.sh and tools/check-kernel-table. Sourced, never run, after tools/lib.sh.
# Needs dtc, jq, QEMU for AArch64, and the program: $carveout.
# shellcheck disable=SC2034,SC2154 # what one side sets, the other uses

tables=tools/kernel-table
trees=tests/kernel/trees
said=tests/kernel/said
document=docs/kernel-table.md
machine=(qemu-system-aarch64 -M virt -cpu cortex-a57 -m 512 -nographic -no-reboot -nic none)

# machine_source <folder>: writes the emulator's own tree there, as the virt.dtsi of our trees.
machine_source() {
  "${machine[@]}" -M "virt,dumpdtb=$1/virt.dtb" >"$1/qemu" 2>&1 </dev/null || die "$(cat "$1/qemu")"
  {
    dtc -q -I dtb -O dts "$1/virt.dtb" | sed '/^\/dts-v1\/;/d; /-seed = /d'
    echo '/ { chosen { bootargs = "console=ttyAMA0 earlycon=pl011,0x9000000 panic=-1 memblock=debug"; }; };'
  } >"$1/virt.dtsi"
}

# carveout_said <tree's source> <folder>: writes there NAME.dtb, what Carveout finds (NAME.lint) and,
# as facts, says of it (NAME.says), and where memory and regions are (NAME.places).
carveout_said() {
  local to
  to=$2/$(basename "$1" .dts)
  dtc -q -i "$2" -o "$to.dtb" "$1" || die "$1: dtc cannot read it"
  "$carveout" lint --target linux-arm64 --format json "$to.dtb" >"$to.lint" || [ $? -eq 1 ]
  "$carveout" map --json "$to.dtb" >"$to.map"
  jq -r -L "$tables" --slurpfile lint "$to.lint" -f "$tables/carveout-says.jq" "$to.map" >"$to.says"
  jq -r -L "$tables" -f "$tables/places.jq" "$to.map" >"$to.places"
}

# about <tree's source> [key]: its first line; or what the lines say that begin with `// KEY: `.
about() {
  if [ $# -eq 1 ]; then
    sed -n '1s/^\/\/ //p' "$1"
  else
    sed -n "s/^\/\/ $2: //p" "$1" | paste -sd ' '
  fi
}

# sum_of <tree's source>: of what is booted. Comments can be written afterwards.
sum_of() { sed '/^\/\//d' "$1" | sha256sum | cut -d ' ' -f 1; }

# sum_of_recorder: of what attaches the regions and of what reads the kernel's words, as a line of booted.
sum_of_recorder() {
  echo "$(cat "$tables"/{attach.c,init.c,regions.jq,kernel-said.awk} | sha256sum | cut -d ' ' -f 1)  (recorder)"
}

# rules_of <findings>: the rules that were found, but for the note that a pool has no user.
rules_of() { jq -r '[.findings[].rule | select(. != "DMA025")] | unique | .[]' "$1"; }

# cell <facts>: the facts as a cell of the table; of many alike, the first and the last three.
cell() {
  awk -F '\t' '
    { line[NR] = $1 ": " $2 }
    END {
      for (i = 1; i <= NR; i++) {
        if (NR > 8 && i > 1 && i < NR - 2) { if (i == 2) printf "<br>..."; continue }
        printf "%s%s", (i > 1 ? "<br>" : ""), line[i]
      }
    }' "$1"
}

# carveout_cells <tree's source> <folder>: the cells of a row that need no kernel: the tree, what it
# is about, and what Carveout says with its rules.
carveout_cells() {
  local name rule links=
  name=$(basename "$1" .dts)
  for rule in $(rules_of "$2/$name.lint"); do links+="<br>[$rule](lint/$rule.md)"; done
  printf '| [%s](../%s) | %s | %s%s |' "$name" "$1" "$(about "$1")" "$(cell "$2/$name.says")" "$links"
}

# differences <what Carveout says> <what the kernel said> <places>: the facts that are not the same. A range
# holds what lies in it, "anywhere" any memory, and "elsewhere" memory that is no region's.
differences() {
  awk -F '\t' '
    function padded(address) {
      sub(/^0x/, "", address)
      return substr("0000000000000000", 1, 16 - length(address)) address
    }
    function lies_in(what, address,    i) {
      for (i = 1; i <= places; i++)
        if (place[i] == what && from[i] <= address && address <= to[i]) return 1
      return 0
    }
    function holds(says, said,    ends) {
      if (says == said) return 1
      if (says ~ / anywhere$/ && index(said, substr(says, 1, length(says) - 8)) == 1) {
        says = "anywhere"
        sub(/.* /, "", said)
      }
      if (said !~ /^0x/) return 0
      said = padded(said)
      if (says == "anywhere") return lies_in("memory", said)
      if (says == "elsewhere") return lies_in("memory", said) && !lies_in("region", said)
      if (split(says, ends, /\.\./) != 2) return 0
      return padded(ends[1]) <= said && said <= padded(ends[2])
    }
    FILENAME == ARGV[1] { place[++places] = $1; from[places] = $2; to[places] = $3; next }
    FILENAME == ARGV[2] { says[$1] = $2; next }
    { said[$1] = $2; if (!($1 in says) || !holds(says[$1], $2)) print "kernel: " $0 }
    END { for (what in says) if (!(what in said)) print "Carveout alone: " what "\t" says[what] }
  ' "$3" "$1" "$2"
}

# linux_texts <folder>: the "linux" text of every rule that is in the table.
linux_texts() {
  jq -rs '[.[].findings[] | select(.rule != "DMA025") | {rule, linux}] | unique_by(.rule)[]
    | "| [\(.rule)](lint/\(.rule).md) | \(.linux) |"' "$1"/*.lint
}
