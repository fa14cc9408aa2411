# SPDX-License-Identifier: Apache-2.0
"""Damage: a flipped bit, a zeroed sector or a cut end in every kind of file of a data directory that was stopped cleanly or killed.

Whatever is damaged, no record may be served that was not written, nothing may be missing without being reported, nothing may be deleted,
and what can be made again (indexes, snapshots, windows, marks) must be. A partition that is quarantined answers KAFKA_STORAGE_ERROR to whoever
asks for its records or its offsets.
"""
import concurrent.futures
import itertools
import os
import random
import re
import shutil
import signal
import subprocess
import time

import asked
import failpoints
import history
import load
import protocol

NUMBERS = itertools.count()
DAMAGES = ("bit", "sector", "end")
BANK_PARTITIONS = 2
#: What is made of the log, and hides what was aborted: after damage the same is committed.
OF_ABORTED = (".txnindex", "aborted-segments", ".snapshot", ".window")
SECTOR = 512
#: A start may be refused for these, with a message that names the file: nothing can replace them.
REFUSABLE = ("metadata.db", "meta.properties")
#: A partition with one of these damaged is not served.
SETS_ASIDE = (".log", "partition.metadata")
#: Seconds without a record, or without the group's offset, after which a reader of what is damaged gives up.
PATIENCE = 10
#: By a reader who was given what is damaged: he found it. That he waited for nothing, or for the group, reports nothing.
FOUND_BY_READER = ("failed CRC32C check", "Bad message format", "Read underflow", "Unsupported Message(Set) MagicByte")
GROUP, OFFSETS_PARTITIONS = "history-group", 4
#: Words of the log lines that report damage.
REPORTED = (b"partition offline", b"partition not opened", b"torn tail cut", b"read failed", b"groups not loaded", b"folder of a partition is missing",
            b"records of groups left alone", b"unknown partition put aside")


def kind_of(path):
    """The kind of a file: its name without numbers, and whether groups' offsets are in it."""
    name = max((piece for piece in re.split(r"\d+", path.name) if piece), key=len)
    return ("__consumer_offsets " if path.parent.name.startswith("__consumer_offsets-") and name == ".log" else "") + name


def damage(path, how, rng):
    """Changes one place of a file; what was done, in words."""
    content = bytearray(path.read_bytes())
    at = rng.randrange(len(content))
    if how == "bit":
        content[at] ^= 1 << rng.randrange(8)
    elif how == "sector":
        at -= at % SECTOR
        end = min(at + SECTOR, len(content))
        content[at:end] = bytes(end - at)
    else:
        del content[at:]
    path.write_bytes(content)
    return f"{how} at {at}"


class Original:
    """A data directory with every kind of file in it, and what is in its log."""

    def __init__(self, options, run_class, is_clean):
        self.name = "stopped" if is_clean else "killed"
        self.folder = options.folder / f"flips-{self.name}"
        self.scenario = failpoints.Scenario(options, run_class, self.folder, "trace:remove:no such file:1")
        self.options = options
        run = self.scenario.run
        try:
            run.begin()
            self.scenario.keep_busy()
            run.worker.wait_for_acknowledgements(500)
            self.transfer(run)
            run.worker.process.terminate()
            run.worker.process.wait(timeout=90)
            if (code := run.broker.stop()) != 0:
                raise load.Broken(f"the backbone does not stop as it must: {code}")
            if not is_clean:  # The last start is an unclean one over whole segments.
                run.restart()
                self.scenario.try_to("produce", "latest", "--file", str(self.scenario.feed), "--key-separator", ":")
                run.broker.kill()
            self.data = self.folder / "original"
            shutil.copytree(run.broker.data, self.data)
            self.complaints = complaints(options, self.data)
            run.restart()
            self.seen = self.read(run, self.folder / "original.log")
            self.committed = self.read_committed(run, self.folder / "committed.log")
            if not self.committed or not any(segment.with_suffix(".txnindex") in self.files().get(".txnindex", []) for segment in closed_segments(self)):
                raise load.Broken("no closed segment has aborted transactions")
        finally:
            run.end()

    def transact(self, run, mode, log, *more):
        return [str(part) for part in (self.options.txn_worker, mode, "--broker", run.broker.address, "--log", log, "--topic", "bank",
                                       "--partitions", BANK_PARTITIONS, *more)]

    def transfer(self, run):
        """Transactions, a fifth of them aborted, over several segments."""
        run.broker.run("topic", "create", "bank", "--partitions", str(BANK_PARTITIONS), "--set", "segment.ms=400")
        log, status = self.folder / "bank.log", self.folder / "status.bank"
        worker = subprocess.Popen(self.transact(run, "bank", log, "--threads", 3, "--status", status), stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            load.wait_for("closed segments with aborted transactions",
                          lambda: len(list(run.broker.data.glob("bank-*/*.txnindex"))) >= 2 * BANK_PARTITIONS, 60)
            worker.terminate()
            worker.wait(timeout=30)
        finally:
            worker.kill()
            worker.wait()

    def read_committed(self, run, log):
        """What one is given who reads what is committed of the transactions."""
        done = subprocess.run(self.transact(run, "dump", log, "--patience", 10), capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise load.Broken(f"what is committed cannot be read: {done.stderr[-300:].strip()}")
        return sorted(log.read_text(encoding="ascii").splitlines())

    def read(self, run, log, patience=60):
        worker = self.options.worker
        done = subprocess.run([str(worker), "dump", "--broker", run.broker.address, "--log", str(log), "--partitions",
                               str(run.worker.partitions if run.worker else 4), "--patience", str(patience)],
                              capture_output=True, text=True, timeout=240)
        # librdkafka 2.0.2 may end at an assertion of its own right after it has complained of a checksum: it found the damage.
        found_and_fell = done.returncode == -signal.SIGABRT and FOUND_BY_READER[0] in done.stderr and "rdbuf.c" in done.stderr
        if done.returncode != 0 and not found_and_fell:
            raise load.Broken(f"the log cannot be read: {done.stderr[-300:].strip()}")
        with open(log, encoding="ascii") as file:
            out = history.History().load(file)
        out.complaints = done.stderr
        if out.group is None and found_and_fell:
            out.group = group_of(run.broker.address)
        return out

    def files(self):
        """{kind: [file]} of what is not empty."""
        out = {}
        for path in sorted(self.data.rglob("*")):
            if path.is_file() and path.stat().st_size and path.name != ".lock":
                out.setdefault(kind_of(path), []).append(path.relative_to(self.data))
        return out


def group_of(address):
    """The group's offset, or None."""
    deadline = time.monotonic() + PATIENCE
    with protocol.Client(address, patience=PATIENCE) as client:
        while time.monotonic() < deadline:
            error, offset = asked.committed(client, GROUP, "history", 0)
            if error == 0:
                return offset
            time.sleep(0.1)
    return None


def holds_group(path):
    """Whether the group's offset goes with a file, if that is reported."""
    partition = asked.partition_of_group(GROUP, OFFSETS_PARTITIONS)
    return path.parent.name == f"__consumer_offsets-{partition}" and path.name.endswith(SETS_ASIDE)


def complaints(options, data):
    """How many errors, warnings and notes `leat log check` has about a data directory."""
    done = subprocess.run([str(options.leat), "log", "check", str(data)], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)
    counts = re.search(r"(\d+) errors?, (\d+) warnings?, (\d+) notes?", done.stdout)
    return sum(map(int, counts.groups())) if counts else 1 if done.returncode else 0


def judge(original, data, path, seen, log):
    """The findings about what was read from a damaged copy."""
    findings = {}
    is_logged = any(words in log for words in REPORTED)
    is_reported = is_logged or any(words in seen.complaints for words in FOUND_BY_READER)
    wrong = [f"{place}: {value}, not {original.seen.final.get(place)}" for place, value in seen.final.items()
             if original.seen.final.get(place) != value]
    if wrong:
        findings["wrong record served"] = wrong
    missing = [place for place in original.seen.final if place not in seen.final]
    if missing and not is_reported:
        findings["missing without a report"] = missing
    elif others := [(partition, offset) for partition, offset in missing
                    if path.parent.name != f"history-{partition}" or not path.name.endswith(SETS_ASIDE)]:
        findings["missing"] = others
    if seen.group != original.seen.group:
        changed = [f"{original.seen.group} was, {seen.group} is"]
        if not is_logged:
            findings["offset of the group changed without a report"] = changed
        elif not holds_group(path):
            findings["offset of the group changed"] = changed
    kept = data / path
    is_kept = path.name.endswith(".log") and not path.parent.name.startswith(SHORT_LIVED)
    if is_kept and not kept.exists() and not list(data.glob(f"*/{path.name}*")):
        findings["deleted"] = [str(path)]
    return findings


def answers_of_quarantined(broker):
    """The findings about what partitions answer that are out of service."""
    said = broker.log.read_text(errors="replace")
    out = {}
    for folder in sorted(set(re.findall(r'"partition (?:offline|not opened)" partition=(\S+)-(\d+) ', said))):
        topic, partition = folder
        other = asked.other_than_storage_error(broker.address, topic, int(partition))
        if other:
            out.setdefault("quarantined, but answers", []).append(f"{topic}-{partition}: {other}")
    return out


def one(options, run_class, original, path, how, rng):
    """(what was done, findings) of one damaged copy."""
    folder = options.folder / f"flip{next(NUMBERS)}"
    folder.mkdir()
    data = folder / "data"
    shutil.copytree(original.data, data)
    done = f"{path} of the {original.name} one, {damage(data / path, how, rng)} ({folder.name})"
    run = run_class(options, folder, data, failpoints.SETTINGS)
    findings = {}
    try:
        if path.name.endswith(".log") and complaints(options, data) <= original.complaints:
            findings = {"not found by leat log check": [done]}
        elif not run.start():
            said = run.broker.log.read_text(errors="replace")
            names_it = path.name.removesuffix("-wal") in said
            if not (names_it and any(path.name.startswith(name) for name in REFUSABLE)):
                findings = {"does not start": [said[-200:]]}
        else:
            seen = original.read(run, folder / "read.log", PATIENCE)
            findings = judge(original, data, path, seen, run.broker.log.read_bytes()) | answers_of_quarantined(run.broker)
            if path.name.endswith(OF_ABORTED) and original.read_committed(run, folder / "committed.log") != original.committed:
                findings["other records are committed"] = [done]
            run.broker.check()
            run.broker.stop()
    except (load.Broken, subprocess.TimeoutExpired) as why:
        findings[load.rule_of(why)] = [str(why)]
    finally:
        run.end()
    findings |= run.broker.fallen()
    if not findings:
        shutil.rmtree(folder)
    return done, findings


#: Of the topic "short", whose closed segments retention deletes as soon as somebody looks.
SHORT_LIVED = "short-"
#: All of a partition is read twice a second.
SCRUB = ["leat.scrub.interval.ms=500", "leat.scrub.max.bytes.per.second=1000000000"]
SCRUB_PATIENCE = 15


def closed_segments(original):
    """Segments that another follows: no start reads them."""
    folders = {}
    for path in original.files().get(".log", []) + original.files().get("__consumer_offsets .log", []):
        if path.parent.name.startswith(SHORT_LIVED):
            continue
        folders.setdefault(path.parent, []).append(path)
    return [path for paths in folders.values() for path in sorted(paths)[:-1]]


def rot(options, run_class, original, path, rng, mutant=None):
    """(what was done, findings) of a segment that changes between a clean stop and its use: the scrub has to find it, and the
    partition stays quarantined over a start."""
    folder = options.folder / f"rot{next(NUMBERS)}"
    folder.mkdir()
    data = folder / "data"
    shutil.copytree(original.data, data)
    done = f"{path}, {damage(data / path, 'bit', rng)} ({folder.name})"
    run = run_class(options, folder, data, [*failpoints.SETTINGS, *SCRUB], {"LEAT_FAULTS": mutant} if mutant else None)
    log = run.broker.log

    def offline():
        return len(re.findall(rf'"partition offline" partition={re.escape(path.parent.name)} ', log.read_text(errors="replace")))

    findings = {}
    try:
        run.restart()
        try:
            load.wait_for("the scrub", offline, SCRUB_PATIENCE)
        except load.Broken:
            return done, {"not found by the scrub": [done]}
        findings = judge(original, data, path, original.read(run, folder / "read.log", PATIENCE), log.read_bytes())
        run.broker.check()
        run.broker.kill()
        # From here on nobody looks for damage but who opens the partition.
        run.broker.settings = [setting for setting in run.broker.settings if setting not in SCRUB]
        known = offline()
        run.restart()
        findings |= judge(original, data, path, original.read(run, folder / "again.log", PATIENCE), log.read_bytes())
        findings |= answers_of_quarantined(run.broker)
        try:
            load.wait_for("the note of the damage", lambda: offline() > known, SCRUB_PATIENCE)
        except load.Broken:
            findings["served again after a start"] = [done]
        run.broker.check()
    except (load.Broken, subprocess.TimeoutExpired) as why:
        findings[load.rule_of(why)] = [str(why)]
    finally:
        run.end()
    findings |= run.broker.fallen()
    if not findings:
        shutil.rmtree(folder)
    return done, findings


def all_rot(options, run_class, original):
    """The rows of rot in use: as it is, and with a scrub that looks at nothing."""
    rng = random.Random(f"{options.seed} rot")
    paths = closed_segments(original)
    count, findings = 0, {}
    for _ in range(3 * options.flips):
        done, found = rot(options, run_class, original, rng.choice(paths), rng)
        count += 1
        for rule, events in found.items():
            findings.setdefault(f"{rule}: {done}", []).extend(events)
    yield "rot of a closed segment in use", count, len(original.seen.final), findings, not findings
    done, found = rot(options, run_class, original, rng.choice(paths), rng, mutant="skip_scrub")
    is_missed = found.keys() == {"not found by the scrub"}
    shown = found if is_missed else {f"the mutant was not noticed: {done}": [str(found)]}
    yield "mutant: skip_scrub", 1, len(original.seen.final), shown, is_missed


def run(options, run_class):
    """Yields a row for each kind of file: name, damages, records, findings, whether it is well."""
    originals = [Original(options, run_class, is_clean) for is_clean in (True, False)]
    kinds = sorted({kind for original in originals for kind in original.files()})
    if options.only:
        kinds = [kind for kind in kinds if kind in options.only.split(",")]
    if not options.only or "rot" in options.only.split(","):
        yield from all_rot(options, run_class, originals[0])
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda kind: all_damages(options, run_class, originals, kind), kinds)


def all_damages(options, run_class, originals, kind):
    """The row of one kind of file."""
    rng = random.Random(f"{options.seed} {kind}")
    count, findings = 0, {}
    for original in originals:
        files = original.files().get(kind, [])
        for how in DAMAGES * options.flips if files else ():
            done, found = one(options, run_class, original, rng.choice(files), how, rng)
            count += 1
            for rule, events in found.items():
                findings.setdefault(f"{rule}: {done}", []).extend(events)
    return f"damage: {kind}", count, sum(len(o.seen.final) for o in originals), findings, count > 0 and not findings
