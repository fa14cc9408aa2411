#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cuts the power, kills and breaks the backbone under load, and judges the history.

modes
  power      power cuts on a loop-mounted file system (--fs ext4 or xfs; needs root): every other one stops the process first, as a
             real cut does; in the rest it lives on for a moment over a file system that has given up
  kill       kill -9 at random moments
  checksum   a batch with a wrong checksum is refused
  failpoint  kill -9 at every named call on every kind of file, and EIO or ENOSPC there
  flips      damage in every kind of file: found, reported, made again where that can be, never served, never deleted
  full       a disk that fills up under load and gets room again
  descriptors
             no file descriptor is left under load, and the power may go meanwhile (root)
  readonly   an ext4 that turns read-only under load, and is mounted again (root)
  control    power cuts with leat.durability=os: records must be lost, or the harness proves nothing
  mutants    each deliberate bug must be found by power cuts or kills
  lies       each wrong line that the load writes down must be found, by the rule that is there for it
  control-plane
             rights, SCRAM users, quotas and delegation tokens through kill -9 and, as root, power cuts (control_plane.py)
  control-plane-mutants
             each deliberate bug there, and each wrong line that its load writes down, must be found
  bank-transfer, consume-transform-produce
             transactions through kills of broker and client, at random and at each step (transactions.py)
  transactions-power
             the same through power cuts (root)
  transactions-mutants
             each deliberate bug in transactions must be found
  streams    an application of Leat Streams through kills of its instances and of the broker, at random and at each step of commit, restore
             and rebalance, on Leat and on Apache Kafka (streams.py)
  streams-older
             the same on Apache Kafka 3.9.1 alone, whatever --kafka names
  streams-mutants
             each deliberate bug in streams must be found
  all        everything, in this order
  backbone   from power to lies
  control-plane-whole
             those of the control plane
  transactions
             those of transactions
  streams-whole
             those of streams
  short      some kills and, as root, some power cuts, the control and one mutant: part of `make test`
  control-plane-short
             some kills of the control plane, a mutant and its lies: so too
  transactions-short
             some cycles of transactions and two of their mutants: so too
  streams-short
             some kills of an application on Leat, and a mutant: so too

A cycle counts only with at least 100 acknowledgements since the last cut and requests in flight at the cut. With n cycles and no
finding the chance of one a cycle is below 3/n (95 %). A mutant is found by what its history shows; a run that stood still, broke or was not
read to its end does not find it, but for the mutants of which that is the sign (transactions.SIGNS).
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import control_plane  # noqa: E402
import descriptors  # noqa: E402
import failpoints  # noqa: E402
import flips  # noqa: E402
import full  # noqa: E402
import history  # noqa: E402
import load  # noqa: E402
import page  # noqa: E402
import power  # noqa: E402
import readonly  # noqa: E402
import streams  # noqa: E402
import transactions  # noqa: E402
import transactions_history  # noqa: E402

ACKNOWLEDGED_MIN = 100
PARTITIONS = 4
#: A small segment makes rolls part of every run.
SETTINGS = ["log.segment.bytes=1048576", "group.initial.rebalance.delay.ms=0", "log.retention.ms=-1"]
MUTANTS = {  # fault of the broker -> how it must be found
    "ack_before_sync": "power", "skip_sync": "power", "sync_wrong_file": "power", "ack_duplicate_early": "resend",
    "mark_ahead": "slow", "read_above_synced": "power", "skip_crc_check": "checksum", "skip_dedupe": "kill", "trust_sync": "living",
}
LIES = {  # what the load writes down wrongly (worker.cc) -> the rule that finds it
    "unlogged": "phantom", "altered": "altered", "sent_after_all": "failed seen", "poll_skipped": "skipped", "poll_again": "went back",
    "mark_back": "mark went back", "commit_back": "commit lost", "partition_left": "behind", "reader_stops": "reader stuck",
    "marks_stop": "marks stuck", "commits_stop": "commits stuck", "offsets_stop": "offsets stuck",
}
#: Some of each event between two kills: every fifth is a lie.
LIES_CYCLES, LIES_SECONDS = 2, 2
#: Seconds for all of the load to go on; and where it is to fail, since that proves nothing there and the history only grows.
PATIENCE, SHORT_PATIENCE = 60, 10
OS_DURABILITY = "leat.durability=os"
#: Kills of its only node lose no markers of transactions there (streams.loses_markers()).
KAFKA_BEFORE = "3.9.1"
#: How the power goes: the process is stopped before, or lives on for some milliseconds after.
STOPPED, LIVING = "stopped", "living"
#: So many histories of twice `--mutant-cycles` cuts are looked through for what only a living process shows.
LIVING_TURNS = 12


def say(text):
    print(f"crash: {text}", file=sys.stderr, flush=True)


class Progress:
    """One line every ten seconds: how far, how fast, how long still."""

    def __init__(self, what, total):
        self.what, self.total, self.begun = what, total, time.monotonic()
        self.next = self.begun + 10

    def at(self, done, more=""):
        now = time.monotonic()
        if now < self.next or not done:
            return
        self.next = now + 10
        left = (now - self.begun) / done * (self.total - done)
        say(f"{self.what}: {done} of {self.total}{more}, about {left:.0f} s left")


#: Syncs that take long, so that what is sent again finds its original unsynced.
SLOW_DISK = {"LEAT_FAULT_DISK": "delay:sync:.log:1,delay:sync-file-system::1"}


class Run:
    """One backbone on one folder through many cuts, and its judgement."""

    def __init__(self, options, folder, data, settings=(), environment=None, value_bytes=120, lies=""):
        self.options, self.folder, self.value_bytes, self.lies = options, folder, value_bytes, lies
        folder.mkdir(parents=True, exist_ok=True)
        self.environment = environment or {}
        self.broker = load.Broker(options.leat, data, [*SETTINGS, *settings], folder / "broker.log")
        self.worker = None
        self.patience = SHORT_PATIENCE if lies or "LEAT_FAULTS" in self.environment or OS_DURABILITY in settings else PATIENCE
        self.said = None

    def start(self):
        self.said = load.Said(self.broker.log)
        return self.broker.start(self.environment)

    def begin(self):
        if not self.start():
            raise load.Broken(f"leat serve does not start, see {self.folder / 'broker.log'}")
        self.broker.run("topic", "create", "history", "--partitions", PARTITIONS, "--set", f"max.message.bytes={load.BATCH_MAX}",
                        "--if-not-exists")
        self.worker = load.Worker(self.options.worker, self.broker, self.folder, PARTITIONS, value_bytes=self.value_bytes, lies=self.lies)

    def ready_for_cut(self, rng):
        """Every other time when all the load goes on; else the next cut may come before."""
        self.worker.wait_for_acknowledgements(ACKNOWLEDGED_MIN)
        if rng.random() < 0.5:
            self.worker.wait_for_work(self.patience)
        time.sleep(rng.uniform(0, 0.05))  # not always at the same point of a sync
        self.broker.check()
        if self.given_up():
            raise load.Broken("partitions of a disk that is well are out of service")
        return self.worker.counters().in_flight > 0

    def given_up(self):
        """The finding about what is out of service since the last start, if there is one: to be asked for when no disk has failed."""
        lost = load.given_up(self.said.text())
        return {"given up": lost} if lost else {}

    def reset_connections(self):
        """The clients come back and send again what was not answered."""
        # It complains of a family of sockets that it cannot ask for, and ends those that it was asked for.
        subprocess.run(["ss", "-K", "dst", "127.0.0.1", "dport", "=", str(self.broker.port)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        time.sleep(0.06)

    def restart(self):
        if not self.start():
            raise load.Broken(f"leat serve does not start again, see {self.folder / 'broker.log'}")

    def judge(self, why=None):
        """The verdict on the history, when the backbone is to work; `why` the run could not go on, if so: what was acknowledged until then
        counts all the same."""
        if why is None:
            try:
                self.worker.wait_for_work(self.patience)
            except load.Broken as standstill:
                why = standstill
        findings = {load.rule_of(why): [str(why)]} if why else {}
        if self.worker is None:
            return history.History(), {**findings, **self.broker.fallen()}
        found, judged = None, {}
        try:
            if why and not self.broker.is_running():
                self.restart()
            found = self.worker.finish(is_broken=why is not None)
            judged = found.judge(has_ended=why is None)
            self.broker.check()
        except (load.Broken, subprocess.TimeoutExpired) as more:
            # What came first says more.
            judged["broken"] = [*findings.get("broken", []), str(more)]
            found = found or self.worker.seen()  # Without its end, which most rules are about.
        return found, {**findings, **self.given_up(), **self.broker.fallen(), **judged}

    def live(self, disk, body):
        """(history, findings) of what happens from begin() on: `body` adds to the findings that it is given. The disk is closed then."""
        findings = {}
        try:
            self.begin()
            body(findings)
            seen, found = self.judge()
        except load.Broken as why:
            seen, found = self.judge(why)
        finally:
            self.end()
            disk.close()
        return seen, {**findings, **found}

    def end(self):
        if self.worker:
            self.worker.abandon()
        self.broker.kill()


def power_cycles(options, kind, cycles, settings=(), environment=None, resets=False, ways=(STOPPED, LIVING)):
    """Returns (counted cycles, history, findings). When something is found the data directory is kept."""
    rng = random.Random(options.seed)
    folder = options.folder / f"power-{kind}-{len(list(options.folder.iterdir()))}"
    folder.mkdir()
    disk = power.LoopDisk(kind, folder)
    disk.mount()
    run = Run(options, folder, disk.mount_point / "data", settings, environment)
    counted = tried = 0
    progress = Progress(f"power cuts, {kind}", cycles)
    seen, findings = None, {}
    try:
        run.begin()
        try:
            while counted < cycles:
                counted += run.ready_for_cut(rng)
                tried += 1
                bound(counted, tried, cycles)
                if resets:
                    run.reset_connections()
                if ways[tried % len(ways)] == STOPPED:
                    run.broker.process.send_signal(signal.SIGSTOP)
                    disk.cut()
                else:
                    disk.cut()
                    time.sleep(rng.uniform(0.005, 0.05))
                run.broker.kill()
                disk.unmount()
                disk.mount()
                run.restart()
                progress.at(counted, f" cuts, {run.worker.counters()[0]} acknowledged")
        except load.Broken as why:
            seen, findings = run.judge(why)
        else:
            seen, findings = run.judge()
        return counted, seen, findings
    finally:
        run.end()
        if findings and disk.mounted:
            shutil.copytree(disk.mount_point / "data", folder / "data-kept", ignore_dangling_symlinks=True)
        disk.close()


def bound(counted, tried, cycles):
    """Of a load that has nothing in flight when it is struck there are not enough cycles ever."""
    if tried > 5 * cycles:
        raise load.Broken(f"{counted} of {tried} cuts had requests in flight")


def kill_cycles(options, cycles, settings=(), environment=None, lies="", seconds=0):
    """`seconds`: so long all is well at least before each kill."""
    rng = random.Random(options.seed)
    folder = options.folder / f"kill-{len(list(options.folder.iterdir()))}"
    run = Run(options, folder, folder / "data", settings, environment, lies=lies)
    counted = tried = 0
    progress = Progress("kill -9", cycles)
    try:
        run.begin()
        try:
            while counted < cycles:
                counted += run.ready_for_cut(rng)
                tried += 1
                bound(counted, tried, cycles)
                time.sleep(seconds)
                run.broker.kill()
                run.restart()
                progress.at(counted, f" kills, {run.worker.counters()[0]} acknowledged")
        except load.Broken as why:
            return counted, *run.judge(why)
        return counted, *run.judge()
    finally:
        run.end()


def run_power(options, report):
    for kind in options.fs.split(","):
        cycles, seen, findings = power_cycles(options, kind, options.cycles)
        report.add(f"power cut, {kind}", cycles, len(seen.acknowledged), findings, not findings)
    kind = options.fs.split(",")[0]
    cycles, seen, findings = power_cycles(options, kind, max(options.cycles // 5, 5), (), SLOW_DISK, resets=True, ways=(STOPPED,))
    report.add(f"power cut after connection resets on a slow disk, {kind}", cycles, len(seen.acknowledged), findings, not findings)


def run_kill(options, report):
    cycles, seen, findings = kill_cycles(options, options.cycles)
    report.add("kill -9", cycles, len(seen.acknowledged), findings, not findings)


def run_control(options, report):
    kind = options.fs.split(",")[0]
    cycles, seen, findings = power_cycles(options, kind, min(options.cycles, 20), [OS_DURABILITY])
    # An acknowledged record whose offset another one has taken since is as lost as one whose offset is empty.
    is_lost = not findings.keys().isdisjoint({"lost", "rewritten"})
    report.add(f"control: durability os, power cut, {kind}", cycles, len(seen.acknowledged), findings, is_lost)


def living_turns(options, environment):
    """Cuts that leave the process alive, until a history shows a finding. How rare that is depends on the disk and on what else the machine does
    (once in 20 to 400 cuts were seen): so the bound is that of many short histories, each judged when it is whole. XFS shows it more often than ext4."""
    cut = acknowledged = 0
    for turn in range(LIVING_TURNS):
        turned = argparse.Namespace(**{**vars(options), "seed": options.seed + turn})
        cycles, seen, findings = power_cycles(turned, options.fs.split(",")[-1], options.mutant_cycles * 2, (), environment, ways=(LIVING,))
        cut, acknowledged = cut + cycles, acknowledged + len(seen.acknowledged)
        if load.caught(findings):
            break
    return cut, acknowledged, findings


def run_slow_disk(options, report):
    """The way of some mutants without one: on this machine too it is no standstill."""
    kind = options.fs.split(",")[0]
    cycles, seen, findings = power_cycles(options, kind, max(options.mutant_cycles // 5, 5), (), SLOW_DISK, ways=(STOPPED,))
    report.add(f"no mutant: power cut on a slow disk, {kind}", cycles, len(seen.acknowledged), findings, not findings)


def is_asked_for(options, name):
    return not options.only or name in options.only.split(",")


def run_mutants(options, report):
    if any(how == "slow" and is_asked_for(options, fault) for fault, how in MUTANTS.items()):
        run_slow_disk(options, report)
    for fault, how in MUTANTS.items():
        if not is_asked_for(options, fault):
            continue
        environment = {"LEAT_FAULTS": fault}
        if how == "resend":
            cycles, seen, findings = power_cycles(options, options.fs.split(",")[0], options.mutant_cycles, (),
                                                  {**environment, **SLOW_DISK}, resets=True, ways=(STOPPED,))
        elif how == "slow":
            cycles, seen, findings = power_cycles(options, options.fs.split(",")[0], options.mutant_cycles, (),
                                                  {**environment, **SLOW_DISK}, ways=(STOPPED,))
        elif how == "power":
            cycles, seen, findings = power_cycles(options, options.fs.split(",")[0], options.mutant_cycles, (), environment)
        elif how == "living":
            cut, acknowledged, findings = living_turns(options, environment)
            report.add(f"mutant: {fault}", cut, acknowledged, findings, load.caught(findings))
            continue
        elif how == "kill":
            cycles, seen, findings = kill_cycles(options, options.mutant_cycles, (), environment)
        else:
            cycles, seen, findings = failpoints.checksum_cycles(options, Run, environment)
        report.add(f"mutant: {fault}", cycles, len(seen.acknowledged), findings, load.caught(findings))


def run_lies(options, report, at_once=False):
    """Each breaks its rule and no other, but that a record which was sent after all may be there twice: who sends it is not idempotent.
    `at_once`: all in one history, but those that end it."""
    together = [",".join(lie for lie, rule in LIES.items() if not rule.endswith("stuck"))]
    for lies in together if at_once else [lie for lie in LIES if is_asked_for(options, lie)]:
        cycles, seen, findings = kill_cycles(options, LIES_CYCLES, lies=lies, seconds=LIES_SECONDS)
        report.add(f"lies: {lies}", cycles, len(seen.acknowledged), findings,
                   findings.keys() - {"duplicated"} == {LIES[lie] for lie in lies.split(",")})


def run_checksum(options, report):
    cycles, seen, findings = failpoints.checksum_cycles(options, Run, {})
    report.add("a batch with a wrong checksum", cycles, len(seen.acknowledged), findings, not findings)


def run_failpoints(options, report):
    for row in failpoints.run(options, Run):
        report.add(*row)


def run_flips(options, report):
    for row in flips.run(options, Run):
        report.add(*row)


def run_full(options, report):
    for kind in options.fs.split(","):
        seen, findings, cycles = full.cycles(options, Run, kind, max(options.cycles // 10, 2))
        report.add(f"full disk, {kind}", cycles, len(seen.acknowledged), findings, not findings)


def run_descriptors(options, report):
    for kind in options.fs.split(","):
        seen, findings, cycles = descriptors.cycles(options, Run, kind, max(options.cycles // 10, 2))
        report.add(f"no descriptor left, {kind}", cycles, len(seen.acknowledged), findings, not findings)


def run_readonly(options, report):
    seen, findings, cycles = readonly.cycles(options, Run, max(options.cycles // 10, 2))
    report.add("a disk that turns read-only, ext4", cycles, len(seen.acknowledged), findings, not findings)


def run_short(options, report):
    """What fits into every test run. Without root there are no loop devices: then it says so, and kills only."""
    run_checksum(options, report)
    run_kill(options, report)
    run_lies(options, report, at_once=True)
    if os.geteuid() != 0:
        say("not root: no power cuts, no control and no mutant in this run")
        report.is_whole = False
        return
    options.fs, options.only, options.mutant_cycles = "ext4", "ack_before_sync", 20
    run_power(options, report)
    run_control(options, report)
    run_mutants(options, report)


def run_control_plane(options, report):
    cycles, seen, findings = control_plane.kills(options, options.cycles)
    report.add("control plane, kill -9", cycles, seen.acknowledged, findings, not findings)
    if os.geteuid() != 0:
        say("not root: no power cuts of the control plane in this run")
        report.is_whole = False
        return
    for kind in options.fs.split(","):
        cycles, seen, findings = control_plane.power_cuts(options, kind, options.cycles)
        report.add(f"control plane, power cuts, {kind}", cycles, seen.acknowledged, findings, not findings)


def run_control_plane_mutants(options, report):
    for name, (environment, how) in control_plane.MUTANTS.items():
        if not is_asked_for(options, name):
            continue
        if how == "power" and os.geteuid() != 0:
            say(f"not root: mutant {name} needs power cuts, left out")
            report.is_whole = False
            continue
        if how == "power":
            cycles, seen, findings = control_plane.power_cuts(options, options.fs.split(",")[0], options.mutant_cycles, environment)
        else:
            cycles, seen, findings = control_plane.kills(options, options.mutant_cycles, environment)
        report.add(f"mutant: {name}", cycles, seen.acknowledged, findings,
                   load.caught(findings, proves_nothing=control_plane.PROVES_NOTHING))
    for lie in control_plane.LIES:
        if not is_asked_for(options, lie):
            continue
        cycles, seen, findings = control_plane.kills(options, 1, lie=lie)
        report.add(f"lies: {lie}", cycles, seen.acknowledged, findings, control_plane.lies_found(lie, findings))


def run_control_plane_short(options, report):
    options.fs, options.mutant_cycles = "ext4", 5
    run_control_plane(options, report)
    run_control_plane_mutants(options, report)


def run_transactions(options, report, kind, file_systems=(None,)):
    for file_system in file_systems:
        ways = transactions.WAYS if file_system is None else ("broker", "broker step", "both", "both commit")
        cycles, seen, findings = transactions.cycles(options, kind, options.cycles, ways, file_system=file_system)
        name = "bank transfer" if kind == "bank" else "consume-transform-produce"
        report.add(f"{name}, {'kills' if file_system is None else 'power cuts, ' + file_system}", cycles, len(seen.acknowledged), findings,
                   not findings)


def run_bank(options, report):
    run_transactions(options, report, "bank")


def run_transform(options, report):
    run_transactions(options, report, "transform")


def run_transactions_power(options, report):
    for kind in ("bank", "transform"):
        run_transactions(options, report, kind, options.fs.split(","))


def run_transactions_mutants(options, report):
    if any(is_asked_for(options, fault) for fault in transactions.SIGNS):
        # What is a sign of some may not come without them.
        cycles, seen, findings = transactions.cycles(options, "bank", max(options.mutant_cycles // 5, len(transactions.WAYS)))
        report.add("no mutant: bank transfer, kills", cycles, len(seen.acknowledged), findings, not findings)
    for fault in transactions.MUTANTS:
        if not is_asked_for(options, fault):
            continue
        found = transactions.mutant(options, fault, options.mutant_cycles)
        if found is None:
            say(f"not root: mutant {fault} needs power cuts, left out")
            report.is_whole = False
            continue
        cycles, seen, findings = found
        report.add(f"mutant: {fault}", cycles, len(seen.acknowledged), findings,
                   load.caught(findings, transactions.SIGNS.get(fault, ()), transactions_history.PROVES_NOTHING))


def run_transactions_short(options, report):
    options.only, options.mutant_cycles = "lso_too_high", 2
    run_bank(options, report)
    run_transform(options, report)
    run_transactions_mutants(options, report)


def streams_name(options, setting):
    """With the version of Apache Kafka."""
    return streams.name_of(setting).replace("kafka/", f"kafka {options.kafka}/")


def add_streams(options, report, setting, kills, ways=None):
    by_way, inputs, findings, note = streams.cycles(options, setting, kills, ways)
    kinds = ", ".join(f"{count} {way}" for way, count in by_way.items() if count)
    report.add(f"streams, {streams_name(options, setting)}: kills: {kinds}; {note}", sum(by_way.values()), inputs, findings, not findings)


def run_streams(options, report, brokers=("leat", "kafka")):
    for setting, kills in streams.settings(options):
        if setting.broker not in brokers or not options.only_pattern.search(streams.name_of(setting)):
            continue
        if setting.broker == "kafka" and not streams.kafka_is_there(options):
            report.broken(f"streams, {streams_name(options, setting)}", f"Apache Kafka {options.kafka} cannot be had here")
            continue
        add_streams(options, report, setting, kills)


def run_streams_older(options, report):
    if options.kafka not in ("no", KAFKA_BEFORE):
        run_streams(argparse.Namespace(**{**vars(options), "kafka": KAFKA_BEFORE}), report, ("kafka",))


def run_streams_mutants(options, report):
    for name, by_way, inputs, findings in streams.mutants(options, options.mutant_kills):
        report.add(f"mutant: {name}", sum(by_way.values()), inputs, findings, streams.caught(findings))


def run_streams_short(options, report):
    add_streams(options, report, streams.Setting("leat", 2, 4, True), options.kills, ("random", "broker", "step", "both"))
    fault = "streams.restore_skipped"
    by_way, inputs, findings, _ = streams.cycles(options, streams.Setting("leat", 1, 4, True), 1, ("wiped",), {"LEAT_FAULTS": fault})
    report.add(f"mutant: {fault}", sum(by_way.values()), inputs, findings, streams.caught(findings))


MODES = {"power": run_power, "kill": run_kill, "checksum": run_checksum, "failpoint": run_failpoints, "flips": run_flips, "full": run_full,
         "descriptors": run_descriptors, "readonly": run_readonly,
         "control": run_control, "mutants": run_mutants, "lies": run_lies,
         "control-plane": run_control_plane, "control-plane-mutants": run_control_plane_mutants,
         "bank-transfer": run_bank, "consume-transform-produce": run_transform,
         "transactions-power": run_transactions_power, "transactions-mutants": run_transactions_mutants,
         "streams": run_streams, "streams-older": run_streams_older, "streams-mutants": run_streams_mutants}
SHORT = {"short": run_short, "control-plane-short": run_control_plane_short, "transactions-short": run_transactions_short,
         "streams-short": run_streams_short}
GROUPS = {"all": list(MODES), "backbone": list(page.SECTIONS["backbone"]), "control-plane-whole": list(page.SECTIONS["control plane"]),
          "transactions": list(page.SECTIONS["transactions"]), "streams-whole": list(page.SECTIONS["streams"])}


def positive(text):
    """None of them is not a run that found nothing."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is none at all")
    return number


def parser():
    """Of the command line."""
    out = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out.add_argument("mode", choices=[*MODES, *GROUPS, *SHORT])
    out.add_argument("--build", type=pathlib.Path, default=ROOT / "build/dev", help="a build with fault injection [%(default)s]")
    out.add_argument("--cycles", type=positive, default=200)
    out.add_argument("--mutant-cycles", type=positive, default=50, help="within how many a mutant must be found [%(default)s]")
    out.add_argument("--fs", default="ext4,xfs")
    out.add_argument("--times", type=lambda text: [int(n) for n in text.split(",")], help="at which calls of their kind failpoints strike, such as 1,3,20 [1 or 3]")
    out.add_argument("--only", help="these failpoints, kinds of file or mutants only, divided by commas; of streams: settings or mutants whose "
                                    "name this regular expression is found in, such as leat/3x12")
    out.add_argument("--kills", type=positive, default=100, help="of streams in each of the four hardest settings; a tenth in the others [%(default)s]")
    out.add_argument("--mutant-kills", type=positive, default=16, help="so many strike each mutant of streams [%(default)s]")
    out.add_argument("--session", type=int, default=2000, help="ms of silence after which an instance of streams is given up: more on a busy "
                                                               "machine [%(default)s]")
    out.add_argument("--kafka", default="4.3.1", metavar="VERSION", help="of the Apache Kafka of streams, or no [%(default)s]")
    out.add_argument("--flips", type=positive, default=1, help="damages of each form, for each kind of file [%(default)s]")
    out.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    out.add_argument("--scratch", type=pathlib.Path, help="where images and data are made")
    out.add_argument("--report", type=pathlib.Path, metavar="FILE",
                     help="writes the tables of what was run into their sections of FILE, such as docs/proof/crash.md; its other text stays")
    out.add_argument("--section", metavar="NAME", help="all that was run goes into this section of FILE, and takes the place of all its rows")
    return out


def main():
    options = parser().parse_args()
    options.leat, options.worker = options.build / "bin/leat", options.build / "bin/crash_worker"
    options.txn_worker, options.progress = options.build / "bin/txn_worker", Progress
    options.streams_worker, options.only_pattern = options.build / "bin/streams_worker", re.compile(options.only or "")
    if options.scratch:
        options.scratch.mkdir(parents=True, exist_ok=True)
    modes = GROUPS.get(options.mode, [options.mode])
    if options.report and (why := page.objection(options.report, modes, options.section, options.only)):
        parser().error(why)
    # Of streams it is a pattern.
    names = options.only.split(",") if options.only and not any("streams" in mode for mode in modes) else []
    options.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-crash-", dir=options.scratch))
    say(f"seed {options.seed}; files in {options.folder}")
    report = page.Report(ROOT, say)
    # What was started ends too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        for mode in modes:
            report.mode = mode
            (MODES | SHORT)[mode](options, report)
    except load.Broken as why:
        report.broken(f"broken: {why}", why)
    except Exception as why:  # noqa: BLE001: a fault of the harness must not take the rows of hours with it.
        traceback.print_exc()
        report.broken(f"broken: the harness: {why}", why)
    print(report.table())
    if nothing := ["--only"] * (not report.rows) + [name for name in names if not report.has(name)]:
        say(f"there is no row of {', '.join(nothing)}")
        report.is_whole = False
    if options.report:
        report.write(options.report, options.section)
    if report.failed:
        say(f"repeat with --seed {options.seed}; files are in {options.folder}")
        return 1
    shutil.rmtree(options.folder)
    return 2 if nothing else 0


if __name__ == "__main__":
    sys.exit(main())
