# Braid, Apache-2.0.
#
# What was measured, for people (report.md with plots) and for programs (runs.csv, histograms.csv). Medians stand beside
# the smallest and largest of the repeats; a figure without a spread would claim more than it knows.
import csv
import os
import pathlib
import platform
import statistics
import time

import brokers
import plots
from workloads import Target

FIELDS = ("throughput", "cpu_us", "p50_us", "p99_us", "p999_us", "max_us", "mean_us", "resident_mib", "empty_mib",
          "start_ms", "broker_cpu_share", "client_cpu_share", "ceiling", "count", "bytes_each", "made_per_s", "latency_count",
          "lost", "doubled", "never_sent", "load_average")


def short(value):
    """Three digits that mean something, with k and M."""
    if value is None:
        return "-"
    for limit, unit in ((1e6, " M"), (1e4, " k")):
        if abs(value) >= limit:
            return f"{value / (1e6 if unit == ' M' else 1e3):.3g}{unit}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def time_of(us):
    if us is None:
        return "-"
    return f"{us:.0f} us" if us < 1000 else f"{us / 1000:.3g} ms" if us < 1e6 else f"{us / 1e6:.3g} s"


def line_of(run, workload):
    if workload.kind == "idle":
        return (f"{run['bytes_each']:.0f} B per {workload.each}, {run['broker_cpu_share'] * 100:.2f} % of a core, "
                f"{run['resident_mib']:.1f} MiB")
    return (f"{short(run['throughput'])}/s, p50 {time_of(run['p50_us'])}, p99 {time_of(run['p99_us'])}, "
            f"{run['cpu_us'] or 0:.2f} us of broker CPU each, client at {run['client_cpu_share'] * 100:.0f} %, "
            f"{run['resident_mib']:.0f} MiB" + (f", {run['lost']} lost" if run["lost"] else ""))


class Sample:
    """The repeats of one workload, broker and phase."""

    def __init__(self, runs, workload, broker, phase):
        self.runs = [run for run in runs
                     if (run["workload"], run["broker"], run["phase"]) == (workload.name, broker, phase)]

    def __bool__(self):
        return bool(self.runs)

    def values(self, field):
        return [run[field] for run in self.runs if run.get(field) is not None]

    def median(self, field):
        values = self.values(field)
        return statistics.median(values) if values else None

    def text(self, field, form=short):
        values = self.values(field)
        if not values:
            return "-"
        spread = f" ({form(min(values))} to {form(max(values))})" if len(values) > 1 else ""
        return form(statistics.median(values)) + spread


def ratio(ours, theirs):
    return ours / theirs if ours is not None and theirs else None


def judged(value, limit, at_least):
    if value is None:
        return "-"
    if limit is None:
        return f"{value:.2f}x"
    met = value >= limit if at_least else value <= limit
    return f"{value:.2f}x ({'met' if met else 'not met'}: {'at least' if at_least else 'at most'} {limit:.2g})"


def machine():
    model = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / (1 << 20)
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux {platform.release()}"


NO_TARGET = Target(None, None, None)


def ratios(bench, workloads):
    rows = []
    for one in workloads:
        if one.kind == "idle":
            continue
        if one.peer in bench.absent:
            rows.append(f"| {one.title} | {one.peer}: absent | | | |")
            continue
        most = [Sample(bench.runs, one, name, "max") for name in ("braid", one.peer)]
        paced = [Sample(bench.runs, one, name, "rate") for name in ("braid", one.peer)]
        full = paced if one.rate else most
        if not (full[0] and full[1]):
            rows.append(f"| {one.title} | {one.peer} | not measured | | |")
            continue
        target = one.target or NO_TARGET
        rows.append("| " + " | ".join([
            one.title, one.peer,
            judged(ratio(most[0].median("throughput"), most[1].median("throughput")), target.throughput, True),
            judged(ratio(paced[0].median("p99_us"), paced[1].median("p99_us")), target.p99, False),
            judged(ratio(full[0].median("cpu_us"), full[1].median("cpu_us")), target.cpu, False)]) + " |")
    if not rows:
        return []
    return ["## As multiples of the peer", "",
            "Braid's figure over the peer's, and whether that is what Braid is to reach where there is such an aim. Throughput and",
            "CPU when each does as much as it can (a workload with a rate of its own: CPU at that), p99 with both at the same fixed",
            "rate, half of what the slower one did.",
            "", "| workload | against | throughput | p99 | broker CPU per message |", "|---|---|---|---|---|", *rows, ""]


def load_tables(bench, one):
    sides = [name for name in ("braid", one.peer) if name not in bench.absent]
    lines = ["| | " + " | ".join(sides) + " |", "|---|" + "---|" * len(sides)]

    def row(title, phase, field, form=short):
        samples = [Sample(bench.runs, one, name, phase) for name in sides]
        if any(samples):
            lines.append(f"| {title} | " + " | ".join(sample.text(field, form) for sample in samples) + " |")

    percent = lambda share: f"{share * 100:.0f} %"
    row("as many as it can: delivered a second", "max", "throughput")
    row("broker CPU, us each", "max", "cpu_us")
    row("broker's core in use", "max", "broker_cpu_share", percent)
    row("load's core in use", "max", "client_cpu_share", percent)
    row("the load's own ceiling, a second", "max", "ceiling")
    row("p99 meanwhile", "max", "p99_us", time_of)
    row("resident MiB", "max", "resident_mib")
    rates = {run["rate"] for run in bench.runs if run["workload"] == one.name and run["phase"] == "rate"}
    if rates:
        lines.append(f"| **at {short(max(rates))} published a second** |" + " |" * len(sides))
        row("delivered a second", "rate", "throughput")
        for title, field in (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"), ("max", "max_us")):
            row(title, "rate", field, time_of)
        row("broker CPU, us each", "rate", "cpu_us")
        row("resident MiB", "rate", "resident_mib")
    own = {run["rate"] for run in bench.runs if run["workload"] == one.name and run["phase"] == "half"}
    if own:
        lines.append(f"| **the quicker one at half of its own, {short(max(own))} published a second** |" + " |" * len(sides))
        for title, field in (("p50", "p50_us"), ("p99", "p99_us"), ("p99.9", "p999_us"), ("max", "max_us")):
            row(title, "half", field, time_of)
        row("broker CPU, us each", "half", "cpu_us")
    lost = {name: sum(run["lost"] + run["doubled"] for run in bench.runs
                      if (run["workload"], run["broker"]) == (one.name, name)) for name in sides}
    if any(lost.values()):
        lines.append("| lost or doubled, all runs | " + " | ".join(str(lost[name]) for name in sides) + " |")
    return lines


def idle_rows(bench, workloads):
    lines = []
    for one in workloads:
        if not one.count:
            continue
        for name in ("braid", one.peer):
            sample = Sample(bench.runs, one, name, "idle" if one.kind == "idle" else "max")
            if sample:
                cpu = (sample.text("broker_cpu_share", lambda share: f"{share * 100:.2f} %") if one.kind == "idle" else
                       sample.text("cpu_us", lambda us: f"{us:.2f} us a message"))
                lines.append(f"| {one.title} | {name} | {sample.median('count'):,.0f} | {sample.text('bytes_each', lambda b: f'{b:.0f} B')} "
                             f"| {sample.text('made_per_s')} | {cpu} |")
    if not lines:
        return []
    return ["## Being there", "", "| | broker | measured with | resident each | made a second | CPU |", "|---|---|---|---|---|---|", *lines, ""]


def start_rows(bench):
    lines = []
    for name in bench.versions:
        runs = [run for run in bench.runs if run["broker"] == name]
        if runs:
            start, empty = ([run[field] for run in runs] for field in ("start_ms", "empty_mib"))
            lines.append(f"| {name} | {statistics.median(start):.0f} ms ({min(start):.0f} to {max(start):.0f}) "
                         f"| {statistics.median(empty):.1f} MiB |")
    if not lines:
        return []
    return ["## Start", "", "| broker | to the first accepted connection | resident when empty |", "|---|---|---|", *lines, ""]


def settings(bench, workloads):
    lines = ["## Settings", "", "| workload | broker | |", "|---|---|---|"]
    for one in workloads:
        for name in ("braid", one.peer):
            if name not in bench.absent:
                protocol = one.protocol if name == "braid" else one.peer_protocol or one.protocol
                lines.append(f"| {one.name} | {name} | {brokers.BROKERS[name]().settings(protocol, one.durability)} |")
    lines += ["", "The load:", ""]
    for one in workloads:
        lines.append(f"- {one.name}: " + ", ".join(f"{name} {value}" for name, value in one.arguments.items()))
    return lines + [""]


def write_csv(output, runs):
    with open(output / "runs.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["workload", "broker", "phase", "repeat", "rate", *FIELDS])
        for run in runs:
            writer.writerow([run[name] for name in ("workload", "broker", "phase", "repeat", "rate")] +
                            [run.get(name) for name in FIELDS])
    with open(output / "histograms.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["workload", "broker", "phase", "repeat", "up_to_ns", "count"])
        for run in runs:
            for upper, count in run["histogram"]:
                writer.writerow([run["workload"], run["broker"], run["phase"], run["repeat"], upper, count])


def write(output, bench, workloads, counted):
    options = bench.options
    loads = [run["load_average"] for run in bench.runs]
    lines = ["# Braid beside its peers", "",
             f"Made by `./dev bench peers` on {time.strftime('%Y-%m-%d')}: {machine()}. Broker on core {bench.cores[0]}, "
             f"load on core {bench.cores[1]}; windows of {options.seconds:g} s, {options.repeats} of each kind, brokers in "
             "turn, each run on a fresh broker with an empty data directory.", ""]
    if loads:
        lines += [f"The machine's load average was {min(loads):.1f} to {max(loads):.1f} at the runs' ends; the bench itself "
                  "makes about 2. More than that means that others were computing, and that the figures are too.", ""]
    lines += ["Versions: " + "; ".join(f"{name} ({version})" for name, version in bench.versions.items()) + ".", ""]
    lines += [f"**{name} is absent**, and therefore neither beaten nor equalled: {why}.\n"
              for name, why in bench.absent.items()]
    for (workload, name), why in bench.notes.items():
        lines += [f"**{name} gave no figure in {workload}**: {why[0]}\n"]
    lines += ratios(bench, workloads)
    measured = [one for one in workloads if one.kind == "load" and any(run["workload"] == one.name for run in bench.runs)]
    if measured:
        plots.throughput(output / "throughput.svg", bench, measured)
        lines += ["## Load", "", "Medians, with the smallest and the largest. Every delivered message counts, so one that "
                  "goes to 200 subscribers counts 200 times. Latency is from the time at which a message was due to its "
                  "subscriber. The load's own ceiling is what it would do if its core were always in use at this cost.", "",
                  "![throughput](throughput.svg)", ""]
    for one in measured:
        lines += [f"### {one.title} (`{one.name}`)", "", *load_tables(bench, one), ""]
        if any(run["workload"] == one.name and run["phase"] == "rate" for run in bench.runs):
            plots.latency(output / f"latency-{one.name}.svg", bench, one)
            lines += [f"![latency](latency-{one.name}.svg)", ""]
    lines += idle_rows(bench, workloads) + start_rows(bench)
    if counted:
        lines += ["## Instructions per message, under callgrind", "", "| path | instructions |", "|---|---|"]
        lines += [f"| {title} | {short(value)} |" for title, value in counted] + [""]
    lines += settings(bench, workloads)
    (output / "report.md").write_text("\n".join(lines))
    write_csv(output, bench.runs)
