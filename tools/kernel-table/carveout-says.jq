# What Carveout says of a board, as facts: a line "WHAT<tab>ANSWER" each, in the words of kernel-said.awk.
#
#   carveout map --json BOARD | jq -r -L FOLDER --slurpfile lint FINDINGS -f carveout-says.jq
#
# Places are `map`'s. What Linux makes of a mistake is what the "linux" text of the rule says: this is
# those texts, rule by rule, in the words of the facts. Rules that are not here say nothing about them.

include "hex";

def span($base; $size): "\($base)..\(last_of($base; $size))";
def place: .placed // .chunks[0];

. as $map
| $lint[0].findings as $findings
| any($findings[]; .rule == "DMA008") as $ignored
| ([.memory[] | (.base | number) + (.size | number)] | max | hex) as $end_of_memory
| def broken($ids): .node as $node | any($findings[]; .node == $node and (.rule | IN($ids[])));

  def ends: place | (.base | number) as $base | [$base, $base + (.size | number)];
  # DMA001: a mapped region, earlier in the tree, has some of the region's memory.
  def mapped_before:
    .node as $node | ends as $own
    | any($map.regions | .[:(map(.node) | index($node))][];
        .enabled and .placement == "static" and (.no_map | not)
        and (ends | .[0] < $own[1] and $own[0] < .[1]));

  # Of a region: what is said of it at boot.
  def boot:
    if $ignored or (.enabled | not) then "nothing"
    elif broken(["DMA010", "DMA012", "DMA020", "DMA032"]) then "refused"
    elif broken(["DMA015"]) then "not placed"
    elif broken(["DMA007"]) then if .placement == "dynamic" then "not placed" else "nothing" end
    elif broken(["DMA044"]) then
      if .placement == "static" then "not reserved" else "\(.kind) at \($end_of_memory)" end
    elif broken(["DMA014"]) and .placed == null then
      # The number of cells is checked, the value is not.
      if .alignment | number | log2 | . == floor then "nothing" else "\(.kind) anywhere" end
    elif .no_map and (broken(["DMA003"]) or mapped_before) then "not reserved"
    elif .kind == "coherent" or .kind == "contiguous" then "\(.kind) at \(place.base)"
    elif .no_map then "no-map"
    else "reserved" end;

  # Of a region: what a driver gets that attaches it.
  def attached:
    if $ignored then "-22"
    elif .enabled | not then "0"
    elif boot | IN("refused", "not placed", "not reserved", "nothing", "no-map") then "-22"
    elif .kind == "carveout" or broken(["DMA006", "DMA044"]) then "-22"
    elif broken(["DMA011"]) and (broken(["DMA004"]) | not) then "-22"
    elif broken(["DMA013"]) and (place.base | number) % 4096 != 0 then "-22"
    else "0" end;

  def wrong($id): .node as $node | any($findings[]; .rule == $id and
      (.node == $node or (.node as $bus | $node | startswith($bus + "/"))));
  # The device that allocates first from a region has its first bytes.
  def first_user: . as $path | first($map.devices[] | select(any(.pools[]; .region == $path))).node;
  def region($path): first($map.regions[] | select(.node == $path)) // null;

  # Of a device: its pools that are attached, with what each entry of memory-region gives.
  def entries:
    reduce .pools[] as $pool ([]; . + [
      region($pool.region) as $region
      | {$pool, $region, answer:
          (if $pool.region == null then "-19"
           elif $region == null then "-22"
           elif $region.kind == "coherent" and any(.[]; .answer == "0" and .region.kind == "coherent")
           then "-16"
           else $region | attached end)}]);

  def default_block:
    [$map.regions[] | select(.enabled and .default != null and boot != "refused")] as $all
    # Of several the one with the highest base (DMA018).
    | [$all[] | select(.default == "coherent")] | max_by(place.base | number) as $coherent
    | [$all[] | select(.default == "contiguous")] | max_by(place.base | number) as $contiguous
    | if $coherent then $coherent | place.base
      elif $contiguous then $contiguous | place | span(.base; .size)
      else "elsewhere" end;

  def block:
    . as $device
    | [entries[] | select(.answer == "0" and .region.enabled)] as $attached
    | first($attached[] | select(.region.kind == "coherent")) // null
    | if . != null then
        if .region | broken(["DMA013"]) and (place.size | number) < 4096 then "none"
        elif $device | wrong("DMA027") then "0xffffffffffffffff"
        elif $device | wrong("DMA028") then .region | place.base
        elif .pool.dma == null then "anywhere"
        elif .region.node | first_user != $device.node then span(.pool.dma; .region | place.size)
        else .pool.dma end
      else
        [$attached[] | select(.region.kind | IN("contiguous", "bounce"))] | last
        | if . != null then span(.pool.dma; .region | place.size) else default_block end
      end;

  if any($map.regions[]; .enabled and .reusable and broken(["DMA004", "DMA005"])) then
    "boot\tpanic"
  else
    (select($ignored) | "/reserved-memory\tignored"),
    ($map.regions[] | "\(.node | sub(".*/"; ""))\t\(boot)"),
    ($findings[] | select(.rule == "DMA001")
      | [.node, (.message | capture("(?<other>/reserved-memory/[^ :]*)").other)]
      | map(sub(".*/"; "")) | sort | "overlap\t\(join(" and "))"),
    ($map.devices[] | select(.enabled)
      | .node as $node
      | (entries | to_entries[] | "\($node) entry \(.key)\t\(.value.answer)"),
        "\($node) block\t\(block)",
        (select(wrong("DMA027")) | "\($node) warning\tbeyond its range")),
    (select(any($map.regions[]; .default != null) or any($findings[]; .rule == "DMA019")) | "default block\t\(default_block)")
  end
