# SPDX-License-Identifier: Apache-2.0
"""A disk that fills up and gets room again, under load: produce requests wait with an error that may be tried again, reads and administration go on,
and it heals without a restart."""
import os
import subprocess
import time

import load
import power

#: The last pieces of room too.
PIECES = [2**24, 2**20, 2**16, 2**12]


def fill(path):
    """Takes all room of the file system."""
    with open(path, "wb") as file:
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


def one_fill(run, filler, findings):
    """Fills the disk, looks around, makes room."""
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
    finally:
        filler.unlink()
    run.worker.wait_for_acknowledgements(100)


def cycles(options, run_class, kind, count):
    """(cycles, history, findings) of a disk of `kind` that was full so many times."""
    folder = options.folder / f"full-{kind}"
    folder.mkdir()
    disk = power.LoopDisk(kind, folder, mib=512)
    disk.mount()
    run = run_class(options, folder, disk.mount_point / "data", value_bytes=1500)
    findings, done = {}, 0
    try:
        run.begin()
        process = run.broker.process.pid
        run.worker.wait_for_acknowledgements(100)
        while done < count and not findings:
            one_fill(run, disk.mount_point / "filler", findings)
            done += 1
        if run.broker.process.pid != process or not run.broker.is_running():
            findings["restarted"] = [str(process)]
        seen, found = run.judge()
        return done, seen, {**findings, **found}
    except load.Broken as why:
        seen, found = run.judge(why)
        return done, seen, {**findings, **found}
    finally:
        run.end()
        disk.close()
