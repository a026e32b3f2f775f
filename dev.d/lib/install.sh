#!/usr/bin/env bash
# install.sh PACKAGE...: as root, installs Debian packages. Asks nothing, waits for other package managers, removes nothing,
# starts no service, and fetches new package lists only when the ones on the machine do not do.
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
source "$top/dev.d/lib/say.sh"

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C.UTF-8 PATH=$PATH:/usr/sbin:/sbin
lock_seconds=600
log=$(mktemp /tmp/waylay-apt.XXXXXX)
packages=("$@")
options=(--yes --no-install-recommends -o Dpkg::Use-Pty=0 -o "DPkg::Lock::Timeout=$lock_seconds"
  -o Acquire::Retries=3 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold)

# A service manager asks this file before it starts what a package brings. Two marks make a crash in between harmless:
# the text says whose it is, and the machine's own file waits beside it.
policy=/usr/sbin/policy-rc.d
mark='# waylay ./dev: no service is started by these installations'
hold_services() {
  if [ -e "$policy" ] && ! grep -qF "$mark" "$policy"; then mv "$policy" "$policy.before-waylay"; fi
  printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
  chmod 755 "$policy"
}
release_services() {
  if grep -qsF "$mark" "$policy"; then rm -f "$policy"; fi
  if [ -e "$policy.before-waylay" ]; then mv "$policy.before-waylay" "$policy"; fi
}

# What these packages enable for the next boot is not wanted: a started engine rewrites the host's firewall, and the
# benchmark starts its peers itself.
leave_services_disabled() {
  local name
  for name in "${packages[@]}"; do
    case $name in
      docker.io) systemctl disable docker.service docker.socket containerd.service ;;
      haproxy | sslsplit) systemctl disable "$name.service" ;;
      squid-openssl) systemctl disable squid.service ;;
    esac >>"$log" 2>&1 || true
  done
}

# apt reports "pmstatus:package:percent:text" on a descriptor of its own; a terminal gets one moving line, a log every tenth.
show_progress() {
  local kind subject percent text shown=-1 width
  width=$(tput cols 2>/dev/null || echo 80)
  while IFS=: read -r kind subject percent text; do
    case $kind in dlstatus) text="fetching" ;; pmstatus) ;; *) continue ;; esac
    percent=${percent%%.*}
    if [ -t 1 ]; then
      printf '\r\e[K    %3d %% %s' "$percent" "$(cut -c "-$((width - 12))" <<<"$text")"
    elif ((percent / 10 != shown)); then
      shown=$((percent / 10))
      note "$(printf '%3d %% %s' "$percent" "$text")"
    fi
  done
  if [ -t 1 ]; then printf '\r\e[K'; fi
}

# The lists' lock is the one that DPkg::Lock::Timeout does not cover.
update_lists() {
  say "fetching the package lists"
  local until=$((SECONDS + lock_seconds))
  until apt-get update -o Acquire::Retries=3 >>"$log" 2>&1; do
    if ! tail -n 5 "$log" | grep -q 'Could not get lock' || ((SECONDS > until)); then
      # One unreachable third-party source is no reason to stop: the simulation that follows tells whether it matters.
      warn "apt-get update complained (see $log); going on with what there is"
      return
    fi
    sleep 5
  done
}

simulate() { apt-get --simulate "${options[@]}" install "${packages[@]}" >"$log.plan" 2>&1; }

refuse_removals() {
  local removed
  removed=$(awk '$1 == "Remv" { print $2 }' "$log.plan" | paste -sd ' ')
  if [ -n "$removed" ]; then
    die "installing ${packages[*]} would remove: $removed. Nothing was changed; make room for it by hand, or use another machine."
  fi
}

install_packages() {
  {
    local status=0
    apt-get "${options[@]}" --no-remove -o APT::Status-Fd=3 install "${packages[@]}" 3>&1 >>"$log" 2>&1 || status=$?
    echo "$status" >"$log.status"
  } | show_progress
  return "$(cat "$log.status")"
}

# An installation that was killed half way leaves packages unpacked; apt refuses to go on until they are configured.
finish_interrupted() {
  if compgen -G '/var/lib/dpkg/updates/[0-9]*' >/dev/null; then
    note "finishing an interrupted installation (dpkg --configure -a)"
    dpkg --configure -a --force-confdef --force-confold >>"$log" 2>&1 || true
  fi
}

fail() {
  show_log "${1:-$log}" 15
  die "apt-get could not install ${packages[*]}; the whole log is $log"
}

trap release_services EXIT
hold_services
finish_interrupted
if ! simulate; then
  update_lists
  simulate || fail "$log.plan"
fi
refuse_removals
# Lists that are older than the archive name files that are gone: fetch them anew, once.
if ! install_packages; then
  update_lists
  simulate || fail "$log.plan"
  refuse_removals
  install_packages || fail
fi
leave_services_disabled
rm -f "$log" "$log.plan" "$log.status"
