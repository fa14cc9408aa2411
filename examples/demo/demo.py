#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plays real events through an embedded Leat backbone and prints a scorecard.

A week of earthquakes and a month of flights become keyed records with their own timestamps. A group of three reads the flights; one
member is killed. Two instances of a streams application average the delays in windows of 15 minutes; one of them is killed. The
backbone itself is killed with kill -9 while records are on their way, and started again. Then come a seek by time, a compacted topic with
the latest state of each airport, earthquakes that become alerts in transactions whose writer, and then the backbone, are killed half-way,
and the counts. The exit code is 0 only when every count is right.
"""
import argparse
import datetime
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import backbone as bb
import delays
import events as ev
import scorecard as sc

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 90
FLIGHTS_PER_SECOND = 4_000  # slow enough that the kills come in the middle


def say(text):
    print(f"demo: {text}", file=sys.stderr, flush=True)


def wait_for(what, condition, seconds=PATIENCE_SECONDS):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise bb.Failed(f"{what}: not within {seconds} s")


class Demo:
    def __init__(self, leat, program, folder, events, drop):
        self.program = program
        self.folder = folder
        self.events = events
        self.drop = drop
        self.card = sc.Scorecard()
        self.backbone = bb.Backbone(leat, folder / "data", ["group.initial.rebalance.delay.ms=500", "log.cleaner.backoff.ms=500"])
        self.members = []
        self.instances = []

    def run(self):
        self.card.tell("started in", f"{self.backbone.start() * 1000:.0f} ms", "empty data directory")
        say(f"events: {self.events.source}; backbone at {self.backbone.address}")
        self.create_topics()
        self.quakes()
        self.flights_with_kills()
        self.seek()
        self.airports()
        self.alerts()
        self.speed()

    def create_topics(self):
        forever = ("--set", "retention.ms=-1")  # the events are older than the week that is the default
        self.backbone.run("topic", "create", "earthquakes", "--partitions", 3, *forever)
        self.backbone.run("topic", "create", "flights", "--partitions", 6, *forever)
        self.backbone.run("topic", "create", "flight-history", "--partitions", 6, *forever)
        self.backbone.run("topic", "create", "airport-delays", "--partitions", 6, *forever)
        self.backbone.run("topic", "create", "worst-airports", "--partitions", 1, *forever)
        self.backbone.run("topic", "create", "alerts", "--partitions", 3, *forever)
        compact = ("cleanup.policy=compact", "segment.ms=1000", "min.cleanable.dirty.ratio=0.01", "max.compaction.lag.ms=1000")
        self.backbone.run("topic", "create", "airport-state", "--partitions", 1, *(x for s in compact for x in ("--set", s)))

    def produce(self, topic, records, *more):
        """Sends records and returns how many were acknowledged."""
        path = bb.write_lines(self.folder / f"{topic}.json", records)
        return self.backbone.json("produce", topic, "--json", "--idempotent", "--file", path, *more)["acknowledged"]

    def quakes(self):
        say(f"{len(self.events.quakes)} earthquakes as keyed records with their own timestamps")
        acknowledged = self.produce("earthquakes", self.events.quakes)
        sc.count_log(self.card, "earthquakes", self.events.quakes, acknowledged, self.backbone.read_all("earthquakes"))

    def flights_with_kills(self):
        sent = self.events.flights
        say(f"{len(sent)} flights at {FLIGHTS_PER_SECOND}/s, read by a group of three, averaged by two instances in windows of 15 minutes")
        properties = self.folder / "member.properties"
        properties.write_text("session.timeout.ms=6000\nauto.commit.interval.ms=500\n")
        self.members = [bb.Member(self.backbone, "shipping", "flights", self.folder / f"member-{n}.json", properties) for n in range(3)]
        wait_for("three members in the group", lambda: self.group_size("shipping") == 3)
        self.instances = delays.start(self.program, self.backbone.address, self.folder)
        wait_for("two instances of the streams",
                 lambda: self.group_size("flight-delays") == 2 and all(i.is_running() for i in self.instances))

        wire = sent[:len(sent) // 2] + sent[len(sent) // 2 + 1:] if "sent" in self.drop else sent
        path = bb.write_lines(self.folder / "flights.json", wire)
        producer = subprocess.Popen(
            self.backbone.command("produce", "flights", "--json", "--idempotent", "--rate", FLIGHTS_PER_SECOND, "--file", path,
                                  "--output", "json"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=open(self.folder / "producer.err", "wb"), text=True)
        try:
            wait_for("a quarter of the flights", lambda: self.read_so_far() > len(sent) // 4)
            say("kill -9 one member of the group")
            self.members[0].end(signal.SIGKILL)
            wait_for("a third of the flights", lambda: self.written_so_far() > len(sent) // 3)
            wait_for("results of the streams", lambda: self.instances[0].is_running() and self.written_so_far("airport-delays") > 500)
            say("kill -9 one instance of the streams; " + self.board())
            self.instances[0].end(signal.SIGKILL)
            wait_for("half of the flights", lambda: self.written_so_far() > len(sent) // 2)
            say("kill -9 the backbone, and start it again; " + self.board())
            self.backbone.kill()
            down = time.monotonic()
            self.card.tell("restarted in", f"{self.backbone.start() * 1000:.0f} ms", "after kill -9, with records on their way")
            wait_for("the first answer", lambda: self.backbone.run("topic", "list"))
            self.card.tell("out of service", f"{(time.monotonic() - down) * 1000:.0f} ms")
            out, _ = producer.communicate(timeout=PATIENCE_SECONDS)
        finally:
            producer.kill()
        acknowledged = json.loads(out)["acknowledged"]
        self.finish_group(sent)
        sc.count_log(self.card, "flights", sent, acknowledged, self.backbone.read_all("flights"))
        self.finish_windows(sent)

    def board(self):
        return delays.board(delays.rows_of(self.backbone.read_all("airport-delays")))

    def finish_windows(self, sent):
        rows = delays.wait_for_all(self.backbone, self.instances[1], len(sent), 5 if "sent" in self.drop else PATIENCE_SECONDS)
        if "window" in self.drop:
            delays.lose_one(rows)
        say("the other instance has taken over; " + delays.board(rows))
        delays.count_windows(self.card, sent, rows)
        ended = self.instances[1].end()
        self.card.check("windows: instance ended with", ended, ended == 0)

    def group_size(self, group):
        try:
            return len(self.backbone.json("group", "describe", group)["members"])
        except bb.Failed:
            return 0  # not there yet

    def read_so_far(self):
        return sum(sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
                   for file in (open(m.path, "rb") for m in self.members))

    def written_so_far(self, name="flights"):
        topic = self.backbone.json("topic", "describe", name)["topics"][0]
        return sum(p["end_offset"] or 0 for p in topic["partitions"])

    def finish_group(self, sent):
        def reads():
            return [r for m in self.members for r in m.records()]
        try:
            wait_for("all flights read by the group", lambda: len({sc.number(r) for r in reads()}) >= len(sent),
                     20 if "sent" in self.drop else PATIENCE_SECONDS)
        except bb.Failed as why:
            say(str(why))  # the counts below say what is missing
        for member in self.members:
            member.end()
        seen = reads()
        if "read" in self.drop:
            gone = sc.number(seen[len(seen) // 2])
            seen = [r for r in seen if sc.number(r) != gone]
        sc.count_group(self.card, sent, seen)

    def seek(self):
        quakes = self.events.quakes
        at = quakes[len(quakes) // 2]["timestamp"]
        text = datetime.datetime.fromtimestamp(at / 1000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        say(f"seek: earthquakes from {text} on")
        got = self.backbone.read_all("earthquakes", "--from", text)
        expected = sum(q["timestamp"] >= at for q in quakes)
        self.card.check("seek by time: records", len(got), len(got) == expected, f"from {text}")
        early = sum(r["timestamp"] < at for r in got)
        self.card.check("seek by time: too early", early, early == 0)

    def airports(self):
        sent = self.events.flights[:10_000]
        latest = {r["key"]: r["value"] for r in sent}
        say(f"{len(sent)} updates of {len(latest)} keys into a compacted topic")
        self.produce("airport-state", sent)

        def compacted():
            # A record behind the others lets the last segment close; it is part of the state.
            marker = {"key": "-", "timestamp": int(time.time() * 1000), "headers": {"seq": "0"}, "value": "none yet"}
            self.produce("airport-state", [marker])
            state = self.backbone.read_all("airport-state")
            return state if len(state) < 2 * len(latest) else None

        state = wait_for("compaction", compacted)
        final = {r["key"]: r["value"] for r in state if r["key"] != "-"}
        self.card.check("compaction: keys", len(final), len(final) == len(latest))
        self.card.check("compaction: records left", len(state), len(state) < 2 * len(latest), f"of {len(sent)}")
        wrong = sum(final.get(k) != v for k, v in latest.items())
        self.card.check("compaction: not the latest state", wrong, wrong == 0)

    def alerts(self):
        """One alert an earthquake, exactly once, though the writer and then the backbone die in the middle of a transaction."""
        say("earthquakes become alerts in transactions; kill -9 the writer half-way, then the backbone")
        quakes = self.backbone.read_all("earthquakes")
        writer = bb.Writer(self.backbone, 3)
        writer.wait_until_half_way()
        writer.process.kill()
        left = len(self.backbone.read_all("alerts", "--from", "beginning", "--isolation", "read_uncommitted"))
        seen = len(self.backbone.read_all("alerts"))
        self.card.tell("transactions: written at the kill", left)
        self.card.check("transactions: of these to be seen", seen, 0 < seen < left, "whole transactions only")
        writer = bb.Writer(self.backbone, 3)
        writer.wait_until_half_way()
        self.backbone.kill()
        self.backbone.start()
        writer.finish(PATIENCE_SECONDS)
        sc.count_alerts(self.card, quakes, self.backbone.read_all("alerts"), "alert" in self.drop)

    def speed(self):
        history = self.events.history
        say(f"{len(history)} flights as fast as they go")
        path = bb.write_lines(self.folder / "flight-history.json", history)
        begun = time.monotonic()
        done = self.backbone.json("produce", "flight-history", "--json", "--idempotent", "--file", path)
        wrote = time.monotonic() - begun
        begun = time.monotonic()
        got = self.backbone.read_all("flight-history")
        took = time.monotonic() - begun
        sc.count_log(self.card, "flight history", history, done["acknowledged"], got)
        self.card.tell("speed: written", f"{len(history) / wrote:,.0f}/s", "every record on disk before its acknowledgement")
        self.card.tell("speed: read", f"{len(got) / took:,.0f}/s", "through the command line, as JSON")

    def stop(self):
        for member in self.members:
            member.end(signal.SIGKILL)
        for instance in self.instances:
            instance.end(signal.SIGKILL)
        return self.backbone.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leat", default=ROOT / "build/release/bin/leat", type=pathlib.Path, help="the program [%(default)s]")
    parser.add_argument("--program", type=pathlib.Path, help="the streams application [examples/streams/flight_delays beside it]")
    parser.add_argument("--cache", default=pathlib.Path.home() / ".cache/leat", type=pathlib.Path, help="for fetched data [%(default)s]")
    parser.add_argument("--stay", action="store_true", help="leave the backbone running until Ctrl-C")
    parser.add_argument("--telemetry", action="store_true", help="do not ask npm, use this machine's telemetry")
    parser.add_argument("--drop", action="append", default=[], choices=("sent", "read", "window", "alert"),
                        help="lose one record on the way, the scorecard must notice; may be repeated")
    options = parser.parse_args()
    program = options.program or options.leat.resolve().parents[1] / "examples" / "streams" / "flight_delays"
    for needed in (options.leat, program):
        if not needed.is_file():
            sys.exit(f"demo: {needed} is missing; run 'make demo', which builds it")
    events = ev.from_telemetry() if options.telemetry else ev.load(options.cache, say)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-demo-"))
    demo = Demo(options.leat, program, folder, events, options.drop)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = 1
    try:
        demo.run()
        if options.stay and not demo.card.wrong:
            print(demo.card.text(), flush=True)
            say(f"the backbone stays up at {demo.backbone.address}; Ctrl-C ends it")
            try:
                signal.pause()
            except KeyboardInterrupt:
                pass
        stopped = demo.stop()
        demo.card.check("stopped with", stopped, stopped == 0)
        print(demo.card.text(), flush=True)
        code = 1 if demo.card.wrong else 0
    except (bb.Failed, subprocess.SubprocessError) as why:
        say(f"failed: {why}")
    finally:
        demo.stop()
        if code == 0:
            shutil.rmtree(folder)
        else:
            say(f"files are in {folder}")
    return code


if __name__ == "__main__":
    sys.exit(main())
