#!/usr/bin/env python3
# Braid, Apache-2.0.
#
# The clients are programs of other languages, and each of them would have to start, find and end a broker. This does it
# for all: it starts the real binary on free ports with a data directory of its own, runs one command with the addresses
# in its environment, and ends the broker by its process id. It fails if the command fails, or if the broker does not end
# with exit code 0; what the broker logged is shown then.
#
#   launch.py --braid BINARY [--set a.b=c]... -- COMMAND [ARGUMENTS]
#
# The command finds in its environment
#   BRAID_HOST, BRAID_KAFKA, BRAID_MQTT, BRAID_AMQP, BRAID_HTTP   the address, and the port of each protocol
#   BRAID_BINARY                                      the binary, for its commands (`braid topic create`)
#   BRAID_CONTROL                                     a port that takes one line, `restart` (in order) or `crash` (kill -9
#                                                     and start), and answers `ok` when the broker is ready again; or
#                                                     `pid`, which it answers
import argparse
import os
import pathlib
import random
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60
LOG_LINES_SHOWN = 80


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


class Ports:
    """Four ports that no other test has, for as long as this process lives; tests/e2e/support/ports.hpp says how."""

    COUNT = 4

    def __init__(self):
        while True:
            # Below those that outgoing connections get: none of them may hold one while the broker is down.
            first = 10000 + self.COUNT * random.randrange(5000)
            self.numbers = range(first, first + self.COUNT)
            self.name = socket.socket(socket.AF_UNIX)
            try:
                self.name.bind(f"\0braid-test-ports-{first}")
            except OSError:
                continue
            if all(is_free(port) for port in self.numbers):
                return


class Broker:
    """One broker process; every start after the first uses the same ports, so that clients find it again."""

    def __init__(self, binary, settings):
        self.binary = binary
        self.settings = settings
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="braid-clients-"))
        self.log = self.directory / "log"
        self.held = Ports()
        self.ports = dict(zip(("mqtt", "kafka", "amqp", "http"), self.held.numbers))
        self.process = None

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def start(self):
        settings = [f"storage.path={self.directory}/data", "kafka.group_initial_rebalance_delay=0ms"]
        settings += [f"listeners.{name}.port={port}" for name, port in self.ports.items()]
        arguments = [self.binary, "serve"]
        for setting in settings + self.settings:
            arguments += ["--set", setting]
        logged = len(self.text())
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while "; ready" not in self.text()[logged:]:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the broker did not start")
            time.sleep(0.02)

    def stop(self):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError("the broker did not stop")

    def kill(self):
        self.process.kill()
        self.process.wait()


def control(broker):
    """A server that takes the orders of the tests, one connection for each."""

    class Order(socketserver.StreamRequestHandler):
        def handle(self):
            order = self.rfile.readline().strip().decode()
            try:
                if order == "pid":
                    self.wfile.write(f"{broker.process.pid}\n".encode())
                    return
                if order == "restart":
                    code = broker.stop()
                    if code != 0:
                        raise RuntimeError(f"the broker ended with exit code {code}")
                elif order == "crash":
                    broker.kill()
                else:
                    raise RuntimeError(f"unknown order {order!r}")
                broker.start()
                self.wfile.write(b"ok\n")
            except RuntimeError as error:
                self.wfile.write(f"{error}\n".encode())

    server = socketserver.TCPServer(("127.0.0.1", 0), Order)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def run(broker, command):
    broker.start()
    server = control(broker)
    environment = dict(os.environ, BRAID_HOST="127.0.0.1", BRAID_BINARY=broker.binary,
                       BRAID_CONTROL=str(server.server_address[1]))
    for name, port in broker.ports.items():
        environment[f"BRAID_{name.upper()}"] = str(port)
    code = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL).returncode
    if broker.process.poll() is not None:
        raise RuntimeError(f"the broker ended by itself with exit code {broker.process.returncode}")
    stopped = broker.stop()
    if stopped != 0:
        raise RuntimeError(f"the broker ended with exit code {stopped}")
    return code


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--braid", required=True)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    # A signal ends this script as an exception does, so that the broker is ended as well (ctest's time-out).
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    broker = Broker(options.braid, options.settings)
    code = 1
    try:
        code = run(broker, options.command)
    except RuntimeError as error:
        print(f"launch: {error}", file=sys.stderr)
    finally:
        if broker.process is not None and broker.process.poll() is None:
            broker.kill()
        if code != 0:
            tail = broker.text().splitlines()[-LOG_LINES_SHOWN:]
            print("launch: the last lines of the broker's log", *tail, sep="\n  ", file=sys.stderr)
        shutil.rmtree(broker.directory, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
