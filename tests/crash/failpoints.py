# SPDX-License-Identifier: Apache-2.0
"""Failpoints: every call on every kind of file of a data directory, and a batch with a wrong checksum."""
import socket
import struct

import history
import load

#: name -> (call, part of the path). Each is a place where the backbone can end or an error can come.
POINTS = {
    "segment create": ("create", ".log"), "segment write": ("write", ".log"), "segment sync": ("sync", ".log"),
    "segment truncate": ("truncate", ".log"), "index create": ("create", ".index"), "index write": ("write", ".index"),
    "time index write": ("write", ".timeindex"), "folder make": ("make-directory", "-"), "folder sync": ("sync-directory", ""),
    "file system sync": ("sync-file-system", ""), "snapshot create": ("create", ".snapshot"), "snapshot write": ("write", ".snapshot"),
    "snapshot sync": ("sync", ".snapshot"), "snapshot rename": ("rename", ".snapshot"), "epoch write": ("write", "leader-epoch"),
    "epoch rename": ("rename", "leader-epoch"), "partition metadata": ("rename", "partition.metadata"), "mark write": ("write", "mark"),
    "mark sync": ("sync", "mark"), "clean mark": ("remove", "clean"), "meta write": ("write", "meta.properties"),
    "meta rename": ("rename", "meta.properties"),
}
#: At the first, the third and a later call.
TIMES = (1, 3, 20)
ERRORS = ("io-error", "io-errors", "no-space", "no-spaces")


def one(options, run_class, name, point):
    """A run in which the backbone comes to `point`, is started again without it and must have kept everything."""
    folder = options.folder / name.replace(" ", "-")
    run = run_class(options, folder, folder / "data", environment={"LEAT_FAULT_DISK": point})
    try:
        begin_whatever_happens(run)
        before = run.worker.counters()[0]
        try:  # until the backbone ends, goes offline, or was not hit at all
            load.wait_for("the failpoint", lambda: not run.broker.is_running() or run.worker.counters()[0] > before + 2000, 3)
        except load.Broken:
            pass
        run.broker.kill()
        run.environment = {}
        run.restart()
        run.worker.wait_for_acknowledgements(100)
        return run.judge()
    except load.Broken as why:
        return history.History(), {"broken": [str(why)]}
    finally:
        run.end()


def begin_whatever_happens(run):
    """As Run.begin(), but the point may come while the backbone starts or while the topic is made."""
    try:
        run.begin()
    except load.Broken:
        run.broker.kill()
        run.environment = {}
        run.begin()


def run(options, run_class):
    for name, (call, pattern) in POINTS.items():
        if options.only and name not in options.only.split(","):
            continue
        for action in ("kill-before", "kill-after", *ERRORS):
            for nth in options.times or TIMES:
                title = f"{action} {name} {nth}"
                seen, findings = one(options, run_class, title, f"{action}:{call}:{pattern}:{nth}")
                yield title, 1, len(seen.acknowledged), findings, not findings


def bad_checksum_accepted(broker):
    """Sends one batch whose CRC is wrong; True when the backbone takes it."""
    record = b"\x14\x00\x00\x00\x01\x08evil\x00"
    body = struct.pack(">hiqqqhii", 0, 0, 0, 0, -1, -1, -1, 1) + record
    batch = struct.pack(">qiibI", 0, len(body) + 9, -1, 2, 0xBADC0DE) + body
    topic = b"history"
    request = struct.pack(">hhih", 0, 3, 7, -1) + struct.pack(">hhi", -1, -1, 5000) + struct.pack(">ih", 1, len(topic)) + topic + \
        struct.pack(">iii", 1, 0, len(batch)) + batch
    with socket.create_connection(("127.0.0.1", broker.port), timeout=10) as peer:
        peer.sendall(struct.pack(">i", len(request)) + request)
        answer = b""
        while len(answer) < 4 or len(answer) < 4 + struct.unpack(">i", answer[:4])[0]:
            more = peer.recv(4096)
            if not more:
                raise load.Broken("the backbone closed the connection on a bad checksum")
            answer += more
    at = 4 + 4 + 4 + 2 + len(topic) + 4 + 4
    return struct.unpack(">h", answer[at:at + 2])[0] == 0


def checksum_cycles(options, run_class, environment):
    """For the mutant that checks no CRC: it must take the bad batch; the backbone itself must not."""
    folder = options.folder / f"checksum-{len(list(options.folder.iterdir()))}"
    run = run_class(options, folder, folder / "data", environment=environment)
    try:
        run.begin()
        findings = {"bad checksum accepted": ["Produce v3 with a wrong CRC"]} if bad_checksum_accepted(run.broker) else {}
        return 1, history.History(), findings
    finally:
        run.end()
