# SPDX-License-Identifier: Apache-2.0
"""Record batches and older message sets by hand: any codec, any lie in the header, bombs; and what a fetch brought, taken apart.

What is compressed honestly is so by the C libraries. A bomb is written down as its codec's own repetition, so that making it takes no memory.
"""
import ctypes
import dataclasses
import functools
import pathlib
import struct
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from raw_client import crc32c, read_varint, varint  # noqa: E402

NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)
CODECS = {"none": NONE, "gzip": GZIP, "snappy": SNAPPY, "lz4": LZ4, "zstd": ZSTD}
NAMES = tuple(CODECS)
XERIAL = b"\x82SNAPPY\0" + struct.pack(">ii", 1, 1)
APPEND_TIME, HORIZON = 0x08, 0x40


@functools.cache
def library(name):
    return ctypes.CDLL(name)


def _zstd(function, data, most):
    lib = library("libzstd.so.1")
    out = ctypes.create_string_buffer(most)
    call = getattr(lib, f"ZSTD_{function}")
    call.restype, lib.ZSTD_isError.argtypes = ctypes.c_size_t, [ctypes.c_size_t]
    more = (3,) if function == "compress" else ()
    size = call(out, ctypes.c_size_t(most), data, ctypes.c_size_t(len(data)), *more)
    if lib.ZSTD_isError(size):
        raise ValueError("zstd")
    return ctypes.string_at(out, size)


def _snappy(function, data, most):
    out, size = ctypes.create_string_buffer(most), ctypes.c_size_t(most)
    if getattr(library("libsnappy.so.1"), f"snappy_{function}")(data, ctypes.c_size_t(len(data)), out, ctypes.byref(size)):
        raise ValueError("snappy")
    return out.raw[:size.value]


def lz4_header_checksum(data):
    """The byte behind the descriptor of an LZ4 frame: of the xxHash 32 of fewer than four bytes."""
    mask = 0xFFFFFFFF
    h = 374761393 + len(data)
    for byte in data:
        h = (h + byte * 374761393) & mask
        h = (h << 11 | h >> 21) & mask
        h = h * 2654435761 & mask
    h = (h ^ h >> 15) * 2246822519 & mask
    h = (h ^ h >> 13) * 3266489917 & mask
    return (h ^ h >> 16) >> 8 & 255


def lz4_frame(blocks, large=False):
    """`blocks` are (bytes, whether they are compressed)."""
    descriptor = bytes([0x60, 0x70 if large else 0x40])
    out = [b"\x04\x22\x4d\x18", descriptor, bytes([lz4_header_checksum(descriptor)])]
    for data, is_compressed in blocks:
        out += [struct.pack("<I", len(data) | (0 if is_compressed else 1 << 31)), data]
    return b"".join(out) + bytes(4)


def _lz4_open(data):
    flags = data[4]
    at = 7 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
    out, most = b"", 4 << 20
    while size := struct.unpack_from("<I", data, at)[0]:
        block = data[at + 4:at + 4 + (size & 0x7FFFFFFF)]
        at += 4 + len(block) + (4 if flags & 16 else 0)
        if size >> 31:
            out += block
            continue
        room = ctypes.create_string_buffer(most)
        done = library("liblz4.so.1").LZ4_decompress_safe(block, room, len(block), most)
        if done < 0:
            raise ValueError("lz4")
        out += room.raw[:done]
    return out


def compress(codec, data):
    if codec == GZIP:
        maker = zlib.compressobj(6, zlib.DEFLATED, 31)
        return maker.compress(data) + maker.flush()
    if codec == SNAPPY:
        block = _snappy("compress", data, 64 + len(data) * 2)
        return XERIAL + struct.pack(">i", len(block)) + block
    if codec == LZ4:
        return lz4_frame([(data[at:at + 65536], False) for at in range(0, len(data), 65536)])
    return _zstd("compress", data, 1024 + len(data) * 2) if codec == ZSTD else data


def decompress(codec, data, most=64 << 20):
    if codec == GZIP:
        return zlib.decompress(data, 31)
    if codec == SNAPPY:
        if not data.startswith(XERIAL[:8]):
            return _snappy("uncompress", data, most)
        out, at = b"", 16
        while at < len(data):
            size = struct.unpack_from(">i", data, at)[0]
            out += _snappy("uncompress", data[at + 4:at + 4 + size], most)
            at += 4 + size
        return out
    if codec == LZ4:
        return _lz4_open(data)
    return _zstd("decompress", data, most) if codec == ZSTD else data


def _lz4_zeros(count):
    """A block of that many zeros: one as it is, a match of all but the last five, and these."""
    rest = count - 6 - 4 - 15
    return b"\x1f\0\1\0" + b"\xff" * (rest // 255) + bytes([rest % 255]) + b"\x50" + bytes(5)


def _snappy_zeros(count):
    size, head = count, b""
    while size > 127:
        head += bytes([size & 127 | 128])
        size >>= 7
    whole, rest = divmod(count - 1, 64)
    return head + bytes([size]) + b"\0\0" + b"\xfe\1\0" * whole + (bytes([(rest - 1) << 2 | 2]) + b"\1\0" if rest else b"")


def bomb(codec, prefix, zeros):
    """`prefix` (of a few bytes) and very many zeros, compressed."""
    if codec == GZIP:
        maker = zlib.compressobj(9, zlib.DEFLATED, 31)
        out = [maker.compress(prefix)]
        for at in range(0, zeros, 1 << 20):
            out.append(maker.compress(bytes(min(1 << 20, zeros - at))))
        return b"".join(out) + maker.flush()
    if codec == SNAPPY:
        first = bytes([len(prefix), len(prefix) - 1 << 2]) + prefix
        blocks = [first] + [_snappy_zeros(min(1 << 20, zeros - at)) for at in range(0, zeros, 1 << 20)]
        return XERIAL + b"".join(struct.pack(">i", len(block)) + block for block in blocks)
    if codec == LZ4:
        whole, rest = divmod(zeros, 4 << 20)
        blocks = [(prefix, False)] + [(_lz4_zeros(4 << 20), True)] * whole
        return lz4_frame(blocks + ([(_lz4_zeros(rest), True)] if rest > 100 else [(bytes(rest), False)] if rest else []), large=True)
    blocks = [(0, len(prefix), prefix)] + [(1, min(131072, zeros - at), b"\0") for at in range(0, zeros, 131072)]
    out = b"\x28\xb5\x2f\xfd\0\x38"
    for index, (kind, size, data) in enumerate(blocks):
        out += struct.pack("<I", (index + 1 == len(blocks)) | kind << 1 | size << 3)[:3] + data
    return out


def field(data):
    return varint(-1) if data is None else varint(len(data)) + data


def record(delta, key, value, after_ms=0):
    body = b"\0" + varint(after_ms) + varint(delta) + field(key) + field(value) + varint(0)
    return varint(len(body)) + body


def large_record(key, size):
    """Beginning of a record whose value is that many zeros, and the zeros that follow (the last one: no headers)."""
    head = b"\0" + varint(0) + varint(0) + field(key) + varint(size)
    return varint(len(head) + size + 1) + head, size + 1


def batch(rows, at, codec=NONE, attributes=0, payload=None, count=None, max_at=None):
    """`rows` are (key, value) or (key, value, milliseconds after `at`); `payload` stands for them, compressed already."""
    rows = [(*row, 0)[:3] for row in rows]
    count = len(rows) if count is None else count
    if payload is None:
        payload = compress(codec, b"".join(record(i, key, value, after) for i, (key, value, after) in enumerate(rows)))
    if max_at is None:
        max_at = at + max((after for *_, after in rows), default=0)
    tail = struct.pack(">hiqqqhii", attributes | codec, count - 1, at, max_at, -1, -1, -1, count) + payload
    return struct.pack(">qiibI", 0, len(tail) + 9, 0, 2, crc32c(tail)) + tail


@dataclasses.dataclass
class Batch:
    base: int
    last: int
    codec: str
    attributes: int
    base_at: int
    max_at: int
    size: int
    count: int
    rows: list  # (offset, key, value, time)


def _records(data, base, base_at, count):
    at, out = 0, []
    for _ in range(count):
        _, at = read_varint(data, at)
        after, at = read_varint(data, at + 1)
        delta, at = read_varint(data, at)
        parts = []
        for _ in range(2):
            size, at = read_varint(data, at)
            parts.append(None if size < 0 else data[at:at + size].decode("latin-1"))
            at += max(size, 0)
        headers, at = read_varint(data, at)
        if headers:
            raise ValueError("nobody here writes headers")
        out.append((base + delta, *parts, base_at + after))
    return out


def parse(data, unpack=True):
    """Whole batches; a cut last one is left out. Without `unpack` they have no rows."""
    out, at = [], 0
    while at + 61 <= len(data):
        base, length = struct.unpack_from(">qi", data, at)
        end = at + 12 + length
        if end > len(data):
            break
        attributes, last, base_at, max_at = struct.unpack_from(">hiqq", data, at + 21)
        count = struct.unpack_from(">i", data, at + 57)[0]
        rows = _records(decompress(attributes & 7, data[at + 61:end]), base, base_at, count) if count and unpack else []
        out.append(Batch(base, base + last, NAMES[attributes & 7], attributes, base_at, max_at, length + 12, count, rows))
        at = end
    return out


def message(magic, value, codec=NONE, key=None, at=0, offset=0, damage=0):
    """An entry of a message set of magic 0 or 1."""
    def part(data):
        return struct.pack(">i", -1) if data is None else struct.pack(">i", len(data)) + data
    body = struct.pack(">bb", magic, codec) + (struct.pack(">q", at) if magic else b"") + part(key) + part(value)
    body = struct.pack(">I", zlib.crc32(body) ^ damage) + body
    return struct.pack(">qi", offset, len(body)) + body


def large_message(magic, size, at=0):
    """As large_record, of magic 0 or 1: all of its bytes up to the zeros of its value, with their checksum."""
    head = struct.pack(">bb", magic, 0) + (struct.pack(">q", at) if magic else b"") + struct.pack(">ii", -1, size)
    crc = zlib.crc32(head)
    for begin in range(0, size, 1 << 20):
        crc = zlib.crc32(bytes(min(1 << 20, size - begin)), crc)
    return struct.pack(">qiI", 0, 4 + len(head) + size, crc) + head
