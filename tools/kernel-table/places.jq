# Of `carveout map --json`: a line "memory<tab>BASE<tab>LAST" for all memory, and "region<tab>..." for what
# is described of it, wherever that is: of regions that the kernel never made, too. As text of 16 digits,
# which compares as numbers do.
include "hex";

def padded: ltrimstr("0x") | ("0" * (16 - length) // "") + .;
def row($what): [$what, (.base | padded), (last_of(.base; .size) | padded)] | join("\t");

(.memory[] | row("memory")), (.regions[] | .placed // empty, .chunks[] | row("region"))
