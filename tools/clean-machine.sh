#!/usr/bin/env bash
# Proves that the two commands work on a fresh Debian 12 that has git and nothing else: makes one
# with debootstrap in a folder, clones this repository into it, and runs ./run and ./test there.
#
#   tools/clean-machine.sh [OPTION]... [COMMAND...]
#     --folder DIR     where the machine goes; default build/clean-machine; made anew unless --keep
#     --keep           use the machine that is there, packages and all, with a new clone
#     --sudo           as an ordinary user who has sudo, instead of as root
#     --working-tree   what is here now (tracked or new, not ignored) instead of the last commit
#     COMMAND          instead of ./run and ./test; 'bash' for a look around
#
# Needs root and the package debootstrap. The mirror, its keys, proxies and certificates are those
# that apt uses on this machine. Not part of ./test: it takes a quarter of an hour.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh

folder=$PWD/build/clean-machine keep='' user=root working_tree=''
while [ $# -gt 0 ]; do
  case $1 in
    --folder) folder=$(realpath -m "${2:?--folder needs a folder}"); shift ;;
    --keep) keep=1 ;;
    --sudo) user=carveout ;;
    --working-tree) working_tree=1 ;;
    -*) die "unknown option $1; see the head of $0" ;;
    *) break ;;
  esac
  shift
done

[ "$(id -u)" -eq 0 ] || die "this needs root, for chroot"
command -v debootstrap >/dev/null || die "this needs the package debootstrap"

machine=$folder/root
if [ -z "$keep" ] || [ ! -e "$machine/etc/debian_version" ]; then
  # shellcheck disable=SC2016 # apt's own placeholders
  site=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 == "bookworm" && $3 == "main" { print $1; exit }')
  [ -n "$site" ] || die "apt on this machine has no bookworm main to make a machine from"
  packages=git
  if [ "$user" != root ]; then packages+=,sudo; fi
  proxy=
  eval "$(apt-config shell proxy Acquire::http::Proxy)"
  rm -rf "$machine"
  mkdir -p "$machine"
  logged "debootstrap a minimal bookworm" build/logs/debootstrap.log \
    env ${proxy:+http_proxy="$proxy"} debootstrap --variant=minbase --include="$packages" \
    bookworm "$machine" "$site"

  # apt there as apt here: sources, keys, certificates, and how to reach the mirror. Hooks are this
  # machine's own affair, so of the configuration only Acquire:: goes over.
  rm -rf "$machine"/etc/apt/sources.list*
  cp -a /etc/apt/sources.list* "$machine/etc/apt/"
  for item in keyrings trusted.gpg trusted.gpg.d auth.conf auth.conf.d preferences.d; do
    if [ -e "/etc/apt/$item" ]; then cp -a "/etc/apt/$item" "$machine/etc/apt/"; fi
  done
  apt-config dump | grep '^Acquire::' >"$machine/etc/apt/apt.conf.d/50like-the-host"
  mkdir -p "$machine/etc/ssl/certs" "$machine/usr/share/keyrings"
  cp -Ln /etc/ssl/certs/*.crt "$machine/etc/ssl/certs/" 2>/dev/null || true
  cp -Ln /usr/share/keyrings/*.gpg "$machine/usr/share/keyrings/" 2>/dev/null || true
fi
cp -L /etc/resolv.conf /etc/hosts "$machine/etc/"

home=/root
if [ "$user" != root ]; then
  home=/home/$user
  [ -x "$machine/usr/bin/sudo" ] || die "the machine that was kept has no sudo: make it anew"
  chroot "$machine" id "$user" >/dev/null 2>&1 || chroot "$machine" useradd -m -s /bin/bash "$user"
  echo "$user ALL=(ALL) NOPASSWD: ALL" >"$machine/etc/sudoers.d/$user"
fi

clone=$machine$home/carveout
rm -rf "$clone"
if [ -n "$working_tree" ]; then
  mkdir -p "$clone"
  git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do
      if [ -e "$file" ]; then printf '%s\0' "$file"; fi
    done | tar -c --null -T - | tar -x -C "$clone"
  git -C "$clone" init -q
else
  git clone -q "file://$PWD" "$clone"
fi
chroot "$machine" chown -R "$user:" "$home/carveout"

say "==> packages before: $(chroot "$machine" dpkg-query -f '.\n' -W | wc -l)," \
  "g++: $(chroot "$machine" sh -c 'command -v g++' || echo none)," \
  "cmake: $(chroot "$machine" sh -c 'command -v cmake' || echo none)"

# inside <command>... : in the clone, as the user, in a mount namespace that ends with it.
inside() {
  # shellcheck disable=SC2016 # for the shells inside
  unshare --mount --pid --fork sh -c '
    machine=$1 user=$2 home=$3; shift 3
    mount -t proc proc "$machine/proc"
    mount --rbind /dev "$machine/dev"
    mount -t tmpfs tmpfs "$machine/tmp"
    exec chroot "$machine" env -i HOME="$home" USER="$user" LANG=C.UTF-8 \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM-dumb}" \
      ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
      setpriv --reuid "$user" --regid "$user" --init-groups \
      sh -c '\''cd "$HOME/carveout" && exec "$@"'\'' sh "$@"
  ' sh "$machine" "$user" "$home" "$@"
}

# timed <command>...
timed() {
  local start=$SECONDS status=0
  say "==> inside: $*"
  inside "$@" || status=$?
  say "==> inside: $*: status $status, $((SECONDS - start)) s"
  results+=("$(printf '%5d s  status %d  %s' $((SECONDS - start)) "$status" "$*")")
  [ "$status" -eq 0 ] || failed=1
}

results=() failed=0
if [ $# -gt 0 ]; then
  timed "$@"
else
  timed env CARVEOUT_NO_INSTALL=1 ./run || true
  [[ ${results[0]} == *'status 2'* ]] || die "CARVEOUT_NO_INSTALL=1 ./run should have exited 2"
  failed=0
  timed ./run
  timed ./run
  timed ./test
  timed ./test
fi
say "==> fresh Debian 12, as $user:"
printf '%s\n' "${results[@]}" >&2
exit "$failed"
