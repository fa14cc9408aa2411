# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that falsifies one fetch response: it swaps two records, or drops a header. The mutant of the comparison."""
import socket
import struct
import threading

FETCH = 1
BATCH_HEADER = 61  # bytes of a record batch before its records
POLYNOMIAL = 0x82F63B78


def _crc_table():
    table = []
    for index in range(256):
        for _ in range(8):
            index = index >> 1 ^ (POLYNOMIAL if index & 1 else 0)
        table.append(index)
    return table


TABLE = _crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value >> 1 ^ -(value & 1), at


def write_varint(value):
    value = (value << 1 ^ value >> 63) & 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytearray([value]))


class Record:
    """One record of a batch, taken apart as far as the falsifier needs."""

    def __init__(self, body):
        self.attributes = body[:1]
        self.time, at = read_varint(body, 1)
        self.delta, at = read_varint(body, at)
        start = at
        for _ in range(2):  # key and value
            size, at = read_varint(body, at)
            at += max(size, 0)
        self.content = body[start:at]
        count, at = read_varint(body, at)
        self.headers = []
        for _ in range(count):
            start = at
            for _ in range(2):
                size, at = read_varint(body, at)
                at += max(size, 0)
            self.headers.append(body[start:at])

    def encoded(self):
        body = (self.attributes + write_varint(self.time) + write_varint(self.delta) + self.content + write_varint(len(self.headers))
                + b"".join(self.headers))
        return write_varint(len(body)) + body


def records_of(batch):
    count, at, rows = struct.unpack_from(">i", batch, 57)[0], BATCH_HEADER, []
    for _ in range(count):
        size, at = read_varint(batch, at)
        rows.append(Record(batch[at:at + size]))
        at += size
    return rows


def swap(rows):
    if len(rows) < 2 or rows[0].content == rows[1].content:
        return False
    rows[0].content, rows[1].content = rows[1].content, rows[0].content
    return True


def drop_header(rows):
    if not rows or not rows[0].headers:
        return False
    del rows[0].headers[-1]
    return True


def keep(rows):
    return False


KINDS = {"nothing": keep, "order": swap, "header": drop_header}


def falsified(frame, change):
    """The fetch response with the first suitable batch changed, or None. Up to version 11: lengths are four bytes."""
    for at in range(4, len(frame) - BATCH_HEADER):
        size = struct.unpack_from(">i", frame, at + 8)[0]
        end = at + 12 + size
        if frame[at + 16] != 2 or size < BATCH_HEADER - 12 or end > len(frame):
            continue
        batch = frame[at:end]
        if struct.unpack_from(">I", batch, 17)[0] != crc32c(batch[21:]) or struct.unpack_from(">h", batch, 21)[0] & 7:
            continue
        rows = records_of(batch)
        if not change(rows):
            continue
        body = batch[21:BATCH_HEADER] + b"".join(row.encoded() for row in rows)
        new = batch[:8] + struct.pack(">i", len(body) + 9) + batch[12:17] + struct.pack(">I", crc32c(body)) + body
        length = struct.unpack_from(">i", frame, at - 4)[0] + len(new) - len(batch)
        return frame[:at - 4] + struct.pack(">i", length) + new + frame[end:]
    return None


class Proxy:
    """Listens on a free port; `connect_to` says where. Falsifies one response from when it is armed. Thread-safe."""

    def __init__(self, kind):
        self.change = KINDS[kind]
        self.armed = self.done = False
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:{}".format(self.listener.getsockname()[1])
        self.target = None

    def connect_to(self, address):
        host, port = address.rsplit(":", 1)
        self.target = (host, int(port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            broker = socket.create_connection(self.target)
            calls = {}
            threading.Thread(target=self._pump, args=(client, broker, lambda frame: self._request(calls, frame)), daemon=True).start()
            threading.Thread(target=self._pump, args=(broker, client, lambda frame: self._response(calls, frame)), daemon=True).start()

    @staticmethod
    def _frames(source):
        stream = source.makefile("rb")
        while True:
            size = stream.read(4)
            if len(size) < 4:
                return
            frame = stream.read(struct.unpack(">i", size)[0])
            yield frame

    def _pump(self, source, sink, look):
        try:
            for frame in self._frames(source):
                frame = look(frame)
                sink.sendall(struct.pack(">i", len(frame)) + frame)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @staticmethod
    def _request(calls, frame):
        key, version, correlation = struct.unpack_from(">hhi", frame)
        calls[correlation] = (key, version)
        return frame

    def _response(self, calls, frame):
        key, version = calls.pop(struct.unpack_from(">i", frame)[0], (None, None))
        with self.lock:
            if key == FETCH and version < 12 and self.armed and not self.done:
                changed = falsified(frame, self.change)
                self.done = changed is not None
                return changed or frame
        return frame
