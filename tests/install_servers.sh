#!/bin/sh
# Installs the servers that tests start on this machine, from Debian, where that can be done.
set -eu

packages="xrootd-server slurm-wlm munge voms-clients"

missing() {
  for package in $packages; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      echo "$package"
  done
}

command -v apt-get >/dev/null || exit 1
wanted=$(missing)
test -n "$wanted" || exit 0
test "$(id -u)" -eq 0 || exit 1
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null
# shellcheck disable=SC2086 # several packages
apt-get install -y -qq --no-install-recommends $wanted >/dev/null
