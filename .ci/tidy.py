#!/usr/bin/env python3
# Braid, Apache-2.0.
#
# The rules of the rooms and of the house (ARCHITECTURE.md) that the compiler does not check. Prints one line per
# finding, as a compiler would, and ends with 1 if there is any.
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Bottom up: a room may include itself and what stands before it.
ROOMS = ["model", "config", "codecs", "persistence", "runtime", "cluster", "actors", "apps"]
PROTOCOLS = ["mqtt", "kafka", "amqp"]
MAX_LINES = 700
MAX_COLUMNS = 120

# Slow to compile: how many sources outside tests/ may include them. Never a header.
HEAVY = {"spdlog/": 1, "CLI/": 1, "nlohmann/": 1, "httplib.h": 2}

# What only some places may name, and why.
FENCES = [
    (re.compile(r"#\s*include\s*<uv\.h>|\buv_[a-z_]+\s*\("), {"runtime", "tests", "bench"}, "only runtime/ names libuv"),
    (re.compile(r"#\s*include\s*[<\"]caf/|\bcaf::"), {"runtime", "actors", "cluster", "tests", "bench"},
     "only runtime/, actors/ and cluster/ name CAF"),
    (re.compile(r"\b(?:system|steady|high_resolution|utc|file)_clock\b|\b(?:clock_gettime|gettimeofday)\s*\(|"
                r"(?<![\w.>:])(?:std::)?time\s*\(\s*(?:nullptr|NULL|0|&\w+)\s*\)"),
     {"runtime", "tests", "bench", "apps"}, "the clock belongs to the loop: ask it"),
    (re.compile(r"\bstd::(?:random_device|mt19937(?:_64)?|default_random_engine|minstd_rand0?)\b|"
                r"(?<![\w.>:])(?:std::)?s?rand(?:om)?\s*\(|\bgetrandom\s*\(|\bgetentropy\s*\("),
     {"runtime", "tests", "bench", "apps"}, "randomness belongs to the loop: ask it"),
    (re.compile(r"\bsleep_(?:for|until)\b|(?<![\w.>:])(?:u|nano)?sleep\s*\("), {"runtime", "tests", "bench", "apps"},
     "no sleeping: wait for a condition or a timer of the loop"),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
MACHINE_PATH = re.compile(r"/work/|/root/|/home/[a-z]")


def strip_comments_and_strings(text):
    """The same text with comments blanked and string contents removed, line for line; include lines stay as they are."""
    pattern = re.compile(
        r'(?P<keep>^[ \t]*#[ \t]*include[^\n]*)|(?P<raw>R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)")|(?P<line>//[^\n]*)|(?P<block>/\*.*?\*/)'
        r"|(?P<str>\"(?:\\.|[^\"\\\n])*\")|(?P<chr>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')",
        re.S | re.M)

    def blank(match):
        if match.group("keep") is not None:
            return match.group(0)
        return ('""' if match.group("str") or match.group("raw") else "") + "\n" * match.group(0).count("\n")

    return pattern.sub(blank, text)


def sources():
    for path in sorted(ROOT.rglob("*")):
        relative = path.relative_to(ROOT)
        if relative.parts[0] in ("build", ".git", ".cache", "data") or not path.is_file():
            continue
        if path.suffix in (".cpp", ".hpp", ".h", ".py", ".sh", ".cmake", ".fbs") or relative.parts[0] in ("dev", ".ci"):
            yield relative, path.read_text(encoding="utf-8", errors="replace")


def protocol_of(path_parts):
    """The protocol whose folder this is, for codecs/P/... and actors/P/..."""
    if len(path_parts) > 2 and path_parts[0] in ("codecs", "actors") and path_parts[1] in PROTOCOLS:
        return path_parts[1]
    return None


def unread_settings(texts):
    """Fields of config/settings.hpp that no room above config/ reads: a setting that is parsed and ignored."""
    header = ROOT / "config/settings.hpp"
    fields = re.findall(r"^  [\w:<>]+ (\w+)(?: = [^;]+|\{[^;]*\})?;", header.read_text(encoding="utf-8"), re.M)
    readers = "\n".join(text for path, text in texts
                        if path.parts[0] in ROOMS[2:] or path == pathlib.Path("config/check.cpp"))
    topic_settings = (ROOT / "config/topic_settings.cpp").read_text(encoding="utf-8")
    return [field for field in fields
            if not re.search(rf"(?:\.|->){field}\b", readers) and f"defaults.{field}" not in topic_settings]


def check():
    findings = []
    heavy_users = {name: [] for name in HEAVY}

    def report(path, line, text):
        findings.append(f"{path}:{line}: {text}")

    texts = list(sources())
    for field in unread_settings(texts):
        report("config/settings.hpp", 1, f"the setting '{field}' is read and checked, but nothing uses it")
    for path, text in texts:
        room = path.parts[0]
        lines = text.split("\n")
        if len(lines) > MAX_LINES + 1:
            report(path, len(lines), f"{len(lines) - 1} lines: a file holds one idea, {MAX_LINES} lines at most")
        own_rules = path == pathlib.Path(".ci/tidy.py")
        for number, line in enumerate(lines, 1):
            if not own_rules and UNFINISHED.search(line):
                report(path, number, "unfinished: finish it, or write an issue")
            if not own_rules and MACHINE_PATH.search(line):
                report(path, number, "a path of one machine")
        if path.suffix not in (".cpp", ".hpp", ".h"):
            continue

        if not lines[0].startswith("// Braid, Apache-2.0."):
            report(path, 1, "the first line is '// Braid, Apache-2.0.'")
        if path.suffix != ".cpp" and "#pragma once" not in text:
            report(path, 1, "a header has '#pragma once'")

        protocol = protocol_of(path.parts)
        for number, line in enumerate(strip_comments_and_strings(text).split("\n"), 1):
            if len(lines[number - 1]) > MAX_COLUMNS and 'R"' not in text:
                report(path, number, f"longer than {MAX_COLUMNS} columns")
            for pattern, rooms, why in FENCES:
                # A room's testing/ folder holds its fakes: they are seeded, and no part of the broker.
                if room not in rooms and "testing" not in path.parts and pattern.search(line):
                    report(path, number, why)
            include = INCLUDE.match(line)
            if not include:
                continue
            target = include.group(2)
            parts = target.split("/")
            if room in ROOMS and parts[0] in ROOMS and ROOMS.index(parts[0]) > ROOMS.index(room):
                report(path, number, f"{room}/ is below {parts[0]}/ and may not include it")
            if include.group(1) == '"' and target.startswith(".."):
                report(path, number, "includes name the room: \"room/file.hpp\"")
            other = protocol_of(parts)
            if protocol and other and other != protocol:
                report(path, number, f"the folders of {protocol} and {other} do not know each other")
            for name in HEAVY:
                if target.startswith(name) and room != "tests":
                    if path.suffix != ".cpp":
                        report(path, number, f"<{target}> is slow to compile: include it in one .cpp, not in a header")
                    elif path not in heavy_users[name]:
                        heavy_users[name].append(path)

    for name, users in heavy_users.items():
        if len(users) > HEAVY[name]:
            where = ", ".join(map(str, users))
            findings.append(f"{users[-1]}:1: {name} is slow to compile and included in {len(users)} sources: {where}")
    return findings


def main():
    findings = check()
    for finding in findings:
        print(finding)
    print(f"tidy: {len(findings)} findings" if findings else "tidy: the rules of the rooms and of the house are kept")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
