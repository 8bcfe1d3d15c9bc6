#!/usr/bin/env python3
# Braid, Apache-2.0.
#
# `./dev bench peers`: Braid and the brokers that people would pick instead, in turn, under the same load on the same
# machine. First as much as each can (alternating A, B, A, B), then both at the same fixed rate, half of what the slower
# one did, then the quicker one at half of its own; a workload that names a rate has nothing but that. What comes out is build/peers/report.md with its CSV files and plots.
import argparse
import fnmatch
import os
import pathlib
import resource
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import brokers
import instructions
import measure
import report
import workloads

# Away from the protocols' own ports, where a broker of the machine may listen.
PORTS = {"mqtt": 21883, "kafka": 29092, "amqp": 25672, "nats": 24222, "across": 23883}

SPARE_DESCRIPTORS = 300


def chosen(patterns):
    wanted = patterns or workloads.DEFAULT
    found = [one for one in workloads.WORKLOADS
             if any(pattern == "all" or fnmatch.fnmatch(one.name, pattern) or one.name.startswith(pattern + "-")
                    or one.peer == pattern for pattern in wanted)]
    if not found:
        names = "\n  ".join(one.name for one in workloads.WORKLOADS)
        sys.exit(f"peers: no workload is called {', '.join(wanted)}; there are:\n  {names}")
    return found


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench peers")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[],
                        help="workloads: names, patterns ('mqtt-*'), beginnings ('mqtt'), peers, or all; "
                             "without it the figures to reach and the idle ones")
    parser.add_argument("--peers", nargs="+", choices=sorted(set(brokers.BROKERS) - {"braid"}), help="only these peers")
    parser.add_argument("--seconds", type=float, default=10, help="length of a window (default 10)")
    parser.add_argument("--repeats", type=int, default=3, help="windows of each kind (default 3)")
    parser.add_argument("--warmup", type=float, help="seconds before each window, instead of the workload's own")
    parser.add_argument("--cores", default="0:1", help="cores of the broker and of the load (default 0:1)")
    parser.add_argument("--no-latency", action="store_true", help="leave the phase at a fixed rate out")
    parser.add_argument("--instructions", action="store_true", help="count Braid's instructions per message as well")
    parser.add_argument("--output", type=pathlib.Path, default=brokers.ROOT / "build/peers", help="where the report goes")
    parser.add_argument("--list", action="store_true", help="name the workloads and end")
    return parser.parse_args()


class Bench:
    def __init__(self, options):
        self.options = options
        self.cores = options.cores.split(":")
        self.runs = []
        self.notes = {}
        self.versions = {}
        self.absent = {}

    def prepare(self, names):
        for name in names:
            try:
                self.versions[name] = brokers.BROKERS[name]().prepare()
            except brokers.Absent as why:
                self.absent[name] = str(why)
                print(f"peers: {name} is absent: {why}", flush=True)

    def one(self, workload, name, phase, repeat, rate=None):
        ours = name == "braid"
        protocol = workload.protocol if ours else workload.peer_protocol or workload.protocol
        arguments = dict(workload.arguments if ours or workload.peer_arguments is None else workload.peer_arguments)
        broker = brokers.BROKERS[name]()
        broker.prepare()
        arguments["seconds"] = self.options.seconds
        arguments["warmup"] = workload.warmup_s if self.options.warmup is None else self.options.warmup
        if "idle" in arguments:
            # Where fewer descriptors are allowed, fewer connections are measured; the report counts those that were made.
            arguments["idle"] = min(arguments["idle"], resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_DESCRIPTORS)
        if rate:
            arguments["rate"] = rate
            # A schedule sends what is due; the window only bounds what is unacknowledged.
            arguments["window"] = max(int(arguments.get("window", 20)), 1000)
        if protocol in ("kafka", "across") and broker.topic_config(workload.durability):
            arguments["topic-config"] = broker.topic_config(workload.durability)
        try:
            figures, histogram = measure.run(broker, brokers.BUILD / f"bench/peers/bench_{protocol}_load", workload,
                                             arguments, PORTS[protocol], protocol, self.cores)
        except (measure.Failed, RuntimeError) as why:
            self.notes.setdefault((workload.name, name), []).append(str(why))
            print(f"  {name:<10} {phase:<5} {repeat}: failed: {why}", flush=True)
            return None
        run = dict(workload=workload.name, broker=name, phase=phase, repeat=repeat, rate=rate or "", **figures)
        run["histogram"] = histogram
        self.runs.append(run)
        print(f"  {name:<10} {phase:<5} {repeat}: {report.line_of(run, workload)}", flush=True)
        return run

    def measure(self, workload):
        sides = [name for name in ("braid", workload.peer) if name not in self.absent]
        print(f"{workload.name}: {workload.title}", flush=True)
        if workload.rate:
            for repeat in range(1, self.options.repeats + 1):
                for name in sides:
                    self.one(workload, name, "rate", repeat, workload.rate)
            return
        for repeat in range(1, self.options.repeats + 1):
            for name in list(sides):
                # A side that cannot do this at all is not asked again.
                if self.one(workload, name, workload.kind if workload.kind == "idle" else "max", repeat) is None:
                    sides.remove(name)
        if not workload.latency or self.options.no_latency or not sides:
            return
        fan = int(workload.arguments.get("fan", 1))
        half = {name: max(1, round(statistics.median(run["throughput"] for run in self.runs
                                                     if (run["workload"], run["broker"]) == (workload.name, name))
                                   / fan / 2)) for name in sides}
        for repeat in range(1, self.options.repeats + 1):
            for name in sides:
                self.one(workload, name, "rate", repeat, min(half.values()))
        # The quicker one has hardly anything to do at that rate: how it is at half of what it can itself.
        quicker = max(sides, key=half.get)
        for repeat in range(1, self.options.repeats + 1 if len(sides) > 1 else 1):
            self.one(workload, quicker, "half", repeat, half[quicker])


def main():
    options = parse()
    if options.list:
        for one in workloads.WORKLOADS:
            print(f"{one.name:<28} {one.title}; against {one.peer}")
        return 0
    wanted = [one for one in chosen(options.only) if not options.peers or one.peer in options.peers]
    # 20,000 connections are as many descriptors, on both sides.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (65536, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
            break
        except (ValueError, OSError):
            continue
    # The harness itself keeps away from the broker's core.
    os.sched_setaffinity(0, {int(options.cores.split(":")[1])})

    bench = Bench(options)
    bench.prepare(["braid"] + sorted({one.peer for one in wanted}))
    options.output.mkdir(parents=True, exist_ok=True)
    counted = []
    try:
        for workload in wanted:
            bench.measure(workload)
            report.write(options.output, bench, wanted, counted)
        if options.instructions:
            counted += instructions.count(PORTS)
    except KeyboardInterrupt:
        print("peers: interrupted; what was measured so far is in the report", flush=True)
    report.write(options.output, bench, wanted, counted)
    print(f"peers: {options.output / 'report.md'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
