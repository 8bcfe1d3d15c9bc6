# Braid, Apache-2.0.
#
# What the matrix of docs/protocol-mapping.md asks: one row for each property that a message can have. A row says what is
# written over MQTT 5, Kafka and AMQP (or that one of them cannot write it), and how to say in a word or two what a reader
# saw of it. Each row has a topic of its own, so rows do not disturb each other.
from dataclasses import dataclass, field as data, replace
import datetime
import decimal
import struct
import time
from typing import Callable, Optional

BINARY = bytes(range(256))
MIB = bytes(i % 251 for i in range(1 << 20))
PAST_MS = 60_000
LOG_READERS = ["Kafka", "AMQP stream"]  # they read the topic from its beginning, whenever they come
AMQP_READERS = ["AMQP stream", "AMQP queue"]


@dataclass
class Typed:
    """A field of a type that pika does not write, or not read as it is: its type and its bytes."""
    kind: bytes
    raw: bytes


@dataclass
class Written:
    """One message as a writer gives it away. Over MQTT and AMQP `key` is the name below the topic of the row; AMQP is
    published to amq.topic, with '.' where MQTT has '/'."""
    value: Optional[bytes] = b"value"
    key: Optional[bytes] = b"{topic}/a/b"
    headers: list = data(default_factory=list)
    properties: dict = data(default_factory=dict)
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
    amqp: Optional[list]
    tell: Callable[[list, list], str]
    late: bool = False  # told of a subscriber that comes when all is written; Kafka's consumers always do


def nothing_or(tell):
    """Most rows are about the first message a reader got."""
    return lambda written, seen: tell(written[0], seen[0]) if seen else "nothing"


def name(_, seen):
    if seen.name is None:
        return "no key"
    if seen.name == b"":
        return "empty"
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


def plain(value):
    """A field of AMQP as a header of bytes, which is what the others know."""
    return value.encode() if isinstance(value, str) else value


def own(headers):
    """Without those that only the broker writes."""
    return [(name, value) for name, value in headers if not name.startswith("braid.")]


def field(written, seen):
    """What became of a field that is no text."""
    values = dict(seen.headers)
    if "a" not in values:
        return "-" if seen.reader == "MQTT 3.1.1" else "left out"
    if seen.reader in AMQP_READERS:
        return "the same" if values["a"] == dict(written.headers)["a"] else repr(values["a"])
    return f"`{values['a'].decode()}`"


def pairs(written, seen):
    if seen.reader == "MQTT 3.1.1":
        return "-"
    wanted, came = [(name, plain(value)) for name, value in written.headers], own(seen.headers)
    if seen.reader in AMQP_READERS:
        wanted = list(dict(wanted).items())  # pika keeps the last of each name
    if came == wanted:
        return "the same"
    if not came:
        return "left out"
    if came == [(name, b"" if value is None else value) for name, value in wanted]:
        return "empty"
    return ", ".join(name for name, _ in came)


def standard(property_name, header):
    """A property of MQTT 5 that is a header with a reserved name for Kafka."""
    def tell(written, seen):
        if seen.reader == "MQTT 3.1.1":
            return "-"
        wanted = dict(written.headers).get(header, written.properties.get(property_name))
        if seen.reader != "Kafka" and seen.properties.get(property_name) == wanted:
            return "the property"
        other = {"Kafka": header, "MQTT 5.0": None}.get(seen.reader, f"x-{header[6:]}")  # x-: what AMQP's cannot hold
        return f"`{other}`" if dict(seen.headers).get(other) == wanted else "left out"
    return nothing_or(tell)


def expiry(_, seen):
    if seen.reader == "MQTT 3.1.1":
        return "delivered"
    if seen.reader != "Kafka":
        return "what is left" if 500 <= seen.properties.get("expiry", 0) <= 600 else "left out"
    return "`braid.expiration`" if dict(seen.headers).get("braid.expiration") == b"600000" else "left out"


def timestamp(written, seen):
    if seen.time_ms is None:
        return "-"
    if written.time_ms is not None and seen.time_ms // 1000 == written.time_ms // 1000:  # AMQP has seconds
        return "the writer's"
    return "arrival" if abs(seen.time_ms - time.time() * 1000) < PAST_MS / 2 else "other"


def in_order(written, seen):
    return "kept" if [s.value for s in seen] == [w.value for w in written] else f"{len(seen)} out of order"


def only_amqp(written, seen):
    if seen.reader in AMQP_READERS:
        return "the properties" if all(seen.properties.get(name) == value
                                       for name, value in written.properties.items()) else "left out"
    return "-" if seen.reader == "MQTT 3.1.1" else "left out" if not own(seen.headers) else "other"


def retained(_, seen):
    if seen.reader in LOG_READERS:
        return "a record"
    return "a message" if seen.reader == "AMQP queue" else "retained" if seen.retain else "live"


def told_once(_, seen):
    """Whether anything came at all."""
    return "a record" if seen.reader in LOG_READERS else "a message" if seen.reader == "AMQP queue" else "delivered"


def both(property_name, value, header, header_value):
    """The same standard property, as each protocol writes it."""
    given = [Written(properties={property_name: value})]
    return given, [Written(headers=[(header, header_value)])], dotted(given)


def dotted(written):
    """The same as AMQP says it."""
    return [replace(one, key=one.key.replace(b"/", b".")) for one in written]


def same(**written):
    given = [Written(**written)]
    return given, given, dotted(given)


def typed(label, value):
    """Only AMQP has headers with types."""
    return Row(f"header: {label}", None, None, dotted([Written(headers=[("a", value)])]), nothing_or(field))


def number(kind, layout, value):
    return Typed(kind, struct.pack(">" + layout, value))


def rows():
    past = int(time.time() * 1000) - PAST_MS
    text = [("a", b"1"), ("b", "é".encode()), ("a", b"2")]
    numbered = [Written(value=str(i).encode()) for i in range(200)]
    soon = [Written(properties={"expiry": 1}, retain=True)]
    return [
        Row("key: a name of the topic", *same(key=b"{topic}/a/b"), nothing_or(name)),
        Row("key: the topic's own name", *same(key=b"{topic}"), nothing_or(name)),
        Row("key: a `.` inside of a level", [Written(key=b"{topic}/a.b")], [Written(key=b"{topic}/a.b")],
            [Written(key=b"{topic}.a%2Eb")], nothing_or(name)),
        Row("key: a name that MQTT cannot have", None, None, [Written(key=b"{topic}.#")],
            nothing_or(told_once), late=True),
        Row("key: a name of no or another topic", None, [Written(key=b"elsewhere/a")], None, nothing_or(name)),
        Row("key: no name (`#`)", None, [Written(key=b"{topic}/#")], None, nothing_or(name)),
        Row("key: bytes that are not UTF-8", None, [Written(key=b"\xff\xfe")], None, nothing_or(name)),
        Row("key: none", None, [Written(key=None)], None, nothing_or(name)),
        Row("value: text", *same(value="é".encode()), nothing_or(value)),
        Row("value: empty", *same(value=b""), nothing_or(value)),
        Row("value: binary", *same(value=BINARY), nothing_or(value)),
        Row("value: 1 MiB", *same(value=MIB), nothing_or(value)),
        Row("value: none (tombstone)", None, [Written(value=None)], None, nothing_or(value)),
        Row("headers / user properties: order, duplicates", *same(headers=text)[:2],
            dotted([Written(headers=list(dict(text).items()))]), nothing_or(pairs)),  # pika writes no duplicates
        Row("header: empty value", *same(headers=[("a", b"")]), nothing_or(pairs)),
        Row("header: no value", None, [Written(headers=[("a", None)])],
            dotted([Written(headers=[("a", None)])]), nothing_or(pairs)),
        Row("header: value that is not UTF-8", None, [Written(headers=[("a", b"\xff\x00")])],
            dotted([Written(headers=[("a", b"\xff\x00")])]), nothing_or(pairs)),
        typed("boolean", True),
        typed("8 bits", number(b"b", "b", -5)),
        typed("8 bits, unsigned", number(b"B", "B", 250)),
        typed("16 bits", number(b"s", "h", -300)),
        typed("16 bits, unsigned", number(b"u", "H", 60000)),
        typed("32 bits", number(b"I", "i", -70000)),
        typed("32 bits, unsigned", number(b"i", "I", 4000000000)),
        typed("64 bits", number(b"l", "q", -2**40)),
        typed("float", number(b"f", "f", 1.5)),
        typed("double", number(b"d", "d", -2.5e-7)),
        typed("decimal", decimal.Decimal("-3.14")),
        typed("timestamp", datetime.datetime(2024, 2, 29, 12, 30)),
        typed("byte array", b"bytes"),
        typed("array", [number(b"b", "b", 1), "two", {"three": None}]),
        typed("table", {"b": number(b"I", "i", 1), "c": {"d": "e"}}),
        Row("content type", *both("content_type", b"text/csv", "braid.content-type", b"text/csv"),
            standard("content_type", "braid.content-type")),
        Row("response topic", *both("response_topic", b"back/here", "braid.reply-to", b"back/here"),
            standard("response_topic", "braid.reply-to")),
        Row("correlation data: text", *both("correlation", b"7", "braid.correlation-id", b"7"),
            standard("correlation", "braid.correlation-id")),
        Row("message id, type, application id", None, None, dotted([Written(properties={
            "message_id": b"m-1", "type": b"reading", "app_id": b"meter"})]), nothing_or(only_amqp)),
        Row("correlation data: binary", *both("correlation", b"\x00\xff", "braid.correlation-id", b"\x00\xff")[:2], None,
            standard("correlation", "braid.correlation-id")),
        Row("payload format: text", *both("payload_format", b"1", "braid.payload-format", b"1")[:2], None,
            standard("payload_format", "braid.payload-format")),
        Row("expiry: 10 minutes", *both("expiry", 600, "braid.expiration", b"600000"), nothing_or(expiry)),
        Row("expiry: over", soon, [Written(headers=[("braid.expiration", b"1000")], time_ms=past)],
            dotted([Written(properties={"expiry": 1})]),
            nothing_or(told_once), late=True),
        Row("time", [Written()], [Written(time_ms=past)], dotted([Written(time_ms=past)]), nothing_or(timestamp)),
        Row("retained: a subscriber that comes later", [Written(retain=True)], [Written()], dotted([Written()]),
            nothing_or(retained), late=True),
        Row("retained: cleared by an empty one", [Written(retain=True), Written(value=b"", retain=True)], None, None,
            lambda written, seen: "nothing" if not seen else f"{len(seen)} records" if seen[0].reader in LOG_READERS else
            f"{len(seen)} messages" if seen[0].reader == "AMQP queue" else "delivered", late=True),
        Row("order of one key: 200 messages", numbered, numbered, dotted(numbered), in_order),
    ]
