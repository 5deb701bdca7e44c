# What Carveout says of a board, as facts: a line "WHAT<tab>ANSWER" each, in the words of kernel-said.awk.
#
#   carveout map --json BOARD | jq -r -L FOLDER --slurpfile lint FINDINGS -f carveout-says.jq
#
# Places are `map`'s. What Linux makes of a mistake is read off the "linux" texts of the findings, phrase
# by phrase (phrases.jq), whichever the rule. Where no text says what becomes of it, the fact is "?".

include "hex";
include "phrases";

def span($base; $size): "\($base)..\(last_of($base; $size))";
def place: .placed // .chunks[0];

def has_phrase($about): .linux as $text | any(phrases[$about][]; . as $phrase | $text | contains($phrase));

. as $map
| $lint[0].findings as $findings
| def anybody_says($about): any($findings[]; has_phrase($about));
  # Of a region or a device: of it, or of a bus above it.
  def says($about): .node as $node | any($findings[]; .node == $node and has_phrase($about));
  def says_above($about): .node as $node | any($findings[]; has_phrase($about) and
      (.node == $node or (.node as $bus | $node | startswith($bus + "/"))));
  anybody_says("ignored") as $ignored
| ([.memory[] | (.base | number) + (.size | number)] | max | hex) as $end_of_memory
|
  def ends: place | (.base | number) as $base | [$base, $base + (.size | number)];
  # A mapped region, earlier in the tree, has some of the region's memory.
  def mapped_before:
    .node as $node | ends as $own
    | any($map.regions | .[:(map(.node) | index($node))][];
        .enabled and .placement == "static" and (.no_map | not)
        and (ends | .[0] < $own[1] and $own[0] < .[1]));

  # Of a region: what is said of it at boot.
  def boot:
    if $ignored or (.enabled | not) then "nothing"
    elif says("refused") then "refused"
    elif says("not_placed") then "not placed"
    elif says("skipped") then if .placement == "dynamic" then "not placed" else "nothing" end
    elif .placement == "static" and says("not_reserved") then "not reserved"
    elif .placement == "dynamic" and says("at_end_of_memory") then "\(.kind) at \($end_of_memory)"
    elif says("alignment_unchecked") and .placed == null then
      # The number of cells is checked, the value is not.
      if .alignment | number | log2 | . == floor then "nothing" else "\(.kind) anywhere" end
    elif .no_map and (says("no_map_refused") or (mapped_before and anybody_says("second_refused"))) then
      "not reserved"
    elif .kind == "coherent" or .kind == "contiguous" then "\(.kind) at \(place.base)"
    elif .no_map then "no-map"
    else "reserved" end;

  # Of a region: what a driver gets that attaches it. Of what is no pool, whether or not a text says so.
  def attached:
    if boot | IN("refused", "not placed", "not reserved", "nothing", "no-map") then "-22"
    elif .kind == "carveout" or says("attached_not") then "-22"
    elif says("attached_not_if_memory") and (says("is_no_memory") | not) then "-22"
    elif says("attached_not_off_page") and (place.base | number) % 4096 != 0 then "-22"
    else "0" end;

  # The device that allocates first from a region has its first bytes.
  def first_user: . as $path | first($map.devices[] | select(any(.pools[]; .region == $path))).node;
  def region($path): first($map.regions[] | select(.node == $path)) // null;

  # Of a device: its pools that are attached, with what each entry of memory-region gives.
  def entries:
    . as $device
    | reduce .pools[] as $pool ([]; . + [
      region($pool.region) as $region
      | {$pool, $region, answer:
          (if $region == null then
             if $device | says("no_such_entry") | not then "?"
             elif $pool.region == null then "-19" else "-22" end
           elif $ignored then "-22"
           elif $region.enabled | not then
             if $device | says("attached_to_nothing") then "0" else "?" end
           elif $region.kind == "coherent" and any(.[]; .answer == "0" and .region.kind == "coherent")
           then if $device | says("second_busy") then "-16" else "?" end
           else $region | attached end)}]);

  # Of several defaults of a kind.
  def winner:
    if length <= 1 then .[0]
    elif anybody_says("highest_base_wins") then max_by(place.base | number)
    else error("no text says which default wins") end;
  def default_block:
    [$map.regions[] | select(.enabled and .default != null and boot != "refused")] as $all
    | ([$all[] | select(.default == "coherent")] | winner) as $coherent
    | ([$all[] | select(.default == "contiguous")] | winner) as $contiguous
    | if $coherent then $coherent | place.base
      elif $contiguous then $contiguous | place | span(.base; .size)
      else "elsewhere" end;

  def block:
    . as $device
    | [entries[] | select(.answer == "0" and .region.enabled)] as $attached
    | first($attached[] | select(.region.kind == "coherent")) // null
    | if . != null then
        if .region | says("size_in_pages") and (place.size | number) < 4096 then "none"
        elif $device | says_above("address_is_error") then "0xffffffffffffffff"
        elif $device | says_above("equal_addresses") then .region | place.base
        elif .pool.dma == null then "anywhere"
        elif .region.node | first_user != $device.node then span(.pool.dma; .region | place.size)
        else .pool.dma end
      else
        [$attached[] | select(.region.kind | IN("contiguous", "bounce"))] | last
        | if . != null then span(.pool.dma; .region | place.size) else default_block end
      end;

  if any($map.regions[]; .enabled and .reusable and says("panic")) then
    "boot\tpanic"
  else
    (select($ignored) | "/reserved-memory\tignored"),
    ($map.regions[] | "\(.node | sub(".*/"; ""))\t\(boot)"),
    ($findings[] | select(has_phrase("overlap"))
      | [.node, (.message | capture("(?<other>/reserved-memory/[^ :]*)").other)]
      | map(sub(".*/"; "")) | sort | "overlap\t\(join(" and "))"),
    ($map.devices[] | select(.enabled)
      | .node as $node
      | (entries | to_entries[] | "\($node) entry \(.key)\t\(.value.answer)"),
        "\($node) block\t\(block)",
        (select(says_above("address_is_error") and says_above("warned"))
          | "\($node) warning\tbeyond its range")),
    (select(any($map.regions[]; .default != null) or anybody_says("default_ignored"))
      | "default block\t\(default_block)")
  end
