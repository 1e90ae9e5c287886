#!/bin/sh
# Installs packages in a Python's environment, as pip would be asked for them: by uv, which needs a
# fifth of the processor's time, or by pip where uv is not to be had, or does not know its settings.
set -eu

python=$1
shift

by_uv() {
  "$python" -m pip install --quiet uv &&
    "$python" -m uv pip install --quiet --python "$python" --compile-bytecode "$@"
}

by_uv "$@" || "$python" -m pip install --quiet "$@"
