#!/usr/bin/env python3
# Braid, Apache-2.0.
#
# Makes docs/mqtt-conformance.md from the list of numbered statements (tests/e2e/mqtt_statements.txt) and the tags of the
# tests; with --check only says what is wrong: a statement without a test, a tag that names none, a page that is old, a
# cell of the table of versions in docs/mqtt.md that no test shows.
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/mqtt-conformance.md"
LIST = ROOT / "tests/e2e/mqtt_statements.txt"
MANUAL = ROOT / "docs/mqtt.md"
VERSIONS = ["3.1.1", "5.0"]

INTRODUCTION = """# MQTT: conformance

Made from the tests by `.ci/mqtt_conformance.py`; `./dev tidy` fails when this page is not current, and when a statement
that a server can violate has no test that names it.

The specifications of MQTT 3.1.1 and 5.0 number their normative statements. Each line below is one of them with the tests
that try to make the broker violate it, over bare sockets and against the real binary (`tests/e2e/mqtt_*_test.cpp`). MQTT
3.1 has no numbered statements; most tests of 3.1.1 run at its level too.
"""


def statements():
    """The list: {version: [id]}, {(version, id): why it has no test}."""
    known, excused = {version: [] for version in VERSIONS}, {}
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        words, _, why = line.partition(" : ")
        words = words.split()
        if words[0] in ("client", "moot"):
            for statement in words[2:]:
                excused[words[1], statement] = why
            continue
        version, section, numbers = words
        first, _, last = numbers.partition("-")
        known[version] += [f"{section}-{number}" for number in range(int(first), int(last or first) + 1)]
    return known, excused


def tests():
    """{(version, id): [(what the test says, its file)]}, and the statements with a test that runs at level 3 too."""
    named, old = {}, set()
    for path in sorted((ROOT / "tests/e2e").glob("*_test.cpp")):
        text = path.read_text(encoding="utf-8")
        for case in re.finditer(r'TEST_CASE\(\s*((?:"(?:\\.|[^"\\])*"\s*)+),\s*((?:"[^"]*"\s*)+)\)', text):
            body = text[case.end():].partition("\nTEST_CASE(")[0]
            name, tags = ("".join(re.findall(r'"((?:\\.|[^"\\])*)"', part)) for part in case.groups())
            for version, statement in re.findall(r"\[(\S+) MQTT-([\d.]+-\d+)\]", tags):
                named.setdefault((version, statement), []).append((name.replace('\\"', '"'), path.name))
                if re.search(r": levels\)|connected\(3\b|\.level = 3\b|level : \{3\b", body):
                    old.add((version, statement))
    return named, old


def ranges(statements_of_one_kind):
    """3.1.2-20, 3.1.2-21 as 3.1.2-20..21"""
    runs = []
    for statement in statements_of_one_kind:
        section, number = statement.rsplit("-", 1)
        if runs and runs[-1][0] == section and runs[-1][2] == int(number) - 1:
            runs[-1][2] = int(number)
        else:
            runs.append([section, int(number), int(number)])
    return ", ".join(f"{s}-{a}" if a == b else f"{s}-{a}..{b}" for s, a, b in runs)


def page(known, excused, named):
    text = INTRODUCTION
    for version in VERSIONS:
        tested = [s for s in known[version] if (version, s) in named]
        text += f"\n## MQTT {version}: {len(tested)} statements tested\n\n| statement | tests |\n|---|---|\n"
        for statement in tested:
            what = "; ".join(f"{name} (`{file.removesuffix('_test.cpp')}`)" for name, file in named[version, statement])
            text += f"| MQTT-{statement} | {what} |\n"
        reasons = {}
        for statement in known[version]:
            if (version, statement) in excused and (version, statement) not in named:
                reasons.setdefault(excused[version, statement], []).append(statement)
        text += "\nNot tested:\n\n"
        for why, these in reasons.items():
            text += f"- {why or 'binds clients only'}: {ranges(these)}\n"
    return text


def versions(named, old):
    """What is wrong with the table of versions."""
    text = MANUAL.read_text(encoding="utf-8").partition("<!-- versions:")[2].partition("<!-- end of versions -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    if len(rows) < 3:
        yield f"{MANUAL.name}: there is no table of versions"
    for feature, oldest, *cells in rows[2:]:
        found = {version: re.findall(r"\d+\.\d+\.\d+-\d+", cell) for version, cell in zip(VERSIONS, cells)}
        for version, cell in zip(VERSIONS, cells):
            for statement in found[version]:
                if (version, statement) not in named:
                    yield f"{MANUAL.name}: '{feature}' of {version}: no test names MQTT-{statement}"
            if not found[version] and cell != "–" and not (cell == "as 5.0" and found["5.0"]):
                yield f"{MANUAL.name}: '{feature}' of {version} names no statement"
        if oldest == "yes" and not any(("3.1.1", statement) in old for statement in found["3.1.1"]):
            yield f"{MANUAL.name}: '{feature}' of 3.1: no test of its statements runs at level 3"
        elif oldest not in ("yes", "–") and not (oldest == "as 5.0" and found["5.0"]):
            yield f"{MANUAL.name}: '{feature}' of 3.1: '{oldest}' is neither 'yes' nor '–'"


def main():
    known, excused = statements()
    named, old = tests()
    findings = list(versions(named, old))
    for version, statement in sorted(set(named) | set(excused)):
        if statement not in known.get(version, []):
            findings.append(f"{LIST.name}: there is no statement MQTT-{statement} in MQTT {version}")
    for version in VERSIONS:
        for statement in known[version]:
            if (version, statement) not in named and (version, statement) not in excused:
                findings.append(f"{LIST.name}: no test names MQTT-{statement} of MQTT {version}")
    wanted = page(known, excused, named)
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(wanted, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != wanted:
        findings.append("docs/mqtt-conformance.md is old: run .ci/mqtt_conformance.py")
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
