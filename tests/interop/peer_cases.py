# SPDX-License-Identifier: Apache-2.0
"""What topic_effects.py does to both nodes as a bad peer: slow, silent and greedy ones, and batches that unpack to far more than they weigh.

Four lists, each with nodes of its own: PEERS (short deadlines, small requests), BOMBS, VAST (what the defaults let in), and LEGACY,
beside an Apache Kafka that still takes Produce 0 to 2.
"""
import concurrent.futures
import contextlib
import socket
import struct
import time

import batches
from batches import NAMES, batch, message
from frame_cases import frame, header
from protocol import Client, Closed, Encoder, APIS, message as schema_of

IDLE_MS = 4000
REQUEST_MAX = 2 << 20
#: Leat unpacks no more than this of one batch here; bombs unpack to three times of it.
UNPACKED_MAX = 32 << 20
BOMB = 96 << 20
MIB = 1 << 20
PEERS, BOMBS, VAST, LEGACY = [], [], [], []


def into(where, alone=True):
    """A case; those of which memory is measured are `alone`."""
    def add(function):
        where.append((function.__name__, (), alone, function))
        return function
    return add


@contextlib.contextmanager
def connected(node, small=False):
    host, port = node.node.address.rsplit(":", 1)
    peer = socket.socket()
    if small:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.settimeout(30)
    peer.connect((host, int(port)))
    try:
        yield peer
    finally:
        peer.close()


def ends(peer, patience):
    """Whether the broker ends it within that many seconds; what it sends is dropped."""
    deadline = time.monotonic() + patience
    while (left := deadline - time.monotonic()) > 0:
        peer.settimeout(left)
        try:
            if not peer.recv(65536):
                return True
        except TimeoutError:
            return False
        except ConnectionError:
            return True
    return False


def kept(node, send, patience=14):
    """What a peer that sends this and then nothing comes to."""
    with connected(node) as peer:
        began = time.monotonic()
        peer.sendall(send)
        closed = ends(peer, patience)
        return "closed at once" if closed and time.monotonic() - began < 2 else "closed after a while" if closed else "open"


def fed(node, pieces, pause):
    """What a peer that sends in pieces comes to."""
    with connected(node) as peer:
        for piece in pieces:
            try:
                peer.sendall(piece)
            except ConnectionError:
                return "closed"
            if ends(peer, pause):
                return "closed"
        return "open"


def is_open_at_broker(node, peer):
    """By the kernel's table, without reading what is still to come."""
    own, broker = peer.getsockname()[1], int(node.node.address.rsplit(":", 1)[1])
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path, encoding="ascii") as table:
            for row in list(table)[1:]:
                _, local, remote, state = row.split()[:4]
                if int(local.rsplit(":")[1], 16) == broker and int(remote.rsplit(":")[1], 16) == own:
                    return state == "01"
    return False


def fetch_of(client, topic, **more):
    fields = {"replica_id": -1, "max_wait_ms": 0, "min_bytes": 0, "max_bytes": 50_000_000, "session_id": 0, "session_epoch": -1} | more
    client.send("Fetch", 11, topics=[{"topic": topic, "partitions": [
        {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 50_000_000, "current_leader_epoch": -1, "last_fetched_epoch": -1}]}], **fields)


def is_served(node):
    with Client(node.node.address, patience=5) as other:
        return other.call("ApiVersions", 0)["error_code"] == 0


REQUEST = frame(header(18, 0))


def answers_in(data):
    """How many whole frames there are."""
    count, at = 0, 0
    while at + 4 <= len(data):
        at += 4 + struct.unpack_from(">i", data, at)[0]
        count += at <= len(data)
    return count


@into(PEERS, alone=False)
def silent(node):
    node.note("says nothing", kept(node, b""))
    node.note("half a size", kept(node, b"\0\0"))
    node.note("half a request", kept(node, struct.pack(">i", 1000) + bytes(100)))
    node.note("one request and half of another", kept(node, REQUEST + REQUEST[:6]))
    node.note("one request", kept(node, REQUEST))


@into(PEERS, alone=False)
def steady(node):
    node.note("a request a second", fed(node, [REQUEST] * 9, 1))


@into(PEERS, alone=False)
def dripping(node):
    whole = struct.pack(">i", 1000) + header(18, 0) + bytes(990)
    node.note("a byte every half second", fed(node, [whole[i:i + 1] for i in range(20)], 0.5))


@into(PEERS)
def waiting(node):
    node.make("waited-for", {})
    with Client(node.node.address, patience=40) as client:
        fetch_of(client, "waited-for", max_wait_ms=2 * IDLE_MS, min_bytes=1)
        try:
            node.note("for records for longer than it may be idle", client.receive("Fetch", 11)["error_code"])
        except (Closed, ConnectionError):
            node.note("for records for longer than it may be idle", "closed")


@into(PEERS, alone=False)
def half_closed(node):
    for label, data in (("after a request", REQUEST), ("after two", REQUEST * 2), ("in a request", REQUEST[:9]), ("at once", b"")):
        with connected(node) as peer:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            got = b""
            with contextlib.suppress(ConnectionError):
                while more := peer.recv(65536):
                    got += more
            node.note(label, answers_in(got))


def produce_frame(size):
    """A Produce request of exactly that many bytes whose records are none."""
    def made(count):
        body = Encoder(APIS["Produce"], 9).struct(schema_of("Produce", "request").root, {
            "acks": -1, "timeout_ms": 1000, "topic_data": [{"name": "too-large", "partition_data": [{"index": 0, "records": bytes(count)}]}]})
        return header(0, 9, flexible=True) + body
    count = size - len(made(size - 100)) + size - 100
    while len(whole := made(count)) != size:
        count += size - len(whole)
    return frame(whole)


@into(PEERS, alone=False)
def oversized(node):
    node.make("too-large", {})
    node.append("too-large", batch([(None, b"v")], node.now))
    for label, data in (("as large as allowed", produce_frame(REQUEST_MAX)), ("one byte more", produce_frame(REQUEST_MAX + 1)),
                        ("the size alone", struct.pack(">i", REQUEST_MAX + 1))):
        with connected(node) as peer:
            try:
                peer.sendall(data)
                peer.settimeout(10)
                node.note(label, "answered" if peer.recv(4) else "closed")
            except ConnectionError:
                node.note(label, "closed")


@into(PEERS, alone=False)
def reading_slowly(node):
    fill_large(node, "slow-read")
    with connected(node, small=True) as peer:
        client = object.__new__(Client)
        client.socket, client.client_id, client.correlation = peer, "slow", 0
        fetch_of(client, "slow-read")
        got = 0
        for _ in range(16):
            got += len(peer.recv(2048))
            time.sleep(0.5)
        node.note("a little every half second", ["open" if is_open_at_broker(node, peer) else "closed", got > 10000])
    with connected(node) as peer:
        client.socket, client.correlation = peer, 0
        for _ in range(3):
            fetch_of(client, "slow-read")
        for _ in range(16):
            got += len(peer.recv(1 << 20))
            time.sleep(0.5)
        node.note("much every half second", "open" if is_open_at_broker(node, peer) else "closed")


def fill_large(node, topic):
    node.make(topic, {})
    for i in range(8):
        node.append(topic, batch([(None, bytes([i]) * 900_000)], node.now))


@into(PEERS)
def not_reading(node):
    fill_large(node, "unread")

    def pile_up():
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(Client(node.node.address)) for _ in range(8)]
            for client in clients:
                for _ in range(40):
                    fetch_of(client, "unread")
            others = is_served(node)
            deadline = time.monotonic() + 16
            while (left := sum(is_open_at_broker(node, client.socket) for client in clients)) and time.monotonic() < deadline:
                time.sleep(0.2)
            node.note("forty requests each and no answer read", {"others are served": others, "closed": not left})
    node.bounded("8 peers x 40 unread answers of 7 MB", 256 * MIB, pile_up)


@into(PEERS)
def many_beginnings(node):
    def begin():
        with contextlib.ExitStack() as stack:
            peers = [stack.enter_context(connected(node)) for _ in range(200)]
            for peer in peers:
                peer.sendall(struct.pack(">i", REQUEST_MAX) + bytes(20))
            time.sleep(1)
            node.note("200 large requests begun", {"others are served": is_served(node), "all closed": all(ends(peer, 60) for peer in peers[::20])})
    node.bounded("200 x 2 MiB announced, 20 bytes sent", 64 * MIB, begin)


# Bombs.

ROOM = {"max.message.bytes": "20000000"}
TOPICS = {
    "bomb-plain": {}, "bomb-time": {"message.timestamp.before.max.ms": "315360000000"}, "bomb-compact": {"cleanup.policy": "compact"},
    "bomb-zstd": {"compression.type": "zstd"}, "bomb-gzip": {"compression.type": "gzip"}, "bomb-unpacked": {"compression.type": "uncompressed"},
}


def make_topics(node):
    for topic, settings in TOPICS.items():
        node.make(topic, settings | ROOM)


def bomb_batch(codec, size, at):
    prefix, zeros = batches.large_record(b"k", size)
    return batch([(b"k", None)], at, codec, payload=batches.bomb(codec, prefix, zeros))


@into(BOMBS)
def what_unpacks_to_much(node):
    make_topics(node)
    for codec in (batches.GZIP, batches.SNAPPY, batches.LZ4, batches.ZSTD):
        for label, size in (("allowed", 10 * MIB), ("bomb", BOMB)):
            data = bomb_batch(codec, size, node.now)
            for topic in TOPICS:
                if (topic, codec) in (("bomb-zstd", batches.ZSTD), ("bomb-gzip", batches.GZIP)):
                    continue  # Not packed anew.
                what = f"{label}, {NAMES[codec]}, {topic.removeprefix('bomb-')}"
                node.bounded(what, 2 * UNPACKED_MAX + 8 * MIB + 3 * len(data) + 32 * MIB,
                             lambda topic=topic, data=data, what=what: node.note(what, node.append(topic, data)["error"]))
    node.note("it goes on", [node.append(topic, batch([(b"k", b"v")], node.now))["error"] for topic in TOPICS])


@into(BOMBS)
def many_at_once(node):
    make_topics(node)
    data = bomb_batch(batches.ZSTD, BOMB, node.now)

    def together():
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = [pool.submit(node.alone().append, "bomb-time", data) for _ in range(16)]
            node.note("16 bombs at once, others are served", is_served(node))
            node.note("16 bombs at once, their errors", sorted({answer.result()["error"] for answer in answers}))
    node.bounded("16 zstd bombs at once", 4 * (2 * UNPACKED_MAX + 8 * MIB) + 64 * MIB, together)


@into(BOMBS)
def what_lies(node):
    make_topics(node)
    plain = batches.record(0, b"k", b"v")
    lz4 = batches.compress(batches.LZ4, plain)
    zstd = batches.compress(batches.ZSTD, plain)
    liars = {
        "gzip that is none": (batches.GZIP, bytes(200)), "snappy that is none": (batches.SNAPPY, b"\xff" * 200),
        "lz4 that is none": (batches.LZ4, bytes(200)), "zstd that is none": (batches.ZSTD, bytes(200)),
        "gzip cut off": (batches.GZIP, batches.compress(batches.GZIP, plain)[:-12]), "lz4 cut off": (batches.LZ4, lz4[:-8]),
        "zstd cut off": (batches.ZSTD, zstd[:-4]), "nothing": (batches.GZIP, b""),
        "snappy that says it has 100 MB": (batches.SNAPPY, batches.XERIAL + struct.pack(">i", 10) + b"\x80\xc2\xd7\x2f\x14hellos"),
        "snappy block of 2 GiB": (batches.SNAPPY, batches.XERIAL + struct.pack(">i", 2147483647) + b"\x05\x10hello"),
        "snappy block of -1": (batches.SNAPPY, batches.XERIAL + struct.pack(">i", -1) + b"\x05\x10hello"),
        "zstd that says it has 1 TB": (batches.ZSTD, b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<q", 1 << 40) + b"\x0b\0\0\0"),
        "zstd with a window of 1 GiB": (batches.ZSTD, b"\x28\xb5\x2f\xfd\0\xa0" + struct.pack("<I", 1 | len(plain) << 3)[:3] + plain),
        "lz4 of linked blocks": (batches.LZ4, lz4[:4] + b"\x40\x40" + bytes([batches.lz4_header_checksum(b"\x40\x40")]) + lz4[7:]),
        "lz4 with a wrong header checksum": (batches.LZ4, lz4[:6] + b"\0" + lz4[7:]),
    }
    for label, (codec, payload) in liars.items():
        for topic in ("bomb-plain", "bomb-time"):
            data = batch([(b"k", b"v")], node.now, codec, payload=payload)
            what = f"{label}, {topic.removeprefix('bomb-')}"
            node.bounded(what, 2 * UNPACKED_MAX + 32 * MIB, lambda topic=topic, data=data, what=what: node.note(what, node.append(topic, data)["error"]))


@into(BOMBS)
def what_counts_wrong(node):
    make_topics(node)
    for codec in range(5):
        for label, count in (("one more", 2), ("all there can be", 2147483647)):
            for topic in ("bomb-time", "bomb-plain"):
                data = batch([(b"k", b"v")], node.now, codec, payload=batches.compress(codec, batches.record(0, b"k", b"v")), count=count)
                what = f"{label}, {NAMES[codec]}, {topic.removeprefix('bomb-')}"
                node.bounded(what, 64 * MIB, lambda topic=topic, data=data, what=what: node.note(what, node.append(topic, data)["error"]))


@into(BOMBS)
def compaction_meets_one(node):
    """A bomb that was written while nobody had to look inside, then the policy changes."""
    node.make("bomb-later", ROOM | {"segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01", "retention.ms": "-1"})
    then = node.now - 3_600_000
    node.append("bomb-later", batch([(b"a", b"1")], then))
    node.append("bomb-later", bomb_batch(batches.ZSTD, BOMB, then + 2000))
    for i, value in enumerate((b"2", b"3")):
        node.append("bomb-later", batch([(b"a", value)], then + 4000 + 2000 * i))
    node.append("bomb-later", batch([(b"z", b"1")], then + 9000))

    def clean():
        node.alter("bomb-later", {"cleanup.policy": "compact"})
        node.rounds(4)
        node.note("kept", node.until(lambda: [one.base for one in node.read("bomb-later", unpack=False) if one.count], [1, 3, 4], 10))
        node.note("it goes on", node.append("bomb-later", batch([(b"a", b"v")], node.now))["error"])
    node.bounded("compaction of a bomb", 128 * MIB + 3 * BOMB + 64 * MIB, clean)


@into(VAST)
def compaction_of_300_mib(node):
    """A batch of 300 MiB that only weighs 300 KiB, of which compaction takes the middle third out."""
    node.make("vast", ROOM | {"segment.ms": "1000", "min.cleanable.dirty.ratio": "0.01", "retention.ms": "-1"})
    then = node.now - 3_600_000
    zeros = bytes(100 * MIB)
    vast = batch([(b"k", zeros), (b"l", zeros), (b"m", zeros)], then + 2000, batches.GZIP)
    others = [batch([(key, value)], then + after) for key, value, after in ((b"l", b"new", 4000), (b"a", b"2", 6000), (b"z", b"1", 9000))]
    node.note("taken", [node.append("vast", part)["error"] for part in (batch([(b"a", b"1")], then), vast, *others)])
    left = [[1, 2], [4, 1], [5, 1], [6, 1]]

    def clean():
        node.alter("vast", {"cleanup.policy": "compact"})
        node.note("kept", node.until(lambda: [[one.base, one.count] for one in node.read("vast", unpack=False) if one.count], left, 60))
        node.note("it goes on", node.append("vast", batch([(b"a", b"v")], node.now))["error"])
    # Unpacked, what stays, and both while they grow.
    node.bounded("compaction of 300 MiB", 4 * 300 * MIB + 64 * MIB, clean)


# Messages of before Kafka 0.11.

def nested(magic, codec, depth, rows, at):
    data = b"".join(message(magic, value, key=key, at=at, offset=i) for i, (key, value) in enumerate(rows))
    for _ in range(depth):
        data = message(magic, batches.compress(codec, data), codec, at=at, offset=len(rows) - 1)
    return data


def send_old(node, topic, version, data):
    for _ in range(200):
        answer = node.quiet("Produce", version, acks=-1, timeout_ms=30000, topic_data=[{"name": topic, "partition_data": [{"index": 0, "records": data}]}])
        code = answer["responses"][0]["partition_responses"][0]["error_code"]
        if code not in (3, 5, 6):
            return code
        time.sleep(0.05)
    return "never ready"


@into(LEGACY)
def old_messages(node):
    rows = [(b"k", b"one"), (None, b"two"), (b"k", b"three")]
    for version, magic in ((0, 0), (1, 0), (2, 1), (2, 0), (0, 1)):
        topic = f"old-{version}-{magic}"
        node.make(topic, {})
        at = node.now - 60_000
        cases = {"one": nested(magic, 0, 0, rows[:1], at), "three": nested(magic, 0, 0, rows, at), "wrong checksum": message(magic, b"v", at=at, damage=1),
                 "cut off": message(magic, b"v", at=at)[:-1], "nothing": b"", "a batch of now": batch([(b"k", b"v")], at),
                 "zstd": nested(magic, 4, 1, rows, at), "codec 7": message(magic, b"v", 7, at=at),
                 "packed nothing": message(magic, batches.compress(1, b""), 1, at=at), "packed null": message(magic, None, 1, at=at),
                 "packed garbage": message(magic, b"garbage", 1, at=at),
                 "packed messages of the other kind": message(magic, batches.compress(1, message(1 - magic, b"v", at=at)), 1, at=at)}
        for codec in (1, 2, 3):
            cases |= {f"three, {NAMES[codec]}": nested(magic, codec, 1, rows, at), f"twice packed, {NAMES[codec]}": nested(magic, codec, 2, rows, at),
                      f"100 times packed, {NAMES[codec]}": nested(magic, codec, 100, rows[:1], at)}
        for label, data in cases.items():
            node.note(f"v{version}, magic {magic}, {label}", send_old(node, topic, version, data))
        # Offsets are none of the compared when one was refused by only one; the rows are.
        node.note(f"v{version}, magic {magic}, rows", [[k, v, t - at if t >= 0 else t] for one in node.read(topic) for _, k, v, t in one.rows])


@into(LEGACY)
def old_bombs(node):
    for version, magic in ((1, 0), (2, 1)):
        topic = f"old-bomb-{magic}"
        node.make(topic, ROOM)
        at = node.now - 60_000
        for codec in (1, 2, 3):
            for label, size in (("allowed", 10 * MIB), ("bomb", BOMB)):
                data = message(magic, batches.bomb(codec, batches.large_message(magic, size, at), size), codec, at=at)
                what = f"v{version}, {label}, {NAMES[codec]}"
                node.bounded(what, 4 * UNPACKED_MAX + 32 * MIB, lambda topic=topic, data=data, what=what, version=version:
                             node.note(what, send_old(node, topic, version, data)))
            twice = message(magic, batches.compress(codec, data), codec, at=at)
            what = f"v{version}, bomb in a pack, {NAMES[codec]}"
            node.bounded(what, 4 * UNPACKED_MAX + 32 * MIB, lambda topic=topic, twice=twice, what=what, version=version:
                         node.note(what, send_old(node, topic, version, twice)))
        small = message(magic, None, at=at)
        data = message(magic, batches.compress(1, small * 500_000), 1, at=at, offset=499_999)
        what = f"v{version}, half a million empty messages"
        node.bounded(what, 8 * UNPACKED_MAX, lambda topic=topic, data=data, what=what, version=version: node.note(what, send_old(node, topic, version, data)))
