# Braid, Apache-2.0.
#
# What the tests of all Python clients share: where the broker is, how to wait, and how to have it restarted.
import base64
import json
import os
import socket
import time
import urllib.error
import urllib.request
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


def http(method, path, body=None):
    """(status, JSON of the answer or None)"""
    request = urllib.request.Request(f"http://{HOST}:{HTTP}{path}", method=method,
                                     data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", "Basic " + base64.b64encode(b"guest:guest").decode())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


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
