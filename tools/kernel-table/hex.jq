# Numbers of `carveout map --json`, which are text: jq's own are exact to 2^53.
def number:
  ltrimstr("0x") | explode | reduce .[] as $c (0; . * 16 + $c - (if $c > 96 then 87 else 48 end));
def hex:
  [recurse(if . >= 16 then ./16 | floor else empty end) | . % 16] | reverse
  | "0x" + (map(if . > 9 then . + 87 else . + 48 end) | implode);
def last_of($base; $size): ($base | number) + ($size | number) - 1 | hex;
