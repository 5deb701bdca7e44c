# Of `carveout map --json`, for kernel-said.awk: a line "NAME<tab>BASE<tab>LAST" for each region.
include "hex";

def padded: ltrimstr("0x") | ("0" * (16 - length) // "") + .;

.regions[]
| [.node | sub(".*/"; "")]
  + (.chunks[0] | if . == null then ["", ""] else [.base, last_of(.base; .size) | padded] end)
| join("\t")
