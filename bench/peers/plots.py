# Braid, Apache-2.0.
#
# The report's plots as SVG, drawn with nothing but text: bars for throughput, curves of latency over percentiles.
import html
import math
import statistics

WIDTH, LEFT, RIGHT = 900, 300, 20
OURS, THEIRS = "#1f6feb", "#b7791f"


def text(x, y, words, anchor="start", size=12):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-family="sans-serif" '
            f'fill="#333">{html.escape(str(words))}</text>')


def picture(path, height, parts):
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
                    f'viewBox="0 0 {WIDTH} {height}"><rect width="100%" height="100%" fill="white"/>' + "".join(parts) + "</svg>\n")


def short(value):
    return f"{value / 1e6:.2f} M" if value >= 1e6 else f"{value / 1e3:.1f} k" if value >= 1e3 else f"{value:.0f}"


def throughput(path, bench, workloads):
    """Two bars per workload on a logarithmic axis, with the range of the repeats."""
    rows = []
    for one in workloads:
        for name, color in (("braid", OURS), (one.peer, THEIRS)):
            values = [run["throughput"] for run in bench.runs
                      if (run["workload"], run["broker"], run["phase"]) == (one.name, name, "max") and run["throughput"] > 0]
            if values:
                rows.append((f"{one.name}, {name}", values, color))
    if not rows:
        return
    low = 10 ** math.floor(math.log10(min(min(values) for _, values, _ in rows)))
    high = 10 ** math.ceil(math.log10(max(max(values) for _, values, _ in rows)) + 1e-9)
    across = lambda value: LEFT + (WIDTH - LEFT - RIGHT - 60) * math.log10(value / low) / max(1, math.log10(high / low))
    parts = [text(LEFT, 16, "delivered messages a second (median, and the range of the repeats)")]
    height = 30 + 18 * len(rows) + 30
    decade = low
    while decade <= high:
        parts.append(f'<line x1="{across(decade):.1f}" y1="24" x2="{across(decade):.1f}" y2="{height - 26}" stroke="#ddd"/>')
        parts.append(text(across(decade), height - 10, short(decade), "middle", 11))
        decade *= 10
    for i, (title, values, color) in enumerate(rows):
        y, middle = 30 + 18 * i, statistics.median(values)
        parts.append(text(LEFT - 6, y + 11, title, "end", 11))
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{max(1, across(middle) - LEFT):.1f}" height="13" fill="{color}"/>')
        parts.append(f'<line x1="{across(min(values)):.1f}" y1="{y + 6.5}" x2="{across(max(values)):.1f}" y2="{y + 6.5}" '
                     'stroke="black"/>')
        parts.append(text(across(max(values)) + 5, y + 11, short(middle), size=11))
    picture(path, height, parts)


def merged(runs):
    counts = {}
    for run in runs:
        for upper, count in run["histogram"]:
            counts[upper] = counts.get(upper, 0) + count
    return sorted(counts.items())


def latency(path, bench, workload):
    """All repeats together: latency over the share of messages that were not slower, both axes logarithmic."""
    top, bottom, height, left = 30, 40, 360, 70
    curves = []
    for name, color in (("braid", OURS), (workload.peer, THEIRS)):
        counts = merged(run for run in bench.runs
                        if (run["workload"], run["broker"], run["phase"]) == (workload.name, name, "rate"))
        total, seen, points = sum(count for _, count in counts), 0, []
        for upper, count in counts:
            # The slowest message has nothing above it: it stands where half of it would.
            points.append((max(total - seen - count, 0.5) / total, upper))
            seen += count
        if points:
            curves.append((name, color, points))
    if not curves:
        return
    low = 10 ** math.floor(math.log10(max(1, min(p[0][1] for _, _, p in curves))))
    high = 10 ** math.ceil(math.log10(max(p[-1][1] for _, _, p in curves)))
    rarest = max(2, math.ceil(-math.log10(min(p[-1][0] for _, _, p in curves))))
    across = lambda rest: left + (WIDTH - left - RIGHT) * min(1, -math.log10(rest) / rarest)
    up = lambda ns: height - bottom - (height - top - bottom) * math.log10(max(ns, low) / low) / max(1, math.log10(high / low))
    parts = [text(left, 18, f"{workload.title}: latency at a fixed rate")]
    for nines in range(rarest + 1):
        x = across(10 ** -nines)
        parts.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{height - bottom}" stroke="#ddd"/>')
        label = "0 %" if nines == 0 else f"{100 - 100 * 10 ** -nines:.10g} %"
        parts.append(text(x, height - bottom + 16, label, "middle", 11))
    decade = low
    while decade <= high:
        parts.append(f'<line x1="{left}" y1="{up(decade):.1f}" x2="{WIDTH - RIGHT}" y2="{up(decade):.1f}" stroke="#ddd"/>')
        label = f"{decade / 1e9:g} s" if decade >= 1e9 else f"{decade / 1e6:g} ms" if decade >= 1e6 else f"{decade / 1e3:g} us"
        parts.append(text(left - 6, up(decade) + 4, label, "end", 11))
        decade *= 10
    for i, (name, color, points) in enumerate(curves):
        line = " ".join(f"{across(rest):.1f},{up(ns):.1f}" for rest, ns in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts.append(f'<rect x="{left + 10}" y="{top + 8 + 18 * i}" width="12" height="12" fill="{color}"/>')
        parts.append(text(left + 28, top + 18 + 18 * i, name))
    picture(path, height, parts)
