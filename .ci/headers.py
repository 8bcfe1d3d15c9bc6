#!/usr/bin/env python3
# Braid, Apache-2.0.
#
# Every header compiles alone, with the flags of its room's sources: whoever includes one needs to know no other. Takes
# a build folder with compile_commands.json; slow (each header is a compilation), so `./dev tidy --headers` only.
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ["model", "config", "codecs", "persistence", "runtime", "cluster", "actors", "apps"]


def flags_by_room(build):
    flags = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"])
        room = source.relative_to(ROOT).parts[0] if source.is_relative_to(ROOT) else ""
        if room not in ROOMS or room in flags:
            continue
        words = shlex.split(entry["command"])
        compiler = next(i for i, word in enumerate(words) if pathlib.Path(word).name.split("-")[0] in ("g++", "clang++", "c++"))
        keep = [word for word in words[compiler + 1:] if word.startswith(("-I", "-D", "-isystem", "-std", "-W"))]
        flags[room] = [words[compiler], *keep]
    return flags


def compile_alone(header, flags, build):
    command = [*flags, "-fsyntax-only", "-Wno-pragma-once-outside-header", "-x", "c++", str(header)]
    if "clang" not in command[0]:
        command.remove("-Wno-pragma-once-outside-header")
        command += ["-include", "/dev/null", "-w"]
    result = subprocess.run(command, cwd=build, capture_output=True, text=True, check=False)
    return None if result.returncode == 0 else result.stderr.strip()


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    flags = flags_by_room(build)
    headers = [h for room in ROOMS if room in flags for h in sorted((ROOT / room).rglob("*.hpp"))]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("BRAID_JOBS", os.cpu_count() or 1))) as pool:
        jobs = {pool.submit(compile_alone, h, flags[h.relative_to(ROOT).parts[0]], build): h for h in headers}
        for job in concurrent.futures.as_completed(jobs):
            if job.result():
                failed += 1
                print(f"{jobs[job].relative_to(ROOT)}:1: does not compile alone\n{job.result()}")
    print(f"headers: {failed} of {len(headers)} do not compile alone" if failed else f"headers: all {len(headers)} compile alone")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
