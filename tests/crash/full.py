# SPDX-License-Identifier: Apache-2.0
"""A disk that fills up and gets room again, under load: produce requests wait with an error that may be tried again, reads, administration and
what deletes go on, and it heals without a restart. What is made while it is full serves once there is room."""
import errno
import os
import subprocess
import time

import asked
import load
import power
import protocol

#: The last pieces of room too.
PIECES = [2**24, 2**20, 2**16, 2**12]


def fill(path):
    """Takes all room of the file system, the last of which may be gone already."""
    try:
        opened = open(path, "wb")
    except OSError as why:
        if why.errno != errno.ENOSPC:
            raise
        return
    with opened as file:
        at = 0
        for piece in PIECES:
            try:
                while True:
                    os.posix_fallocate(file.fileno(), at, piece)
                    at += piece
            except OSError:
                pass


def stalls(worker, seconds=20):
    """Waits until nothing is acknowledged any more."""
    end = time.monotonic() + seconds
    before, since = worker.counters()[0], time.monotonic()
    while time.monotonic() < end:
        time.sleep(0.02)
        now = worker.counters()[0]
        if now != before:
            before, since = now, time.monotonic()
        elif time.monotonic() > since + 0.5:
            return True
    return False


#: Each has some segments of records; they go while the disk is full.
SHORT, CUT, GONE = "short", "cut", "gone"
LATE = load.LATE
RECORDS = 30000
SEGMENT = 1048576
#: Records of this age are old; older than it takes to write them and to fill the disk.
RETENTION_MS = 8000


def make_topics(run, feed):
    """Topics to delete from, all with records."""
    feed.write_text("".join(f"{number} {'x' * 200}\n" for number in range(RECORDS)), encoding="ascii")
    for topic, settings in ((SHORT, ["--set", f"retention.ms={RETENTION_MS}"]), (CUT, []), (GONE, ["--set", "file.delete.delay.ms=100"])):
        run.broker.run("topic", "create", topic, "--partitions", 1, "--set", f"segment.bytes={SEGMENT}", *settings)
        run.broker.run("produce", topic, "--file", feed)


def bounds(client, topic):
    """(first, end) of a topic's partition."""
    return tuple(asked.list_offset(client, topic, 0, time)[1] for time in (-2, -1))


def delete_on_full_disk(run, findings):
    """Deletes in each way; whoever writes takes what becomes free at once, so that each is tried for a while."""
    def check(what, condition):
        try:
            load.wait_for(what, condition, 30)
        except load.Broken as why:
            findings.setdefault(f"{what} fails on a full disk", []).append(str(why))

    with protocol.Client(run.broker.address) as client:
        end = bounds(client, CUT)[1]
        check("DeleteRecords", lambda: asked.delete_records(client, CUT, 0, end - 10) == (0, end - 10))
        if bounds(client, CUT) != (end - 10, end):
            findings.setdefault("wrong records deleted", []).append(str(bounds(client, CUT)))
        check("retention", lambda: len(set(bounds(client, SHORT))) == 1)
        before = asked.metadata(client, GONE)
        run.broker.run("topic", "delete", GONE, "--yes")
        after = asked.metadata(client, GONE)
        if (before, after) != (0, 3):
            findings.setdefault("topic not deleted", []).append(f"{before}, {after}")


def serves_late(run, findings):
    """A topic that was made on the full disk takes records now. Its making may have been refused: then nobody has it."""
    with protocol.Client(run.broker.address) as client:
        if asked.metadata(client, LATE) != 0:
            return
    try:
        run.broker.run("produce", LATE, "--file", run.folder / "feed")
        run.broker.run("topic", "delete", LATE, "--yes")
    except load.Broken as why:
        findings.setdefault("made on a full disk, and serves nobody", []).append(str(why))


def one_fill(run, filler, findings):
    """Fills the disk, looks around, deletes, makes room."""
    make_topics(run, run.folder / "feed")
    fill(filler)
    try:
        if not stalls(run.worker):
            findings.setdefault("acknowledges on a full disk", []).append("the load goes on")
        for what, arguments in (("administration", ("topic", "list")),
                                ("reads", ("consume", "history", "--from", "beginning", "--count", "10"))):
            done = subprocess.run([str(run.broker.leat), *arguments, "--bootstrap", run.broker.address], capture_output=True, text=True,
                                  timeout=30, stdin=subprocess.DEVNULL)
            if done.returncode != 0:
                findings.setdefault(f"{what} fail on a full disk", []).append(done.stderr[-200:].strip())
        delete_on_full_disk(run, findings)
        fill(filler.with_name("filler2"))
        # May be refused; when it is not, it has to serve later.
        subprocess.run([str(run.broker.leat), "topic", "create", LATE, "--partitions", "3", "--bootstrap", run.broker.address],
                       capture_output=True, timeout=30, stdin=subprocess.DEVNULL)
    finally:
        filler.unlink()
        filler.with_name("filler2").unlink(missing_ok=True)
    run.worker.wait_for_acknowledgements(100)
    serves_late(run, findings)
    for topic in (SHORT, CUT):
        run.broker.run("topic", "delete", topic, "--yes")


def cycles(options, run_class, kind, count):
    """(history, findings, cycles) of a disk of `kind` that was full so many times."""
    folder = options.folder / f"full-{kind}"
    folder.mkdir()
    # What the load writes stays until it is judged, and may not fill the disk by itself. Fillers take no time for their size.
    disk = power.LoopDisk(kind, folder, mib=4096)
    disk.mount()
    run = run_class(options, folder, disk.mount_point / "data", ["log.retention.check.interval.ms=500"], value_bytes=1500)
    done = 0

    def body(findings):
        nonlocal done
        process = run.broker.process.pid
        run.worker.wait_for_acknowledgements(100)
        while done < count and not findings:
            one_fill(run, disk.mount_point / "filler", findings)
            done += 1
        if run.broker.process.pid != process or not run.broker.is_running():
            findings["restarted"] = [str(process)]

    return (*run.live(disk, body), done)
