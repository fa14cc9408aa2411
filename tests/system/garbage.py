# SPDX-License-Identifier: Apache-2.0
"""Garbage instead of a login, thousands of times, while somebody who has logged in works on: he must not notice, and no memory may stay taken.

    garbage.py LEAT [--handshakes 100000] [--seed N] [--append FILE]

Bytes by chance, frames that are cut or too long, mechanisms and proofs that are none, TLS that breaks off; to a bare and to a TLS
listener. `make test` runs a few of them (secure_test.py).
"""
import argparse
import contextlib
import pathlib
import random
import socket
import struct
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import raw_client  # noqa: E402


def _frame(key, version, body):
    data = struct.pack(">hhi", key, version, 1) + b"\xff\xff" + body
    return struct.pack(">i", len(data)) + data


def _handshake(name):
    return _frame(17, 1, struct.pack(">h", len(name)) + name)


def _step(data):
    return _frame(36, 1, struct.pack(">i", len(data)) + data)


#: How long the live client may wait, in ms: mostly, and once. On two busy cores 4 and 82 were measured (docs/proof/strangers.md); a broker that a stranger
#: holds up waits for him, or for the second of a sweep.
BOUNDS_MS = {"p99_ms": 100, "worst_ms": 1_000}
#: An answer that takes longer never comes.
PATIENCE_SECONDS = 30
GROWN_KIB_MAX = 16 * 1024
HELLO = bytes.fromhex("160301009a010000960303")
KINDS = (
    lambda r: r.randbytes(r.randrange(1, 100)),
    lambda r: struct.pack(">i", r.randrange(-2**31, 2**31)) + r.randbytes(r.randrange(200)),
    lambda r: _frame(r.randrange(90), r.randrange(20), r.randbytes(r.randrange(60))),
    lambda r: _handshake(r.randbytes(r.randrange(20))),
    lambda r: _handshake(b"PLAIN") + _step(r.randbytes(r.randrange(100))),
    lambda r: _handshake(b"PLAIN") + _step(b"\0alice\0" + r.randbytes(8)),
    lambda r: _handshake(b"SCRAM-SHA-512") + _step(b"n,,n=alice,r=" + r.randbytes(6).hex().encode()) + _step(r.randbytes(40)),
    lambda r: _handshake(b"SCRAM-SHA-512")[:r.randrange(1, 30)],
    lambda r: HELLO + r.randbytes(r.randrange(300)),
    lambda r: b"GET / HTTP/1.1\r\nHost: " + r.randbytes(20).hex().encode() + b"\r\n\r\n",
)


def storm(addresses, count, random_):
    """So many connections, each with garbage of one kind; every third waits for what is said."""
    for number in range(count):
        host, port = addresses[number % len(addresses)].rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=10) as peer, contextlib.suppress(ConnectionError):
            peer.sendall(KINDS[number // len(addresses) % len(KINDS)](random_))
            peer.shutdown(socket.SHUT_WR)
            if number % 3 == 0:
                while peer.recv(4096):
                    pass


class Live(threading.Thread):
    """Somebody who has logged in as alice by PLAIN and asks for metadata all the time."""

    def __init__(self, address, password):
        super().__init__(daemon=True)  # One that hangs is told by end(), and does not keep the program.
        host, port = address.rsplit(":", 1)
        self.client = raw_client.Client((host, int(port)), timeout=PATIENCE_SECONDS)
        for frame in (_handshake(b"PLAIN"), _step(b"\0alice\0" + password.encode())):
            self.client.socket.sendall(frame)
            answer = self.client.receive()[1]
            if answer.take("h") != 0:
                raise AssertionError("alice is not let in")
        self.stop, self.times, self.failed = threading.Event(), [], None

    def run(self):
        try:
            while not self.stop.is_set():
                began = time.monotonic()
                self.client.send(raw_client.METADATA, 4, struct.pack(">i", 0) + b"\0")
                self.client.receive()
                self.times.append(time.monotonic() - began)
                time.sleep(0.002)
        except (OSError, struct.error) as why:
            self.failed = why

    def end(self, patience=PATIENCE_SECONDS + 10):
        """What he saw. His own patience ends first: then he says so himself, and one that is still there has been given nothing to end by."""
        self.stop.set()
        self.join(patience)
        if self.is_alive():
            raise AssertionError("the live client still waits for an answer")
        self.client.socket.close()
        if self.failed or not self.times:
            raise AssertionError(f"the live client was disturbed: {self.failed}")
        self.times.sort()
        return {"requests": len(self.times), "p50_ms": 1e3 * self.times[len(self.times) // 2], "p99_ms": 1e3 * self.times[int(len(self.times) * 0.99)],
                "worst_ms": 1e3 * self.times[-1]}


def resident_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS"))


def descriptors(pid):
    return sum(1 for _ in pathlib.Path(f"/proc/{pid}/fd").iterdir())


def weather(pid, addresses, password, count, seed):
    """What the storm did to the live client, to memory and to open files. Warm before: the first connections take what all need."""
    random_ = random.Random(seed)
    storm(addresses, min(count, 2000), random_)
    live = Live(addresses[0], password)
    before, files = resident_kib(pid), descriptors(pid)
    live.start()
    began = time.monotonic()
    storm(addresses, count, random_)
    seconds = time.monotonic() - began
    seen = live.end()
    deadline = time.monotonic() + 20
    while descriptors(pid) > files and time.monotonic() < deadline:
        time.sleep(0.1)
    return seen | {"handshakes_per_s": count / seconds, "grown_kib": resident_kib(pid) - before, "files_left": max(0, descriptors(pid) - files)}


def findings(seen, times_slower=1, times_larger=1):
    """What is wrong with what weather() saw; on builds that watch themselves all is slower and larger by so much."""
    out = [f"{name} of a client that has logged in is {seen[name]:.4g}, at most {bound * times_slower} is allowed"
           for name, bound in BOUNDS_MS.items() if seen[name] > bound * times_slower]
    if seen["grown_kib"] > GROWN_KIB_MAX * times_larger:
        out.append(f"memory grew by {seen['grown_kib']} KiB")
    if seen["files_left"] > 0:
        out.append("connections are left")
    return out


def main():
    import secure_test
    parser = argparse.ArgumentParser()
    parser.add_argument("leat")
    parser.add_argument("--handshakes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--append", type=pathlib.Path, help="a report, to which what came out is added")
    args = parser.parse_args()
    secure_test.LEAT = str(pathlib.Path(args.leat).resolve())
    print(f"seed {args.seed}", flush=True)
    with secure_test.Place() as place:
        with secure_test.Server(place, secure_test.garbage_settings(place)) as server:
            addresses = [server.addresses["SASL_PLAINTEXT"], server.addresses["SASL_SSL"]]
            seen = weather(server.process.pid, addresses, secure_test.SECRET, args.handshakes, args.seed)
    text = f"{args.handshakes} garbage handshakes (seed {args.seed}): " + ", ".join(f"{name} {value:.4g}" for name, value in seen.items())
    print(text)
    if args.append:
        with open(args.append, "a", encoding="utf-8") as report:
            report.write(f"\n## Garbage instead of a login\n\n`tests/system/garbage.py LEAT`, beside a client that has logged in and asks for metadata all the "
                         f"time:\n{text}\n")
    bad = findings(seen)
    for text in bad:
        print(f"garbage: {text}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
