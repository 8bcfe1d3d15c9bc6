#!/usr/bin/env python3
# Braid, Apache-2.0.
#
# Brings the clients that Debian does not package: those of npm, Maven Central and PyPI, in the versions that are pinned
# beside the tests (node/package-lock.json, java/pom.xml, python/requirements.txt). What was brought is kept below one
# folder under the hash of its pins, so a second run asks nothing of the network. A failure is a failure of the tests:
# a suite that could not get its client has not passed.
#
#   prepare.py node|java|python --cache DIRECTORY
import argparse
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
# The compiler's cache, where there is one: librdkafka is compiled once for all checkouts.
CCACHE = "ccache " if shutil.which("ccache") else ""


def run(*command, cwd, **environment):
    print("+", *command, flush=True)
    subprocess.run(list(map(str, command)), cwd=cwd, check=True, stdin=subprocess.DEVNULL,
                   env=dict(os.environ, **environment))


def node(target):
    """npm's packages. The one with a native part would download a binary from elsewhere: it is compiled here."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / "node" / name, target)
    run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=target)
    package = target / "node_modules/@confluentinc/kafka-javascript"
    # "dynamic" makes its librdkafka use the system's OpenSSL and zstd; the other way downloads their sources.
    settings = {"CKJS_LINKING": "dynamic", "CC": CCACHE + "gcc", "CXX": CCACHE + "g++"}
    run("node", "util/configure", cwd=package, **settings)
    # Made here, because the package's own call runs as many compilers as there are files.
    run("make", "-s", f"-j{os.cpu_count()}", "-C", "deps/librdkafka", "libs", cwd=package, **settings)
    run(target / "node_modules/.bin/node-gyp", "rebuild", "--nodedir=/usr", f"-j{os.cpu_count()}", cwd=package,
        **settings)


def java(target):
    """The jars of pom.xml and what they need, in one folder."""
    run("mvn", "-q", "-B", f"-Dmaven.repo.local={target}/repository", "-f", HERE / "java/pom.xml", MAVEN_COPY,
        f"-DoutputDirectory={target}/jars", cwd=target)
    shutil.rmtree(target / "repository")


def python(target):
    run("/usr/bin/python3", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps",
        "--target", target / "packages", "--requirement", HERE / "python/requirements.txt", cwd=target)


KINDS = {
    "node": (node, ["node/package.json", "node/package-lock.json"], ["node", "npm", "make", "g++"]),
    "java": (java, ["java/pom.xml"], ["java", "javac", "mvn"]),
    "python": (python, ["python/requirements.txt"], ["/usr/bin/python3"]),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--cache", required=True, type=pathlib.Path)
    options = parser.parse_args()
    bring, pins, tools = KINDS[options.kind]

    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        print(f"prepare: {', '.join(missing)} missing: ./dev setup installs what the tests need", file=sys.stderr)
        return 1
    hashed = hashlib.sha256(pathlib.Path(__file__).read_bytes())
    for name in pins:
        hashed.update((HERE / name).read_bytes())
    target = (options.cache / options.kind).resolve()
    target.mkdir(parents=True, exist_ok=True)
    # Two builds may test at once: the second one waits for what the first one brings.
    with open(options.cache / f"{options.kind}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = target / "stamp"
        if stamp.exists() and stamp.read_text() == hashed.hexdigest():
            print(f"prepare: {options.kind} is there")
            return 0
        shutil.rmtree(target)
        target.mkdir()
        try:
            bring(target)
        except subprocess.CalledProcessError as error:
            print(f"prepare: the clients for {options.kind} could not be brought: {error}", file=sys.stderr)
            return 1
        stamp.write_text(hashed.hexdigest())
    return 0


if __name__ == "__main__":
    sys.exit(main())
