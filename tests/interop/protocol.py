# SPDX-License-Identifier: Apache-2.0
"""Kafka's protocol over a socket, from the schemas of this repository: requests and responses as dicts.

    with Client("127.0.0.1:9092") as client:
        answer = client.call("Metadata", 12, topics=[{"name": "orders"}])

A field that is not given has its default; None is null. Unknown tags are skipped.
"""
import pathlib
import socket
import struct
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from wiregen import schema  # noqa: E402

APIS = {api.name: api for api in schema.load(ROOT / "schemas")[0]}
FORMATS = {"int8": ">b", "int16": ">h", "uint16": ">H", "int32": ">i", "int64": ">q", "float64": ">d"}
ZERO_ID = "00000000-0000-0000-0000-000000000000"


class Closed(Exception):
    """The broker closed the connection instead of answering."""


def message(name, part):
    return next(m for m in APIS[name].messages if m.part == part)


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


class Encoder:
    def __init__(self, api, version):
        self.version = version
        self.flexible = schema.is_flexible(api, version)

    def length(self, value, short):
        if self.flexible:
            return varint(0 if value is None else value + 1)
        return struct.pack(">h" if short else ">i", -1 if value is None else value)

    def default(self, field):
        if field.is_array:
            return None if field.default == "null" else []
        if field.default is not None:
            return {"null": None, "true": True, "false": False}.get(field.default, field.default)
        return {"string": "", "bytes": b"", "bool": False, "uuid": ZERO_ID}.get(field.type, 0 if field.type in FORMATS else {})

    def one(self, field, value):
        kind = field.type
        if kind in FORMATS:
            return struct.pack(FORMATS[kind], float(value) if kind == "float64" else int(value))
        if kind == "bool":
            return b"\1" if value else b"\0"
        if kind == "uuid":
            return uuid.UUID(value).bytes
        if kind in ("string", "bytes", "records"):
            raw = value.encode() if isinstance(value, str) else value
            return self.length(None if raw is None else len(raw), kind == "string") + (raw or b"")
        return self.struct(field.struct, value)

    def field(self, field, value):
        if field.is_array:
            out = self.length(None if value is None else len(value), False)
            return out + b"".join(self.one(field, item) for item in value or [])
        if field.struct and field.null and self.version in field.null:
            return b"\xff" if value is None else b"\1" + self.one(field, value)
        return self.one(field, value)

    def struct(self, kind, values):
        out, tags = b"", {}
        unknown = set(values) - {f.name for f in kind.fields}
        if unknown:
            raise KeyError(f"{kind.name} has no {unknown}")
        for field in kind.fields:
            if self.version not in field.versions:
                continue
            if field.tag is not None:
                if field.name in values:
                    tags[field.tag] = self.field(field, values[field.name])
                continue
            out += self.field(field, values.get(field.name, self.default(field)))
        if self.flexible:
            out += varint(len(tags))
            for tag, raw in sorted(tags.items()):
                out += varint(tag) + varint(len(raw)) + raw
        return out


class Decoder:
    def __init__(self, api, version, data):
        self.version = version
        self.flexible = schema.is_flexible(api, version)
        self.data, self.at = data, 0

    def take(self, count):
        if count < 0 or self.at + count > len(self.data):
            raise ValueError("answer ends early")
        self.at += count
        return self.data[self.at - count:self.at]

    def unpack(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def varint(self):
        value, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def length(self, short):
        if self.flexible:
            return self.varint() - 1
        return self.unpack(">h" if short else ">i")

    def one(self, field):
        kind = field.type
        if kind in FORMATS:
            return self.unpack(FORMATS[kind])
        if kind == "bool":
            return self.take(1) != b"\0"
        if kind == "uuid":
            return str(uuid.UUID(bytes=self.take(16)))
        if kind in ("string", "bytes", "records"):
            size = self.length(kind == "string")
            raw = None if size < 0 else self.take(size)
            return raw.decode() if kind == "string" and raw is not None else raw
        return self.struct(field.struct)

    def field(self, field):
        if field.is_array:
            count = self.length(False)
            return None if count < 0 else [self.one(field) for _ in range(count)]
        if field.struct and field.null and self.version in field.null and self.unpack(">b") < 0:
            return None
        return self.one(field)

    def struct(self, kind):
        out = {}
        tagged = {f.tag: f for f in kind.fields if f.tag is not None and self.version in f.versions}
        for field in kind.fields:
            if field.tag is None and self.version in field.versions:
                out[field.name] = self.field(field)
        if self.flexible:
            for _ in range(self.varint()):
                tag, size = self.varint(), self.varint()
                end = self.at + size
                if tag in tagged:
                    out[tagged[tag].name] = self.field(tagged[tag])
                self.at = end
        return out


class Client:
    def __init__(self, address, client_id="check", patience=30):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=patience)
        self.client_id = client_id
        self.correlation = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, name, version, **values):
        api = APIS[name]
        self.correlation += 1
        raw_id = self.client_id.encode()
        header = struct.pack(">hhih", api.key, version, self.correlation, len(raw_id)) + raw_id
        if schema.is_flexible(api, version):
            header += b"\0"
        body = Encoder(api, version).struct(message(name, "request").root, values)
        self.socket.sendall(struct.pack(">i", len(header) + len(body)) + header + body)

    def receive(self, name, version):
        api = APIS[name]
        size = struct.unpack(">i", self.exactly(4))[0]
        decoder = Decoder(api, version, self.exactly(size))
        if decoder.unpack(">i") != self.correlation:
            raise ValueError("answer to another request")
        if decoder.flexible and name != "ApiVersions":
            decoder.take(1)
        answer = decoder.struct(message(name, "response").root)
        if decoder.at != len(decoder.data):
            raise ValueError(f"{name} v{version}: {len(decoder.data) - decoder.at} bytes too many")
        return answer

    def call(self, name, version, **values):
        self.send(name, version, **values)
        return self.receive(name, version)

    def exactly(self, count):
        out = b""
        while len(out) < count:
            more = self.socket.recv(count - len(out))
            if not more:
                raise Closed
            out += more
        return out
