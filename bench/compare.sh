#!/usr/bin/env bash
# Braid, Apache-2.0.
#
# The micro-benchmarks of this tree beside those of another revision: both are built, run in turn, and compared case by
# case by the median of their repetitions. Below 1.00 this tree is quicker.
#
#   ./dev bench compare REVISION [--benchmark_filter=... and other arguments of Google Benchmark]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ $# -gt 0 ] || { echo "usage: ./dev bench compare REVISION [--benchmark_filter=...]" >&2; exit 2; }
revision=$(git rev-parse --verify --quiet "$1^{commit}") || { echo "compare: '$1' is no revision" >&2; exit 2; }
shift
rounds=3
other=build/compare/$revision
results=build/compare/results
if [ ! -d "$other" ]; then
  mkdir -p build/compare
  git worktree prune
  git worktree add --quiet --detach "$other" "$revision"
fi
./dev build release bench_micro
"$other/dev" build release bench_micro
rm -rf "$results"
mkdir -p "$results"
for round in $(seq $rounds); do
  for side in here there; do
    if [ "$side" = here ]; then root=.; else root=$other; fi
    binary=$(find "$root/build/release/bench" -maxdepth 1 -type f -name bench_micro -perm -u+x)
    echo "compare: round $round of $rounds, $side" >&2
    "$binary" --benchmark_format=json "$@" >"$results/$side-$round.json"
  done
done
exec /usr/bin/python3 -B bench/compare.py "$results"
