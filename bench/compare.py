# Braid, Apache-2.0.
#
# Prints the ratio of two sets of Google Benchmark's results, case by case: the median CPU time of each side's rounds.
import collections
import json
import math
import pathlib
import statistics
import sys

UNITS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def times(directory, side):
    found = collections.defaultdict(list)
    for path in sorted(directory.glob(f"{side}-*.json")):
        for case in json.loads(path.read_text())["benchmarks"]:
            if case.get("run_type", "iteration") == "iteration" and not case.get("error_occurred"):
                found[case["name"]].append(case["cpu_time"] * UNITS[case["time_unit"]])
    return found


def main():
    directory = pathlib.Path(sys.argv[1])
    here, there = times(directory, "here"), times(directory, "there")
    both = [name for name in here if name in there]
    width = max(map(len, [*here, *there, "case"]))
    print(f"{'case':<{width}}  {'here':>12}  {'there':>12}  ratio  spread")
    for name in both:
        ours, theirs = statistics.median(here[name]), statistics.median(there[name])
        # How far the rounds of one side lie apart: a ratio within it says nothing.
        spread = max(max(times) / min(times) for times in (here[name], there[name]) if min(times) > 0)
        print(f"{name:<{width}}  {ours:>9.1f} ns  {theirs:>9.1f} ns  {ours / theirs:5.2f}  {spread:5.2f}x")
    if both:
        mean = math.exp(statistics.mean(math.log(statistics.median(here[n]) / statistics.median(there[n])) for n in both))
        print(f"{'geometric mean':<{width}}  {'':>12}  {'':>12}  {mean:5.2f}")
    for title, names in (("only here", set(here) - set(there)), ("only there", set(there) - set(here))):
        if names:
            print(f"{title}: {', '.join(sorted(names))}")
    return 0 if both else 1


if __name__ == "__main__":
    sys.exit(main())
