#!/usr/bin/env bash
# Braid, Apache-2.0.
#
# Braid beside other brokers, under the same load; `./dev bench peers --help` lists the choices, peers/ has the rest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
./dev build release braid bench_peers
exec /usr/bin/python3 -B bench/peers/run.py "$@"
