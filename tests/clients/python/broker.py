# Braid, Apache-2.0.
#
# What the tests of all Python clients share: where the broker is, how to wait, and how to have it restarted.
import os
import socket
import time
import uuid

HOST = os.environ["BRAID_HOST"]
KAFKA = int(os.environ["BRAID_KAFKA"])
MQTT = int(os.environ["BRAID_MQTT"])
AMQP = int(os.environ["BRAID_AMQP"])
HTTP = int(os.environ["BRAID_HTTP"])
BOOTSTRAP = f"{HOST}:{KAFKA}"


def unique(prefix):
    """A name that no other test uses."""
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def eventually(condition, what="condition", timeout_s=40):
    """Waits until condition() gives something true, and returns it."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what() if callable(what) else what}")
        time.sleep(0.01)


def ask(what):
    with socket.create_connection((HOST, int(os.environ["BRAID_CONTROL"]))) as connection:
        connection.sendall(what.encode() + b"\n")
        return connection.makefile().read().strip()


def order(what):
    """'restart' (in order) or 'crash' (kill -9); the broker is ready again when this returns."""
    answer = ask(what)
    if answer != "ok":
        raise AssertionError(f"broker: {answer}")


def broker_pid():
    return int(ask("pid"))
