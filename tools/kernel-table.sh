#!/usr/bin/env bash
# Boots Debian's arm64 kernel on QEMU with each tree of tests/kernel/trees and records in
# tests/kernel/said what the kernel says about each region and each device. tools/check-kernel-table
# holds that against what Carveout says about the same tree; here it writes docs/kernel-table.md.
#
#   tools/kernel-table.sh              all trees; downloads 75 MB the first time
#   tools/kernel-table.sh --kept       all trees, but boots those alone of which tree, kernel or module changed since
#   tools/kernel-table.sh NAME...      these alone; prints the facts, records and writes nothing
#
# Each tree is QEMU's own with a /reserved-memory and devices of ours merged in. A module that is
# loaded at the end of the boot attaches the devices' regions (tools/kernel-table/attach.c).
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh
# shellcheck source=tools/kernel-table/lib.sh
. tools/kernel-table/lib.sh

kept=
if [ "${1-}" = --kept ]; then
  kept=1
  shift
fi
tools/install-packages kernel
compile release release carveout
carveout=build/release/carveout
folder=$PWD/build/kernel
mkdir -p "$folder/boots" "$folder/apt/lists/partial" "$folder/apt/archives/partial"

# arm64_apt <command>...: apt with lists of its own for arm64, so that the machine's stay as they are.
arm64_apt() {
  local command=$1
  shift
  "$command" -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
    -o Dir::State="$folder/apt" -o Dir::State::lists=lists -o Dir::State::status=/dev/null \
    -o Dir::Cache="$folder/apt" -o APT::Sandbox::User= "$@"
}

# The kernel that linux-image-arm64 depends on, the headers for the module, and the host's programs
# that build it.
# (`logged` switches `set -e` off in what it runs: hence the chains.)
download() {
  local image release
  arm64_apt apt-get update &&
    image=$(arm64_apt apt-cache depends linux-image-arm64 | sed -n 's/^ *Depends: //p' | head -n 1) &&
    release=${image#linux-image-} && rm -rf "$folder/debs" && mkdir "$folder/debs" || return
  (
    cd "$folder/debs" &&
      arm64_apt apt-get download "$image" "linux-headers-$release" "linux-headers-${release%-*}-common" &&
      apt-get -q -o APT::Sandbox::User= download "linux-kbuild-${release%.*}"
  ) || return
  local package
  for package in "$folder"/debs/*.deb; do dpkg-deb -x "$package" "$folder" || return; done
  rm -rf "${folder:?}/lib" "$folder/debs"
  echo "$release" >"$folder/release"
}
[ -f "$folder/release" ] || logged "download the kernel" build/logs/kernel-download.log download
release=$(cat "$folder/release")
kernel=$folder/boot/vmlinuz-$release

# The kernel was built by GCC, the module is built by the clang of ./test: hence the two CONFIG_.
module() {
  mkdir -p "$folder/module" && cp "$tables/attach.c" "$folder/module/" &&
    echo 'obj-m := attach.o' >"$folder/module/Makefile" &&
    make -C "$folder/usr/src/linux-headers-${release%-*}-common" \
      O="$folder/usr/src/linux-headers-$release" M="$folder/module" ARCH=arm64 \
      KERNELRELEASE="$release" CROSS_COMPILE=aarch64-linux-gnu- CC=clang-19 CONFIG_CC_IS_GCC= \
      CONFIG_CC_IMPLICIT_FALLTHROUGH=-Wimplicit-fallthrough KCFLAGS=-Wno-unknown-warning-option \
      modules &&
    clang-19 --target=aarch64-linux-gnu -Os -ffreestanding -nostdlib -static \
      -fuse-ld="$(command -v aarch64-linux-gnu-ld)" "$tables/init.c" -o "$folder/module/init"
}
logged "build the module" build/logs/kernel-module.log module

# archived <name> <mode> [file]: an entry of an archive as the kernel unpacks it (cpio, "newc").
archived() {
  local size=0 name_bytes=$((${#1} + 1))
  if [ $# -eq 3 ]; then size=$(stat -c %s "$3"); fi
  printf '070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\0' \
    1 "$2" 0 0 1 0 "$size" 0 0 0 0 "$name_bytes" 0 "$1"
  head -c $(((4 - (110 + name_bytes) % 4) % 4)) /dev/zero
  if [ $# -eq 3 ]; then
    cat "$3"
    head -c $(((4 - size % 4) % 4)) /dev/zero
  fi
}
{
  archived init $((0100755)) "$folder/module/init"
  archived attach.ko $((0100644)) "$folder/module/attach.ko"
  archived 'TRAILER!!!' 0
} >"$folder/initrd"

# boot <name>: boots its tree, and writes what the kernel said, as facts, to NAME.said.
boot() {
  local at=$folder/boots/$1 status=0
  rm -f "$at.said"
  local sum
  sum=$(cat "$kernel" "$folder/initrd" "$at.dtb" | sha256sum)
  if [ -z "$kept" ] || [ "$sum" != "$(cat "$at.booted" 2>/dev/null)" ]; then
    timeout 120 "${machine[@]}" -kernel "$kernel" -initrd "$folder/initrd" -dtb "$at.dtb" \
      >"$at.log" 2>&1 </dev/null || status=$?
    echo "$sum" >"$at.booted"
  fi
  grep -aqE 'reboot: Power down|Kernel panic' "$at.log" ||
    die "$1: the boot came to no end (status $status, $at.log)"
  jq -r -L "$tables" -f "$tables/regions.jq" "$at.map" >"$at.regions"
  awk -f "$tables/kernel-said.awk" "$at.regions" "$at.log" >"$at.said"
}

names=("$@")
if [ $# -eq 0 ]; then
  for tree in "$trees"/*.dts; do names+=("$(basename "$tree" .dts)"); done
fi
machine_source "$folder/boots"
running=0
sum_of_recorder >"$folder/booted"
for name in "${names[@]}"; do
  carveout_said "$trees/$name.dts" "$folder/boots"
  # Now: the source may be edited while the others boot.
  echo "$(sum_of "$trees/$name.dts")  $name" >>"$folder/booted"
  if [ "$running" -ge 2 ]; then wait -n; fi
  boot "$name" &
  running=$((running + 1))
done
wait
if [ $# -gt 0 ]; then
  for name in "${names[@]}"; do
    printf '== %s\n%s\n' "$name" "$(cat "$folder/boots/$name.said")"
    differences "$folder/boots/$name.says" "$folder/boots/$name.said" "$folder/boots/$name.places" >&2
  done
  exit
fi
rm -rf "$said" && mkdir -p "$said"
for name in "${names[@]}"; do cp "$folder/boots/$name.said" "$said/"; done
cp "$folder/booted" "$said/"
grep -ahoE -m 1 'Linux version [^ ]+|Debian [0-9][^ ]+ \(' "$folder/boots/$name.log" |
  sed 's/ ($//' | paste -sd ',' | sed 's/,/, /' >"$said/kernel"
tools/check-kernel-table --write
