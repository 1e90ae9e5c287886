#!/bin/sh
# Installs the servers and the browser that tests start on this machine, from Debian and npm, where
# that can be done.
set -eu

packages="xrootd-server xrootd-scitokens-plugins slurm-wlm munge voms-clients chromium"
command -v node >/dev/null || packages="$packages nodejs"
command -v npm >/dev/null || packages="$packages npm"

missing() {
  for package in $packages; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      echo "$package"
  done
}

install_from_debian() {
  wanted=$(missing)
  test -n "$wanted" || return 0
  test "$(id -u)" -eq 0 || return 1
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null
  # shellcheck disable=SC2086 # several packages
  apt-get install -y -qq --no-install-recommends $wanted >/dev/null
}

command -v apt-get >/dev/null || exit 1
install_from_debian
npm install --prefix packages/facility/tests --no-audit --no-fund --no-package-lock --silent
