# Braid, Apache-2.0.
#
# What the matrix of docs/protocol-mapping.md asks: one row for each property that a message can have. A row says what is
# written over MQTT 5 and over Kafka (or that one of them cannot write it), and how to say in a word or two what a reader
# saw of it. Each row has a topic of its own, so rows do not disturb each other.
from dataclasses import dataclass, field
import time
from typing import Callable, Optional

BINARY = bytes(range(256))
MIB = bytes(i % 251 for i in range(1 << 20))
PAST_MS = 60_000


@dataclass
class Written:
    """One message as a writer gives it away. Over MQTT `key` is the topic name below the topic of the row."""
    value: Optional[bytes] = b"value"
    key: Optional[bytes] = b"{topic}/a/b"
    headers: list = field(default_factory=list)
    properties: dict = field(default_factory=dict)
    retain: bool = False
    qos: int = 1
    time_ms: Optional[int] = None


@dataclass
class Seen:
    """One message as a reader got it."""
    reader: str
    topic: str
    name: Optional[bytes]
    value: Optional[bytes]
    headers: list
    properties: dict
    retain: bool = False
    time_ms: Optional[int] = None


@dataclass
class Row:
    label: str
    mqtt: Optional[list]
    kafka: Optional[list]
    tell: Callable[[list, list, list], str]
    late: bool = False  # told of a subscriber that comes when all is written; Kafka's consumers always do


def nothing_or(tell):
    """Most rows are about the first message a reader got."""
    return lambda written, seen: tell(written[0], seen[0]) if seen else "nothing"


def name(_, seen):
    if seen.name is None:
        return "no key"
    try:
        return "`" + seen.name.decode().replace(seen.topic, "t") + "`"
    except UnicodeDecodeError:
        return "the bytes"


def value(written, seen):
    if seen.value is None:
        return "null"
    if seen.value == written.value:
        return "the same"
    return "empty" if seen.value == b"" else f"{len(seen.value)} other bytes"


def pairs(written, seen):
    wanted = written.headers
    if seen.headers == wanted:
        return "the same"
    if not seen.headers:
        return "left out" if seen.reader != "MQTT 3.1.1" else "-"
    if seen.headers == [(name, b"" if value is None else value) for name, value in wanted]:
        return "empty"
    return ", ".join(name for name, _ in seen.headers)


def standard(property_name, header):
    """A property of MQTT 5 that is a header with a reserved name for Kafka."""
    def tell(written, seen):
        if seen.reader == "MQTT 3.1.1":
            return "-"
        if seen.reader == "MQTT 5.0":
            wanted = written.properties.get(property_name, dict(written.headers).get(header))
            return "the property" if seen.properties.get(property_name) == wanted else "left out"
        wanted = dict(written.headers).get(header, written.properties.get(property_name))
        return f"`{header}`" if dict(seen.headers).get(header) == wanted else "left out"
    return nothing_or(tell)


def expiry(_, seen):
    if seen.reader == "MQTT 3.1.1":
        return "delivered"
    if seen.reader == "MQTT 5.0":
        return "what is left" if 500 <= seen.properties.get("expiry", 0) <= 600 else "left out"
    return "`braid.expiration`" if dict(seen.headers).get("braid.expiration") == b"600000" else "left out"


def timestamp(written, seen):
    if seen.reader != "Kafka":
        return "-"
    if written.time_ms is not None and seen.time_ms == written.time_ms:
        return "the writer's"
    return "arrival" if abs(seen.time_ms - time.time() * 1000) < PAST_MS / 2 else "other"


def in_order(written, seen):
    return "kept" if [s.value for s in seen] == [w.value for w in written] else f"{len(seen)} out of order"


def retained(_, seen):
    if seen.reader == "Kafka":
        return "a record"
    return "retained" if seen.retain else "live"


def both(property_name, value, header, header_value):
    """The same standard property, as each protocol writes it."""
    return [Written(properties={property_name: value})], [Written(headers=[(header, header_value)])]


def same(**written):
    return [Written(**written)], [Written(**written)]


def rows():
    past = int(time.time() * 1000) - PAST_MS
    text = [("a", b"1"), ("b", "é".encode()), ("a", b"2")]
    numbered = [Written(value=str(i).encode()) for i in range(200)]
    soon = [Written(properties={"expiry": 1}, retain=True)]
    return [
        Row("key: a name of the topic", *same(key=b"{topic}/a/b"), nothing_or(name)),
        Row("key: the topic's own name", *same(key=b"{topic}"), nothing_or(name)),
        Row("key: a name of no or another topic", None, [Written(key=b"elsewhere/a")], nothing_or(name)),
        Row("key: no name (`#`)", None, [Written(key=b"{topic}/#")], nothing_or(name)),
        Row("key: bytes that are not UTF-8", None, [Written(key=b"\xff\xfe")], nothing_or(name)),
        Row("key: none", None, [Written(key=None)], nothing_or(name)),
        Row("value: text", *same(value="é".encode()), nothing_or(value)),
        Row("value: empty", *same(value=b""), nothing_or(value)),
        Row("value: binary", *same(value=BINARY), nothing_or(value)),
        Row("value: 1 MiB", *same(value=MIB), nothing_or(value)),
        Row("value: none (tombstone)", None, [Written(value=None)], nothing_or(value)),
        Row("headers / user properties: order, duplicates", *same(headers=text), nothing_or(pairs)),
        Row("header: empty value", *same(headers=[("a", b"")]), nothing_or(pairs)),
        Row("header: no value", None, [Written(headers=[("a", None)])], nothing_or(pairs)),
        Row("header: value that is not UTF-8", None, [Written(headers=[("a", b"\xff\x00")])], nothing_or(pairs)),
        Row("content type", *both("content_type", b"text/csv", "braid.content-type", b"text/csv"),
            standard("content_type", "braid.content-type")),
        Row("response topic", *both("response_topic", b"back/here", "braid.reply-to", b"back/here"),
            standard("response_topic", "braid.reply-to")),
        Row("correlation data: binary", *both("correlation", b"\x00\xff", "braid.correlation-id", b"\x00\xff"),
            standard("correlation", "braid.correlation-id")),
        Row("payload format: text", *both("payload_format", b"1", "braid.payload-format", b"1"),
            standard("payload_format", "braid.payload-format")),
        Row("expiry: 10 minutes", *both("expiry", 600, "braid.expiration", b"600000"), nothing_or(expiry)),
        Row("expiry: over", soon, [Written(headers=[("braid.expiration", b"1000")], time_ms=past)],
            nothing_or(lambda _, seen: "a record" if seen.reader == "Kafka" else "delivered"), late=True),
        Row("time", [Written()], [Written(time_ms=past)], nothing_or(timestamp)),
        Row("retained: a subscriber that comes later", [Written(retain=True)], [Written()], nothing_or(retained),
            late=True),
        Row("retained: cleared by an empty one", [Written(retain=True), Written(value=b"", retain=True)], None,
            lambda written, seen: f"{len(seen)} records" if seen and seen[0].reader == "Kafka" else
            "nothing" if not seen else "delivered", late=True),
        Row("order of one key: 200 messages", numbered, numbered, in_order),
    ]
