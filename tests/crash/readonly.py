# SPDX-License-Identifier: Apache-2.0
"""A file system that turns read-only under load, as ext4 does by itself when it finds an error: its journal ends, and every change fails.

Nothing is acknowledged any more, the operator is told why, and whoever asks has an answer. On a file system that is mounted read-only the
backbone does not start and says so. Mounted for writing again it starts, and all that was acknowledged is there.

The kernel refuses a plain `mount -o remount,ro` as long as files are open for writing.
"""
import time

import asked
import full
import load
import power
import protocol

#: What the kernel calls it: of a file system that turned read-only, or of its journal that has ended.
WHY = ("Read-only file system", "Input/output error")
ANSWERS = (0, asked.STORAGE_ERROR)


def fails_clearly(run, log, findings):
    """While nothing can be changed."""
    if not full.stalls(run.worker):
        findings.setdefault("acknowledges on a read-only disk", []).append("the load goes on")
    time.sleep(0.5)
    if not log.says(WHY, run.broker.data):
        findings.setdefault("the operator is not told", []).append(log.text()[-200:])
    code = run.broker.process.poll()
    if code is not None:  # It may give up, in good order.
        if code <= 0:
            findings.setdefault("fell", []).append(str(code))
        return
    try:
        with protocol.Client(run.broker.address, patience=10) as client:
            errors = {asked.metadata(client, "history"), *(asked.fetch(client, "history", partition, 0) for partition in range(4))}
    except (OSError, protocol.Closed) as why:
        findings.setdefault("no answer on a read-only disk", []).append(repr(why))
        return
    if not errors <= set(ANSWERS):
        findings.setdefault("answers on a read-only disk", []).append(str(errors))


def refuses_to_start(run, disk, findings):
    """On a file system that is mounted read-only. Its journal is replayed before."""
    disk.mount()
    disk.remount("ro")
    log = load.Said(run.broker.log)
    if run.broker.start():
        findings.setdefault("starts on a read-only disk", []).append("and serves")
        run.broker.kill()
    elif not log.says(WHY[:1], run.broker.data):
        findings.setdefault("why it does not start is not said", []).append(log.text()[-300:])
    disk.remount("rw")


def one(run, disk, findings):
    log = load.Said(run.broker.log)
    run.worker.wait_for_acknowledgements(100)
    disk.fail()
    fails_clearly(run, log, findings)
    run.broker.kill()
    disk.unmount()
    refuses_to_start(run, disk, findings)
    run.restart()
    run.worker.wait_for_acknowledgements(100)


def cycles(options, run_class, count):
    """(history, findings, cycles) of an ext4 that turned read-only so many times."""
    folder = options.folder / "readonly"
    folder.mkdir()
    disk = power.LoopDisk("ext4", folder, options=("errors=remount-ro",))
    disk.mount()
    run = run_class(options, folder, disk.mount_point / "data")
    done = 0

    def body(findings):
        nonlocal done
        while done < count and not findings:
            one(run, disk, findings)
            done += 1

    return (*run.live(disk, body), done)
