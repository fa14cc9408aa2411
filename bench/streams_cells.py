# SPDX-License-Identifier: Apache-2.0
"""The cells of `bench/run --table streams`: one application on Leat Streams and its twin on Kafka Streams, in turn, on one broker.

A cell takes a Round and a side, "leat" or "kafka", and returns {figure: value}. Both sides read the same input with the same settings,
and what they wrote is compared with what must come of it before a figure counts. How far an application is, its committed offsets say:
both commit every 100 ms. Figures are of the last three fifths of the input; before that is warm-up.
"""
import dataclasses
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/interop"), str(ROOT / "tests/streams"), str(ROOT / "bench")]

import engines  # noqa: E402
import kafka_node  # noqa: E402
import machine  # noqa: E402
import protocol  # noqa: E402
from cells import Wrong  # noqa: E402
from kafka_node import KafkaNode, LeatNode  # noqa: E402

PARTITIONS = 4
STALLED_SECONDS = 300
SIDES = ("leat", "kafka")
#: Heads of the two columns.
NAMES = {"leat": "Leat Streams", "kafka": f"Kafka Streams {engines.VERSION}"}
JVM = ["-Xmx1g", "-XX:+UseG1GC"]
COMMON = {"num.stream.threads": 1, "commit.interval.ms": 100, "statestore.cache.max.bytes": 10 << 20, "producer.linger.ms": 100}
#: Where each record is to be told at once.
AT_ONCE = {"statestore.cache.max.bytes": 0, "producer.linger.ms": 0}
ABOUT = (f"one broker, {PARTITIONS} partitions; both sides: " + ", ".join(f"`{n}={v}`" for n, v in COMMON.items())
         + f"; JVM: `{' '.join(JVM)}`; all else as each side comes; records of 110 bytes; figures are of the last three fifths of the input, "
         "and count when all results are right")
ONCE = {"processing.guarantee": "exactly_once_v2"}


@dataclasses.dataclass(frozen=True)
class Workload:
    """What a topology is given."""
    inputs: tuple  # (topic, stream) of each
    per_second: int  # records of each input for a second of --seconds
    keys: int

    def records(self, seconds):
        return int(self.per_second * seconds)

    def keys_of(self, records):
        return min(self.keys, records)


WORKLOADS = {
    "map-filter": Workload((("flat", "left"),), 250_000, 1_000_000),
    "count": Workload((("keyed", "left"),), 100_000, 1_000_000),
    "tumbling": Workload((("timed", "left"),), 60_000, 100_000),
    "join": Workload((("timed", "left"), ("other", "right")), 60_000, 100_000),
    # Stores in memory: Kafka Streams' has a map for each millisecond, and looks into all 4,000 of a join's window for each record. At 4,200
    # records a CPU-second the whole input would take ten minutes; with this one the window is full before the warm-up is over.
    "join in memory": Workload((("timed-few", "left"), ("other-few", "right")), 12_000, 100_000),
}


@dataclasses.dataclass(frozen=True)
class Phase:
    records: int
    seconds: float
    cpu: float
    user: float


class App:
    """A running application; lines that it prints are kept."""

    def __init__(self, command, group, log):
        self.group, self.log = group, log
        self.lines, self.news = [], threading.Condition()
        with open(log, "wb") as sink:
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sink, text=True)
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    @property
    def pid(self):
        return self.process.pid

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append((time.monotonic(), line.split()))
                self.news.notify_all()
        with self.news:
            self.news.notify_all()

    def tell(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def check(self):
        if self.process.poll() is not None:
            raise Wrong(f"{self.group} ended by itself: {self.log.read_text(errors='replace')[-300:]}")

    def wait_for(self, word, seconds, fits=lambda words: True):
        """When it printed such a line, and the line's words."""
        def found():
            return next(((at, words) for at, words in self.lines if words and words[0] == word and fits(words)), None)
        deadline = time.monotonic() + seconds
        with self.news:
            while not found():
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Wrong(f"{self.group} did not say {word}: {self.log.read_text(errors='replace')[-300:]}")
                self.news.wait(1)
            return found()

    def close(self):
        """Ends it in good order."""
        self.process.stdin.close()
        try:
            code = self.process.wait(90)
        except subprocess.TimeoutExpired:
            raise Wrong(f"{self.group} did not end") from None
        self.reader.join()
        if code != 0:
            raise Wrong(f"{self.group} ended with {code}: {self.log.read_text(errors='replace')[-300:]}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join()


class Round:
    """The broker of a round, its input, and what runs applications on it."""

    def __init__(self, folder, options, number):
        self.folder, self.options, self.number = pathlib.Path(folder), options, number
        self.seconds = options.seconds
        # Event time begins at the beginning of a window, not long ago: retention goes by it.
        self.base = int(time.time()) // 10 * 10_000 - 3_600_000
        self.filled, self.count = set(), 0
        self.node = (KafkaNode(self.folder / "node") if options.streams_broker == "kafka"
                     else LeatNode(self.folder / "node", options.build / "leat", settings={"leat.durability": "os"}))

    def __enter__(self):
        self.node.start()
        self.client = protocol.Client(self.node.address)
        if "kafka" in self.options.sides.split(","):
            self.jars, self.classes = engines.jars(), self.folder / "classes"
            subprocess.run(["javac", "-nowarn", "-cp", f"{self.jars}/*", "-d", str(self.classes), str(ROOT / "bench/java/StreamsLoad.java")], check=True)
        return self

    def __exit__(self, kind, *_):
        self.node.stop(kill=kind is not None)

    def fresh(self, name):
        self.count += 1
        return f"{name}-{self.number}-{self.count}"

    def create(self, name, configs=()):
        answer = self.client.call("CreateTopics", 5, timeout_ms=30000, topics=[{
            "name": name, "num_partitions": PARTITIONS, "replication_factor": 1,
            "configs": [{"name": n, "value": v} for n, v in configs]}])
        if answer["topics"][0]["error_code"]:
            raise Wrong(f"{name} not created: error {answer['topics'][0]['error_code']}")

    def topics(self):
        return [topic["name"] for topic in self.client.call("Metadata", 8, topics=None)["topics"]]

    def remove(self, *prefixes):
        for name in self.topics():
            if name.startswith(prefixes):
                self.client.call("DeleteTopics", 5, topic_names=[name], timeout_ms=30000)

    def data(self, mode, *words):
        """bench/streams_data, which is told the broker."""
        command = [str(word) for word in (self.options.build / "streams_data", mode, self.node.address, *words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Wrong(f"streams_data {mode}: {done.stderr.strip()[-300:] or done.returncode}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    def fill(self, topic, stream, records, keys):
        """Once a round: nobody writes there but this."""
        if topic not in self.filled:
            self.create(topic)
            self.data("fill", topic, stream, records, keys, self.base)
            self.filled.add(topic)

    def command(self, side, topology, group, settings):
        words = ["run", topology, self.node.address, group, *(f"{name}={value}" for name, value in settings.items())]
        if side == "leat":
            return [self.options.build / "streams_load", *words]
        return ["java", *JVM, "-cp", f"{self.classes}:{self.jars}/*", "StreamsLoad", *words]

    def start(self, side, topology, group, **settings):
        folder = self.folder / "state" / group
        settings = COMMON | {"state.dir": folder} | settings
        return App(self.command(side, topology, group, settings), group, self.folder / f"{group}.log")

    def clear(self, *prefixes):
        """Output, internal topics and state of applications that have ended."""
        self.remove(*prefixes)
        shutil.rmtree(self.folder / "state", ignore_errors=True)

    def committed(self, group, topics):
        answer = self.client.call("OffsetFetch", 5, group_id=group, topics=None)
        return sum(max(partition["committed_offset"], 0) for topic in answer["topics"] if topic["name"] in topics
                   for partition in topic["partitions"])

    def follow(self, app, topics, total, on_begin=lambda: None):
        """Until all is processed; figures from the end of the warm-up on."""
        begin, before, deadline = None, -1, 0.0
        while True:
            app.check()
            done = self.committed(app.group, topics)
            now = (done, time.monotonic(), machine.cpu_seconds(app.pid), machine.user_seconds(app.pid))
            if begin is None and done >= total * 2 // 5:
                begin = now
                on_begin()
            if done >= total:
                break
            if done > before:
                before, deadline = done, now[1] + STALLED_SECONDS
            if now[1] > deadline:
                raise Wrong(f"{app.group}: {done} of {total} records, and none more in {STALLED_SECONDS} s")
            time.sleep(0.03)
        phase = Phase(*(b - a for a, b in zip(begin, now)))
        if phase.records < total // 10 or phase.cpu <= 0:
            raise Wrong(f"{app.group}: over before it was measured")
        return phase


def run_through(place, side, topology, *, load=None, memory=False, on_begin=None, before_close=lambda app: None, **settings):
    """A topology over its whole input, its output checked."""
    load = load or WORKLOADS[topology]
    records = load.records(place.seconds)
    keys = load.keys_of(records)
    for topic, stream in load.inputs:
        place.fill(topic, stream, records, keys)
    group = place.fresh(f"{side}-{topology}")
    out = f"{group}-out"
    place.create(out)
    topics = {"bench.in": load.inputs[0][0], "bench.right": load.inputs[-1][0], "bench.out": out, "bench.memory": str(memory).lower()}
    app = place.start(side, topology, group, **topics, **settings)
    try:
        phase = place.follow(app, [topic for topic, _ in load.inputs], records * len(load.inputs),
                             (lambda: on_begin(app)) if on_begin else lambda: None)
        before_close(app)
        app.close()
        found = place.data("check", out, topology, records, keys, place.base)
        if found["wrong"] or not found["outputs"]:
            raise Wrong(f"{group}: {found['wrong']} of {found['expected']} results are wrong, in {found['outputs']} records")
        return phase
    finally:
        app.kill()
        place.clear(group)


def through_broker(topology):
    def cell(place, side):
        resident = []
        def once():
            return run_through(place, side, topology, **ONCE)
        def at_least():
            return run_through(place, side, topology, before_close=lambda app: resident.append(machine.resident_mib(app.pid)))
        # What is compared is close in time; which comes first changes.
        if place.number % 2 == 0:
            plain, exact = at_least(), once()
        else:
            exact, plain = once(), at_least()
        out = {"at least once: records/CPU-s": plain.records / plain.cpu, "exactly once: records/CPU-s": exact.records / exact.cpu,
               "at least once: records/s": plain.records / plain.seconds, "exactly once: records/s": exact.records / exact.seconds}
        out["cost of exactly once, %"] = 100 * (1 - out["exactly once: records/s"] / out["at least once: records/s"])
        if topology == "count":
            out["resident MiB"] = resident[0]
        return out
    return cell


ALONE, THROUGH = "records/CPU-s", "through the broker, in memory: records/CPU-s"
#: Two runs of the same differ by as much.
RUNS_DIFFER = 0.1
#: A profile that takes more of the processor time than this says little of a run without it.
PROFILE_COST_MAX = 0.25


def of_engine(alone, through, **more):
    """The figures of an engine: records a CPU-second without clients, and through the broker with the same stores, which cannot be more."""
    if alone < through * (1 - RUNS_DIFFER):
        raise Wrong(f"{alone:,.0f} records/CPU-s without clients, {through:,.0f} with them: it is not the engine that was measured")
    return {ALONE: alone, THROUGH: through} | more


def of_engine_by_share(through, profiled, in_java):
    """The same of an engine that never runs without its client. `in_java`: of the Java code, the part that is not the client's, from the profiled run."""
    cost = 1 - (profiled.records / profiled.cpu) / (through.records / through.cpu)
    if cost > PROFILE_COST_MAX:
        raise Wrong(f"the profile took {100 * cost:.0f} % of the processor time")
    # A profile of Java code does not see system calls. With stores in memory they are the client's, which sends and receives.
    share = in_java * through.user / through.cpu
    rate = through.records / through.cpu
    return of_engine(rate / share, rate, **{"share of the engine": share, "its share of the Java code": in_java,
                                            "with the profile: records/CPU-s": profiled.records / profiled.cpu})


def engine_alone(topology):
    """Stores in memory. Ours: the tasks of a thread over clients that are played. Kafka Streams' has no such seam: its rate through the broker over the
    engine's share of the processor time, which a second run with a profile tells."""
    load = WORKLOADS.get(f"{topology} in memory", WORKLOADS[topology])

    def alone(place, over):
        records = over.records(place.seconds)
        command = [place.options.build / "streams_load", "engine", topology, records, over.keys_of(records), *(f"{n}={v}" for n, v in COMMON.items())]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Wrong(f"streams_load engine: {done.stderr.strip()[-300:]}")
        got = json.loads(done.stdout)
        if got["wrong"] or not got["outputs"]:
            raise Wrong(f"{got['wrong']} of {got['expected']} results are wrong, in {got['outputs']} records")
        return got["records"] / got["cpu_s"]

    def leat(place):
        whole = WORKLOADS[topology]
        through = run_through(place, "leat", topology, memory=True)
        out = of_engine(alone(place, whole), through.records / through.cpu)
        if load is whole:
            return out
        # Through the broker the shorter input, which the other engine needs, is over before commits can be told apart.
        return {ALONE: alone(place, load)} | {f"the whole input, {name}": value for name, value in out.items()}

    def kafka(place):
        shares = []

        def before_close(app):
            app.tell("share")
            shares.append([float(word) for word in app.wait_for("share", 120)[1][1:]])
        through = run_through(place, "kafka", topology, load=load, memory=True)
        profiled = run_through(place, "kafka", topology, load=load, memory=True, on_begin=lambda app: app.tell("measure"), before_close=before_close,
                               **{"bench.profile": "true"})
        in_java, samples = shares[0]
        if samples < 50:
            raise Wrong(f"a profile of {samples:.0f} samples")
        return of_engine_by_share(through, profiled, in_java)

    return lambda place, side: leat(place) if side == "leat" else kafka(place)


def restore(place, side):
    """A changelog that is there and no state: how long from the program's start until it runs."""
    records = place.options.streams_store
    group, source = f"restored-{place.number}", f"restored-in-{place.number}"
    if source not in place.filled:
        place.create(source)
        place.filled.add(source)
    changelog = f"{group}-table-changelog"
    if changelog not in place.filled:
        place.create(changelog, [("cleanup.policy", "compact")])
        place.data("fill", changelog, "left", records, records, place.base)
        place.filled.add(changelog)
    begun = time.monotonic()
    app = place.start(side, "table", group, **{"bench.in": source})
    try:
        at, words = app.wait_for("RUNNING", 900, lambda words: int(words[1]) > 0)
        cpu, resident = machine.cpu_seconds(app.pid), machine.resident_mib(app.pid)
        if int(words[1]) != records:
            raise Wrong(f"{words[1]} records restored of {records}")
        app.close()
        return {"records/s": records / (at - begun), "seconds": at - begun, "CPU-s": cpu, "resident MiB": resident}
    finally:
        app.kill()
        place.clear()


def first_output(place, side):
    """No state, one record in its input: from the program's start until its output is consumed."""
    took = []
    for _ in range(3):
        group = place.fresh(f"{side}-first")
        source, out = f"{group}-in", f"{group}-out"
        place.fill(source, "left", 2, 2)
        place.create(out)
        with subprocess.Popen([str(place.options.build / "streams_data"), "first", place.node.address, out], stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True) as waiting:
            app, patience = None, threading.Timer(60, waiting.kill)
            patience.start()
            try:
                waiting.stdout.readline()
                begun = time.monotonic_ns()
                app = place.start(side, "map-filter", group, **{"bench.in": source, "bench.out": out} | AT_ONCE)
                line = waiting.stdout.readline()
                if not line:
                    raise Wrong("no output within 60 s")
                took.append((json.loads(line)["monotonic_ns"] - begun) / 1e9)
                app.close()
            finally:
                patience.cancel()
                waiting.kill()
                if app:
                    app.kill()
                place.clear(group)
    return {"seconds": statistics.median(took)}


def latency(rate):
    def cell(place, side):
        group = place.fresh(f"{side}-latency")
        source, out = f"{group}-in", f"{group}-out"
        place.create(source)
        place.create(out)
        app = place.start(side, "count", group, **{"bench.in": source, "bench.out": out} | AT_ONCE)
        try:
            app.wait_for("RUNNING", 60)
            warm = min(10, place.seconds)
            cpu = machine.cpu_seconds(app.pid)
            got = place.data("latency", source, out, 1_000_000, rate, warm, place.seconds)
            cpu = machine.cpu_seconds(app.pid) - cpu
            if got["received"] != got["sent"]:
                raise Wrong(f"{got['received']} results of {got['sent']} records")
            app.close()
            return {"p99 ms": got["p99_us"] / 1e3, "p50 ms": got["p50_us"] / 1e3, "CPU us/record": cpu / got["sent"] * 1e6}
        finally:
            app.kill()
            place.clear(group)
    return cell


#: name, cell
CELLS = [
    ("map and filter", through_broker("map-filter")),
    ("count over 1 M keys", through_broker("count")),
    ("tumbling count", through_broker("tumbling")),
    ("stream-stream join", through_broker("join")),
    ("engine alone: map and filter", engine_alone("map-filter")),
    ("engine alone: count over 1 M keys", engine_alone("count")),
    ("engine alone: tumbling count", engine_alone("tumbling")),
    ("engine alone: stream-stream join", engine_alone("join")),
    ("restore of a store, values of 100 bytes", restore),
    ("start to first output, empty", first_output),
    ("count on disk, 20,000 records/s", latency(20_000)),
]
TITLES = [title for title, _ in CELLS]


def run_round(folder, options, number, wanted, take):
    """`take` gets (side, title, figures or None, why none)."""
    with Round(folder, options, number) as place:
        for title, cell in wanted:
            for side in SIDES if number % 2 == 0 else reversed(SIDES):
                if side not in options.sides.split(","):
                    continue
                try:
                    take(side, title, cell(place, side), None)
                except (Wrong, RuntimeError, OSError, ValueError, subprocess.SubprocessError, protocol.Closed, kafka_node.Unavailable) as why:
                    take(side, title, None, str(why) or type(why).__name__)
