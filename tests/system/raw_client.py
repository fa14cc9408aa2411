# SPDX-License-Identifier: Apache-2.0
"""A Kafka client of bare bytes and a broker process, for tests that need to see or break what is on the wire.

Versions are fixed where a test does not ask for another: Produce 7, Fetch 11, ListOffsets 2, Metadata 4, CreateTopics 2.
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

PRODUCE, FETCH, LIST_OFFSETS, METADATA, API_VERSIONS, CREATE_TOPICS, INIT_PRODUCER_ID = 0, 1, 2, 3, 18, 19, 22
#: By which bounds of memory are larger for a build that watches memory itself.
MEMORY_FACTOR = int(os.environ.get("LEAT_TEST_MEMORY_FACTOR", "1"))


def crc_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


CRC = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(value):
    value = value << 1 ^ value >> 63
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def batch(values, timestamp=None, producer=(-1, -1, -1), attributes=0):
    timestamp = timestamp or int(time.time() * 1000)  # Old records would be deleted by retention.
    records = b""
    for i, value in enumerate(values):
        record = b"\0" + varint(0) + varint(i) + varint(-1) + varint(len(value)) + value + varint(0)
        records += varint(len(record)) + record
    tail = struct.pack(">hiqqqhii", attributes, len(values) - 1, timestamp, timestamp, *producer, len(values)) + records
    head = struct.pack(">ibI", 0, 2, crc32c(tail))
    return struct.pack(">qi", 0, len(head) + len(tail)) + head + tail


def values_of(data):
    """(offset, value) of every record in the uncompressed batches of `data`; a cut last batch is left out."""
    at = 0
    while at + 61 <= len(data):
        base, length = struct.unpack_from(">qi", data, at)
        end = at + 12 + length
        if end > len(data):
            return
        count = struct.unpack_from(">i", data, at + 57)[0]
        here = at + 61
        for _ in range(count):
            size, here = read_varint(data, here)
            record_end = here + size
            here += 1
            _, here = read_varint(data, here)
            delta, here = read_varint(data, here)
            key, here = read_varint(data, here)
            here += max(key, 0)
            length, here = read_varint(data, here)
            yield base + delta, data[here:here + length]
            here = record_end
        at = end


def read_varint(data, at):
    shift = value = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value >> 1 ^ -(value & 1), at
        shift += 7


def text(value):
    return struct.pack(">h", len(value)) + value.encode()


class Answer:
    """A cursor over the body of an answer."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        out = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return out[0] if len(out) == 1 else out

    def bytes(self, size):
        self.at += size
        return self.data[self.at - size:self.at]

    def text(self):
        return self.bytes(max(0, self.take("h"))).decode()


class Client:
    def __init__(self, address, timeout=30):
        self.socket = socket.create_connection(address, timeout=timeout)
        self.correlation = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def frame(self, api, version, body):
        self.correlation += 1
        data = struct.pack(">hhi", api, version, self.correlation) + text("raw") + body
        return struct.pack(">i", len(data)) + data

    def send(self, api, version, body):
        self.socket.sendall(self.frame(api, version, body))
        return self.correlation

    def receive(self):
        """(correlation id, body)"""
        size = struct.unpack(">i", self.exactly(4))[0]
        data = self.exactly(size)
        return struct.unpack(">i", data[:4])[0], Answer(data[4:])

    def exactly(self, size):
        out = b""
        while len(out) < size:
            got = self.socket.recv(size - len(out))
            if not got:
                raise ConnectionError("the broker closed the connection")
            out += got
        return out

    def is_closed(self):
        """Waits for the broker's end of the connection."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass
        return True

    def call(self, api, version, body):
        sent = self.send(api, version, body)
        got, answer = self.receive()
        assert got == sent, (got, sent)
        return answer

    def create_topic(self, name, partitions=1, settings=()):
        body = struct.pack(">i", 1) + text(name) + struct.pack(">ihi", partitions, 1, 0) + struct.pack(">i", len(settings))
        for key, value in settings:
            body += text(key) + text(value)
        answer = self.call(CREATE_TOPICS, 2, body + struct.pack(">ib", 30000, 0))
        answer.take("ii")
        answer.text()
        return answer.take("h")

    @staticmethod
    def produce_body(topic, partition, data, acks=-1):
        return (struct.pack(">hhi", -1, acks, 30000) + struct.pack(">i", 1) + text(topic) + struct.pack(">iii", 1, partition, len(data)) +
                data)

    @staticmethod
    def produced(answer):
        """(error, base offset)"""
        answer.take("i")
        answer.text()
        _, _, error, base = answer.take("iihq")
        return error, base

    def produce(self, topic, partition, values, acks=-1):
        return self.produced(self.call(PRODUCE, 7, self.produce_body(topic, partition, batch(values), acks)))

    @staticmethod
    def fetch_body(topic, partition, offset, wait_ms=0, min_bytes=1, max_bytes=50_000_000):
        return (struct.pack(">iiiibii", -1, wait_ms, min_bytes, max_bytes, 0, 0, -1) + struct.pack(">i", 1) + text(topic) +
                struct.pack(">iiiqqi", 1, partition, -1, offset, -1, max_bytes) + struct.pack(">i", 0) + text(""))

    @staticmethod
    def session_body(session, epoch, partitions, forgotten=(), wait_ms=0, max_bytes=50_000_000):
        """`partitions` are (topic, partition, offset)."""
        body = struct.pack(">iiiibii", -1, wait_ms, 1, max_bytes, 0, session, epoch) + struct.pack(">i", len(partitions))
        for topic, partition, offset in partitions:
            body += text(topic) + struct.pack(">iiiqqi", 1, partition, -1, offset, -1, max_bytes)
        body += struct.pack(">i", len(forgotten))
        for topic, partition in forgotten:
            body += text(topic) + struct.pack(">ii", 1, partition)
        return body + text("")

    @staticmethod
    def session_answer(answer):
        """(error, session id, {(topic, partition): (error, high watermark, bytes)})"""
        answer.take("i")
        error, session = answer.take("hi")
        found = {}
        for _ in range(answer.take("i")):
            topic = answer.text()
            for _ in range(answer.take("i")):
                partition, code, high, _, _ = answer.take("ihqqq")
                answer.bytes(16 * max(0, answer.take("i")))
                answer.take("i")
                found[topic, partition] = (code, high, answer.bytes(max(0, answer.take("i"))))
        return error, session, found

    @staticmethod
    def fetched(answer):
        """(error, high watermark, bytes)"""
        answer.take("ihi")
        if answer.take("i") == 0:
            return 0, -1, b""
        answer.text()
        _, _, error, high, _, _ = answer.take("iihqqq")
        aborted = answer.take("i")
        answer.bytes(16 * max(0, aborted))
        answer.take("i")
        return error, high, answer.bytes(max(0, answer.take("i")))

    def fetch(self, topic, partition, offset, **limits):
        return self.fetched(self.call(FETCH, 11, self.fetch_body(topic, partition, offset, **limits)))

    def read_all(self, topic, partition):
        """All (offset, value) up to the high watermark."""
        out, offset = [], 0
        while True:
            error, high, data = self.fetch(topic, partition, offset)
            assert error == 0, error
            out += [(at, value) for at, value in values_of(data) if at >= offset]
            if not out or out[-1][0] + 1 >= high:
                return out
            offset = out[-1][0] + 1

    def end_offset(self, topic, partition=0):
        answer = self.call(LIST_OFFSETS, 2, struct.pack(">ib", -1, 0) + struct.pack(">i", 1) + text(topic) +
                           struct.pack(">iiq", 1, partition, -1))
        answer.take("ii")
        answer.text()
        _, _, error, _, offset = answer.take("iihqq")
        assert error == 0, error
        return offset


class Broker:
    """`leat serve` in a folder of its own, on free ports."""

    def __init__(self, program, *settings, listen=("127.0.0.1:0",), environment=None, place=None, ends_with=0):
        self.program, self.settings, self.listen = program, settings, listen
        self.ends_with = ends_with
        self.environment = {**os.environ, **(environment or {})}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-system-", dir=place))
        self.process = None
        self.is_up = False  # As far as the test has had a hand in it.
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """What still runs has to end well, or with the error that is to be: a crash on the way, or what a sanitizer finds at the end, fails the test."""
        try:
            if kind is not None and self.process.poll() is None:
                self.kill()
            elif self.is_up:
                code = self.stop()
                assert code == self.ends_with or kind is not None, f"the broker ended with {code}: {self.log()[-4000:]}"
        finally:
            if self.process.poll() is None:
                self.kill()
            shutil.rmtree(self.folder, ignore_errors=True)

    def command(self):
        sets = [x for s in self.settings for x in ("--set", s)]
        listen = [x for one in self.listen for x in ("--listen", one)]
        return [self.program, "serve", "--data", str(self.folder / "data"), *listen, "--http-listen", "127.0.0.1:0", *sets]

    def start(self):
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=log, text=True, env=self.environment)
        log.close()
        line = self.process.stdout.readline()
        found = re.findall(r" (\w+) (\S+):(\d+)(?= )", line)
        assert line.startswith("leat is ready:") and len(found) > 1, (line, self.log())
        self.listeners = {name: (host.strip("[]"), int(port)) for name, host, port in found}
        self.http = self.listeners.pop("HTTP")
        self.address = next(iter(self.listeners.values()))
        self.is_up = True

    def log(self):
        return (self.folder / "log").read_text()

    def kill(self):
        self.is_up = False
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """Exit code after SIGTERM."""
        self.is_up = False
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        return code

    def client(self, **options):
        return Client(self.address, **options)
