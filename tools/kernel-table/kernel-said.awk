# What the kernel said of a board, as facts: a line "WHAT<tab>ANSWER" each.
#
#   awk -f kernel-said.awk REGIONS LOG      LOG: the kernel's messages, with memblock=debug
#
# REGIONS has a line "NAME<tab>BASE<tab>LAST" for each region, in tree order; BASE and LAST are empty
# where the tree states no place. Addresses are padded to 16 digits, so that they compare as text.
#
# Of a region:  coherent at ADDRESS | contiguous at ADDRESS | refused | not placed | not reserved
#               no-map | reserved    nothing is said, and so the table of memory has it
#               nothing              nothing is said, and the memory is the system's
# Of a device:  entry N: what attaching it gave; block: the device address of two pages

function short(address) {
  sub(/^0x0*/, "", address)
  return "0x" (address == "" ? "0" : address)
}
# The range that a line of memblock states: into first and last, without 0x.
function range(line) {
  match(line, /\[0x[0-9a-f]+-0x[0-9a-f]+\]/)
  first = substr(line, RSTART + 3, 16)
  last = substr(line, RSTART + 22, 16)
}
FILENAME == ARGV[1] {
  split($0, field, "\t")
  names[++regions] = field[1]
  base[regions] = field[2]
  end[regions] = field[3]
  next
}
{
  sub(/\r$/, "")
  sub(/^\[ *[0-9.]+\] /, "")
}
/created (DMA|CMA) memory pool at/ {
  match($0, /0x[0-9a-f]+/)
  created = ($0 ~ /CMA/ ? "contiguous" : "coherent") " at " short(substr($0, RSTART, RLENGTH))
}
/OF: reserved mem: initialized node / {
  sub(/.*initialized node /, ""); sub(/,.*/, "")
  if (!($0 in said)) said[$0] = created != "" ? created : "initialized"
  created = ""
}
/compatible matching fail/ {
  sub(/.*: node /, ""); sub(/ .*/, "")
  said[$0] = "refused"
}
/failed to (allocate|reserve) memory for node/ {
  answer = /allocate/ ? "not placed" : "not reserved"
  sub(/[^']*'/, ""); sub(/'.*/, "")
  said[$0] = answer
}
/unsupported node format, ignoring/ { ignored = 1 }
/not enough space for all defined regions/ { full = 1 }
/ overlaps with / {
  one = $1
  other = $0; sub(/.* overlaps with /, "", other); sub(/ .*/, "", other)
  overlaps[++overlap] = one < other ? one " and " other : other " and " one
}
/^ memory\[0x/ && /flags: 0x4/ { range($0); hidden[++hiddens] = first; hidden_to[hiddens] = last }
/^ reserved\[0x/ { range($0); held[++helds] = first; held_to[helds] = last }
/beyond device's set DMA address range/ { warned = 1 }
/^carveout: .*: entry / {
  device = $2; sub(/:$/, "", device)
  sub(/:$/, "", $4)
  facts[++count] = device " entry " $4 "\t" $5
  touched = device
}
/^carveout: .*: block: / {
  device = $2; sub(/:$/, "", device)
  if (device == "/plain") {
    default_block = short($4)
  } else {
    facts[++count] = device " block\t" ($4 == "none" ? $4 : short($4))
  }
  if (warned) facts[++count] = device " warning\tbeyond its range"
  warned = 0
  touched = ""
}
/Run \/init as init process/ { booted = 1 }
/Kernel panic/ { panic = 1 }
END {
  if (panic && !booted) {
    print "boot\tpanic"
    exit
  }
  if (ignored) print "/reserved-memory\tignored"
  for (i = 1; i <= regions; i++) {
    answer = said[names[i]]
    if (answer == "") {
      answer = "nothing"
      for (k = 1; k <= helds && base[i] != ""; k++) {
        if (held[k] <= base[i] && end[i] <= held_to[k]) answer = "reserved"
      }
      for (k = 1; k <= hiddens && base[i] != ""; k++) {
        if (hidden[k] <= base[i] && end[i] <= hidden_to[k]) answer = "no-map"
      }
    }
    print names[i] "\t" answer
  }
  for (i = 1; i <= overlap; i++) print "overlap\t" overlaps[i]
  if (full) print "/reserved-memory\ttoo many regions"
  for (i = 1; i <= count; i++) print facts[i]
  if (touched != "") print touched " block\tfault"
  if (default_block != "") print "default block\t" default_block
}
