# Braid, Apache-2.0.
#
# One run: a fresh broker on its core, the load generator on the other, and what the kernel says of the broker while the
# generator's window is open.
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
LIMIT_S = 900


class Failed(Exception):
    """A run without a result, and why."""


def tree(roots):
    """The processes and everything below them."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += parents.get(pid, [])
    return found


def usage(roots):
    """CPU seconds (ended children included) and resident KiB of process trees."""
    ticks = pages = 0
    for pid in tree(roots):
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(fields[i]) for i in (11, 12, 13, 14))
        pages += int(fields[21])
    return ticks / TICKS, pages * PAGE_KIB


def generate(binary, arguments, core, roots, limit_s=LIMIT_S):
    """Runs a generator to its end. Returns its events, each with the broker's CPU time and memory of that moment."""
    command = ["taskset", "-c", core, str(binary)]
    for name, value in arguments.items():
        command += [f"--{name}", str(value)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    alarm = threading.Timer(limit_s, process.kill)
    alarm.start()
    events = {}
    try:
        for line in process.stdout:
            cpu_s, resident_kib = usage(roots)
            event = json.loads(line)
            events[event["event"]] = dict(event, broker_cpu_s=cpu_s, resident_kib=resident_kib)
        process.wait()
    finally:
        alarm.cancel()
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode != 0 or "result" not in events:
        why = process.stderr.read().strip() or f"ended by signal {-process.returncode}"
        raise Failed(why.splitlines()[-1])
    return events


def run(broker, binary, workload, arguments, port, protocol, cores):
    """A fresh broker, one load. Returns the figures of the run."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix=f"braid-peers-{broker.name}-"))
    try:
        broker.start(directory, port, protocol, workload.durability, cores[0])
        roots = broker.roots()
        before_kib = usage(roots)[1]
        ports = {"port": port, "kafka-port": port + 1} if protocol == "across" else {"port": port}
        events = generate(binary, {**arguments, **ports}, cores[1], roots)
        if broker.ended():
            raise Failed("the broker ended: " + broker.log.read_text(errors="replace")[-500:])
    finally:
        broker.stop()
        shutil.rmtree(directory, ignore_errors=True)

    result = events["result"]
    seconds, count = result["seconds"], result["delivered"]
    cpu_s = events["end"]["broker_cpu_s"] - events["begin"]["broker_cpu_s"]
    # Where nobody reads, what is acknowledged is counted by the generator as delivered.
    figures = {
        "throughput": count / seconds, "cpu_us": cpu_s * 1e6 / count if count else None,
        "broker_cpu_share": cpu_s / seconds, "client_cpu_share": result["client_cpu_s"] / seconds,
        "ceiling": count / result["client_cpu_s"] if result["client_cpu_s"] and count else None,
        "resident_mib": events["end"]["resident_kib"] / 1024, "empty_mib": before_kib / 1024,
        "start_ms": broker.started_in_ms, "load_average": os.getloadavg()[0],
    }
    for name in ("mean_us", "p50_us", "p99_us", "p999_us", "max_us", "latency_count", "lost", "doubled", "never_sent"):
        figures[name] = result.get(name, 0)
    if workload.count:
        held = events.get("subscribed") or events["ready"]
        made = events.get("connected") or events.get("subscribed") or events.get("declared")
        count = made["count"] if made else workload.count
        figures["count"] = count
        figures["bytes_each"] = (held["resident_kib"] - before_kib) * 1024 / count
        figures["made_per_s"] = count / made["seconds"] if made else None
    return figures, result["histogram_ns"]
