#!/usr/bin/env bash
# How long `carveout lint` takes, and whether 64 MiB of data suffice, for trees of 25,000 to 200,000
# nodes: a device a node, every tenth with a pool of its own.
#
#   tools/lint-scale.sh [CARVEOUT]     the release build's program unless said
set -euo pipefail
cd "$(dirname "$0")/.."
carveout=${1:-build/release/carveout}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# tree <nodes>: source of so many nodes, in groups, because dtc cannot read ten thousand siblings.
tree() {
  awk -v nodes="$1" '
    function hex(n) { return sprintf("0x%x", n) }
    BEGIN {
      print "/dts-v1/;\n/ { #address-cells = <1>; #size-cells = <1>;"
      print "memory@0 { device_type = \"memory\"; reg = <0x0 0xf0000000>; };"
      print "soc { #address-cells = <1>; #size-cells = <1>; ranges;"
      for (i = 0; i < nodes * 0.9; i++) {
        if (i % 1000 == 0) print (i ? "};" : "") " b" i " { ranges;"
        print "d" i " {" (i % 9 ? "" : " memory-region = <" i / 9 + 1 ">;") " };"
      }
      print "}; }; };"
      for (i = 0; i < nodes / 10; i++) {
        if (i % 1000 == 0) print (i ? "}; };" : "") "/ { reserved-memory { #address-cells = <1>; #size-cells = <1>; ranges;"
        print "r" i " { compatible = \"shared-dma-pool\"; reg = <" hex(i * 4096 * 8) " 0x1000>; no-map; phandle = <" i + 1 ">; };"
      }
      print "}; };"
    }' </dev/null
}

TIMEFORMAT='%U'
printf '%8s %12s %10s %10s\n' nodes bytes seconds findings
for nodes in 25000 50000 100000 200000; do
  tree "$nodes" | dtc -q -I dts -O dtb -o "$folder/tree.dtb"
  seconds=$({ time (
    ulimit -d 65536
    "$carveout" lint "$folder/tree.dtb" >"$folder/out" || [ $? -eq 1 ]
  ); } 2>&1)
  printf '%8s %12s %10s   %s\n' "$nodes" "$(stat -c %s "$folder/tree.dtb")" "$seconds" \
    "$(tail -n 1 "$folder/out")"
done
