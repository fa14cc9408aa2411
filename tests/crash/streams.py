# SPDX-License-Identifier: Apache-2.0
"""A stream application through crashes: kill -9 of its instances at random and at each step of commit, restore and rebalance, and of the
broker, on Leat and on Apache Kafka, at least and exactly once. What comes out is what comes out without them.

A setting is BROKER/INSTANCESxPARTITIONS/GUARANTEE, such as leat/3x12/exactly-once. A cycle strikes in one of these ways:
  random       kill -9 of an instance at a random moment
  wiped        so, and its state on disk is removed
  everyone     so of all instances
  broker       kill -9 of the broker at a random moment
  both         broker and an instance
  step         an instance is killed at a random moment; it is started again, and ends itself at a step (src/streams/failpoints.h)
  broker step  so too, but at the step it stops; the broker is killed, then it goes on
  zombie       at a step of a commit it stops for longer than its session, others take over, then it goes on (exactly once: at least once
               has nothing to hold against it)
Before some starts the state on disk is removed. A kill counts when results came of new input since the last strike and input was left; one
at a step, and one of the broker there, when the step was struck. Input keeps coming, at the pace at which it is processed. Every other
start has little memory. Time goes on once more at the end, so that what nothing met in the joins is told.
"""
import collections
import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import asked
import load
import streams_foreign
import streams_history
import streams_joins
import streams_windows

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
import protocol  # noqa: E402
from kafka_node import KafkaNode, LeatNode, Unavailable, jars  # noqa: E402

Setting = collections.namedtuple("Setting", "broker instances partitions exactly_once")
SETTINGS = [Setting(*row) for row in itertools.product(("leat", "kafka"), (3, 2, 1), (12, 4, 1), (True, False))]
KEYS = 200
#: Results of new input, on each topic, that come between two strikes.
RESULTS_MIN = 40
BACKLOG_MAX = 1200
INPUTS = ("in", "names", "also")
TOPICS = (*INPUTS, "joined", "totals", "kept", "windows", "met", "either", "sessions", "closed", "referred")
BROKER_SETTINGS = {"group.min.session.timeout.ms": "1000", "offsets.topic.num.partitions": "4", "transaction.state.log.num.partitions": "4",
                   "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500", "log.retention.ms": "-1",
                   "log.retention.check.interval.ms": "86400000", "auto.create.topics.enable": "false"}
APPLICATION = ["heartbeat.interval.ms=250", "commit.interval.ms=100", "max.poll.interval.ms=30000",
               "probing.rebalance.interval.ms=1000", "acceptable.recovery.lag=100", "repartition.purge.interval.ms=500",
               "statestore.cache.max.bytes=1000000"]
#: Of every other start: rows of the joins leave memory for the disk before they are too old for anybody.
LITTLE_MEMORY = ["leat.state.memory.max.bytes=1048576"]
ZOMBIE_STEPS = ("commit.begun", "commit.flushed", "commit.offsets_sent")
#: An instance that has all tasks is told to give some up when another one comes.
GIVES_UP = ("revoke.committed", "revoke.closed", "revoke.released")
BROKER_WAYS = ("broker", "both", "broker step")
WIPES = 0.25
#: Findings by which no mutant is found: an instance that cannot go on loses nothing, and inputs are the broker's.
PROVES_NOTHING = (*load.PROVES_NOTHING, "ended", "unstruck", "unfinished", "input lost", "input twice")
#: So those too of a run that did not come to the end of its input: what is not done yet is not there.
OF_THE_END = ("missing", "last", "wrong", "alone", "left")
APPLICATION_ID = "proof"
#: Without a result, when all input is committed.
REST_SECONDS = 10
NUMBERS = itertools.count()


def partition_of(key, partitions):
    """Where an application of Streams looks for the row of a key: murmur2, as Kafka's Java client."""
    mix, mask, data = 0x5BD1E995, 0xFFFFFFFF, key.encode()
    out = 0x9747B28C ^ len(data)
    for at in range(0, len(data) // 4 * 4, 4):
        word = int.from_bytes(data[at:at + 4], "little") * mix & mask
        out = out * mix & mask ^ (word ^ word >> 24) * mix & mask
    if rest := data[len(data) // 4 * 4:]:
        out = (out ^ int.from_bytes(rest, "little")) * mix & mask
    out = (out ^ out >> 13) * mix & mask
    return ((out ^ out >> 15) & 0x7FFFFFFF) % partitions


def caught(findings):
    """Whether a mutant was found."""
    return load.caught(findings, proves_nothing=PROVES_NOTHING + OF_THE_END * ("unfinished" in findings))


def name_of(setting):
    guarantee = "exactly-once" if setting.exactly_once else "at-least-once"
    return f"{setting.broker}/{setting.instances}x{setting.partitions}/{guarantee}"


def is_hardest(setting):
    return setting.instances == 3 and setting.partitions == 12


def steps_of(options, setting):
    """Those that can come in this setting."""
    done = subprocess.run([str(options.streams_worker), "steps"], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise load.Broken(f"{options.streams_worker}: {done.stderr.strip()}")
    # Below a megabyte of rows there is no file; GatheredRows.AKillBetweenFileAndOffsetOnlyReadsAgain kills a process there.
    never = {"restore.file_taken", "commit.delivered" if setting.exactly_once else "commit.offsets_sent"}
    if setting.instances == 1:
        never.update(GIVES_UP)
    return [step for step in done.stdout.split() if step not in never]


class Instance:
    """One process of the application, from its start to its end. `point`: where it is to end, or to stop."""

    def __init__(self, run, index, point=None):
        self.index, self.point = index, point
        incarnation = next(run.incarnations)
        base = f"instance-{index}-{incarnation}"
        self.log, self.out = run.folder / f"{base}.log", run.folder / f"{base}.out"
        environment = {**os.environ, **run.environment, **({"LEAT_FAULT_STREAMS": point} if point else {})}
        with open(self.log, "wb") as log, open(self.out, "wb") as out:
            self.process = subprocess.Popen(
                [str(run.options.streams_worker), run.node.address, f"state.dir={run.state_of(index)}", *run.settings,
                 *LITTLE_MEMORY * (incarnation % 2)], stdin=subprocess.DEVNULL, stdout=out, stderr=log, env=environment)

    def is_alive(self):
        return self.process.poll() is None

    def is_running(self):
        return self.out.read_text().split()[-1:] == ["RUNNING"]

    def said(self):
        return self.log.read_text(errors="replace")

    def has_struck(self):
        return self.point is not None and "fault-streams: struck " in self.said()

    def send(self, number):
        if self.is_alive():
            self.process.send_signal(number)

    def kill(self):
        self.send(signal.SIGKILL)
        self.process.wait()

    def stop(self, seconds=40):
        """What was wrong with its end, or None."""
        self.send(signal.SIGTERM)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return f"{self.log}: did not close within {seconds} s"
        return None if code == 0 else f"{self.log}: closed with {code}: {self.said()[-300:].strip()}"


class Follower:
    """Reads a topic of results along, and knows the highest number of each key."""

    def __init__(self, run, topic):
        self.highest, self.total = {}, 0
        self.errors = open(run.folder / f"follow-{topic}.err", "ab")
        self.process = subprocess.Popen(run.consume_command(topic, "%k\\t%v\\n"), stdout=subprocess.PIPE, stderr=self.errors,
                                        stdin=subprocess.DEVNULL, text=True)
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def follow(self):
        for line in self.process.stdout:
            key, _, value = line.rstrip("\n").partition("\t")
            number = int(value.split(" ")[0])
            before = self.highest.get(key, 0)
            if number > before:
                self.highest[key] = number
                self.total += number - before

    def end(self):
        self.process.kill()
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()
        self.errors.close()


class Feeder:
    """Writes inputs as long as not too many wait, and now and then a new version of rows of the table."""

    def __init__(self, run, seed):
        self.run, self.rng = run, random.Random(seed)
        self.fed, self.number, self.versions, self.also = 0, collections.Counter(), collections.Counter(), collections.Counter()
        self.begin_ms = int(time.time() * 1000)
        self.trouble, self.stopping = None, threading.Event()
        self.keys = [f"k{i}" for i in range(KEYS)]
        self.partition = {key: partition_of(key, run.setting.partitions) for key in self.keys}
        run.produce("names", [self.version(key) for key in self.keys])
        self.processes = {}
        for topic in INPUTS:
            with open(run.folder / f"feed-{topic}.err", "ab") as log:
                self.processes[topic] = subprocess.Popen(run.produce_command(topic), stdin=subprocess.PIPE, stdout=log, stderr=log, text=True)
        self.thread = threading.Thread(target=self.feed, daemon=True)
        self.thread.start()

    def record(self, key, value):
        return self.line(key, value, self.partition[key], 0)

    def line(self, key, value, partition, later_ms):
        return json.dumps({"key": key, "value": str(value), "partition": partition, "timestamp": self.begin_ms + 5 * self.fed + later_ms}) + "\n"

    def version(self, key):
        self.versions[key] += 1
        return self.record(key, self.versions[key])

    def input(self):
        key = self.rng.choice(self.keys)
        self.number[key] += 1
        self.fed += 1
        return self.record(key, self.number[key])

    def inputs(self):
        """For each topic; those of `also` are half as many, so that nothing meets some."""
        lines = {"in": [], "also": []}
        for i in range(20):
            lines["in"].append(self.input())
            if i % 2:
                key = self.rng.choice(self.keys)
                self.also[key] += 1
                lines["also"].append(self.record(key, self.also[key]))
        return lines

    def let_time_go_on(self, number):
        """By records of `also` that nothing meets. Only when it has stopped."""
        keys = [streams_joins.end_key(partition) for partition in range(self.run.setting.partitions)]
        self.run.produce("also", [self.line(key, number, partition, number * (streams_joins.GRACE_MS + 10000))
                                  for partition, key in enumerate(keys)])
        self.also.update(keys)

    def feed(self):
        try:
            for turn in itertools.count():
                if self.stopping.wait(0.05):
                    return
                if self.run.backlog() < BACKLOG_MAX:
                    for topic, lines in self.inputs().items():
                        self.write(topic, lines)
                if turn % 20 == 0:
                    self.write("names", [self.version(key) for key in self.rng.sample(self.keys, 5)])
        except OSError as why:
            self.trouble = why

    def write(self, topic, lines):
        self.processes[topic].stdin.write("".join(lines))
        self.processes[topic].stdin.flush()

    def stop(self):
        """All of it is acknowledged, or the run is broken."""
        self.stopping.set()
        self.thread.join()
        for topic, process in self.processes.items():
            try:
                process.stdin.close()
            except OSError as why:
                self.trouble = self.trouble or why
            if process.wait(timeout=90) != 0 or self.trouble:
                raise load.Broken(f"feeding {topic} ended with {process.returncode}, {self.trouble}, see {self.run.folder}/feed-{topic}.err")

    def end(self):
        self.stopping.set()
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.thread.join()  # It may have waited for one of them.


class Run:
    """A broker, an application in some instances, and what strikes them."""

    def __init__(self, options, setting, environment=None):
        self.options, self.setting, self.environment = options, setting, environment or {}
        self.folder = options.folder / f"s{next(NUMBERS)}"
        self.folder.mkdir()
        self.node = (LeatNode(self.folder / "broker", options.leat, BROKER_SETTINGS) if setting.broker == "leat" else
                     KafkaNode(self.folder / "broker", options.kafka, BROKER_SETTINGS, heap="512m"))
        # A transaction outlives a session, so that one who was stopped for longer than that finds it open.
        self.session_ms, self.transaction_ms = options.session, 2 * options.session + 4000
        self.settings = [*APPLICATION, f"session.timeout.ms={self.session_ms}", f"num.stream.threads={2 if setting.partitions == 12 else 1}",
                         f"num.standby.replicas={1 if setting.instances == 3 else 0}"]
        if setting.exactly_once:
            self.settings += ["processing.guarantee=exactly_once_v2", f"producer.transaction.timeout.ms={self.transaction_ms}"]
        self.patience = (60 if setting.broker == "leat" else 90) + 10 * options.session / 1000
        self.incarnations = itertools.count()
        self.instances, self.extra = {}, None
        self.feeder, self.followers = None, {}
        self.kills, self.struck, self.missed = collections.Counter(), collections.Counter(), collections.Counter()
        self.findings = collections.defaultdict(list)

    # Commands.

    def state_of(self, index):
        return self.folder / f"state-{index}"

    def consume_command(self, topic, form, *more):
        isolation = "read_committed" if self.setting.exactly_once else "read_uncommitted"
        return [str(self.options.leat), "consume", topic, "--bootstrap", self.node.address, "--from", "beginning", "--isolation", isolation,
                "--format", form, *more]

    def produce_command(self, topic):
        return [str(self.options.leat), "produce", topic, "--bootstrap", self.node.address, "--json", "--idempotent", "--timeout", "300"]

    def produce(self, topic, lines):
        done = subprocess.run(self.produce_command(topic), input="".join(lines), text=True, capture_output=True, timeout=60)
        if done.returncode != 0:
            raise load.Broken(f"{topic} cannot be written: {done.stderr[-300:]}")

    def dump(self, topic):
        done = subprocess.run(self.consume_command(topic, "%p\\t%o\\t%T\\t%k\\t%v\\n", "--until-end"), capture_output=True, text=True, timeout=180,
                              stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise load.Broken(f"{topic} cannot be read: {done.stderr[-300:].strip()}")
        return streams_history.rows_of(done.stdout.splitlines())

    def create_topics(self):
        for topic in TOPICS:
            done = subprocess.run([str(self.options.leat), "topic", "create", topic, "--partitions", str(self.setting.partitions), "--bootstrap",
                                   self.node.address], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
            if done.returncode != 0:
                raise load.Broken(f"topic {topic}: {done.stderr.strip()}")
        load.wait_for("all topics known", lambda: all(map(self.is_known, TOPICS)), 60)  # Kafka answers before its broker knows of one.

    def is_known(self, topic):
        command = [str(self.options.leat), "topic", "describe", topic, "--bootstrap", self.node.address]
        return subprocess.run(command, capture_output=True, timeout=60, stdin=subprocess.DEVNULL).returncode == 0

    # Up and down.

    def begin(self):
        self.restart_broker()
        self.create_topics()
        self.feeder = Feeder(self, self.options.seed)
        for topic in ("joined", "totals"):
            self.followers[topic] = Follower(self, topic)
        for index in range(self.setting.instances):
            self.start(index)
        self.wait_for_results()

    def start(self, index, point=None):
        self.instances[index] = Instance(self, index, point)

    def start_again(self, index, rng, point=None, wipe=False):
        if wipe or rng.random() < WIPES:
            shutil.rmtree(self.state_of(index), ignore_errors=True)
        self.start(index, point)

    def backlog(self):
        seen = min((follower.total for follower in self.followers.values()), default=0)
        return self.feeder.fed - seen if self.feeder else 0

    def tend(self):
        """An instance that gave up is a finding; whoever runs it would start it again."""
        if self.feeder and self.feeder.trouble:
            raise load.Broken(f"feeding: {self.feeder.trouble}")
        for topic, follower in self.followers.items():
            if follower.process.poll() is not None:
                raise load.Broken(f"following {topic} ended with {follower.process.returncode}, see {self.folder}/follow-{topic}.err")
        for index, instance in list(self.instances.items()):
            if not instance.is_alive() and not instance.has_struck():
                self.findings["ended"].append(f"{instance.log}: {instance.process.returncode}: {instance.said()[-300:].strip()}")
                self.start(index)
        if self.node.process.poll() is not None:
            raise load.Broken(f"the broker ended with {self.node.process.returncode}, see {self.folder}/broker")

    def until(self, what, condition, seconds, error=load.Broken):
        def check():
            self.tend()
            return condition() or time.sleep(0.02)
        load.wait_for(what, check, seconds, error)

    def wait_for_results(self):
        targets = {topic: follower.total + RESULTS_MIN for topic, follower in self.followers.items()}
        self.until("results of new input", lambda: all(self.followers[topic].total >= total for topic, total in targets.items()), self.patience,
                   load.Stuck)

    def recover(self, rng):
        """Every other time until all is well again; else the next strike may come before."""
        self.wait_for_results()
        if rng.random() < 0.5:
            self.until("all instances at work", lambda: self.backlog() < BACKLOG_MAX // 2 and
                       all(instance.is_running() for instance in self.instances.values()), self.patience, load.Stuck)

    def restart_broker(self):
        try:
            self.node.start(patience=60 if self.setting.broker == "leat" else 300)
        except RuntimeError as why:
            raise load.Broken(str(why)) from why

    # The ways of a cycle.

    def count(self, way, is_met=True):
        self.kills[way] += is_met
        return is_met

    def random_moment(self, rng):
        """Whether a kill counts now: there is input left."""
        time.sleep(rng.uniform(0, 0.3))
        return self.backlog() > 0

    def strike(self, way, step, rng):
        victim = rng.randrange(self.setting.instances)
        if way in ("step", "broker step"):
            return self.strike_step(victim, step, rng, stops=way == "broker step")
        if way == "zombie":
            return self.strike_zombie(victim, rng)
        is_met = self.random_moment(rng)
        victims = {"broker": [], "everyone": list(self.instances)}.get(way, [victim])
        if way in ("broker", "both"):
            self.tend()  # It may not have ended by itself.
            self.node.stop(kill=True)
            self.count("broker", is_met)
        for index in victims:
            self.instances[index].kill()
        self.kills["random"] += is_met * len(victims)
        if way in ("broker", "both"):
            self.restart_broker()
        for index in victims:
            self.start_again(index, rng, wipe=way == "wiped")
        return None

    def arm(self, victim, point, rng, alone, wipe=False):
        """Kills it at a random moment and starts it with the point; `alone`: the others leave before."""
        self.count("random", self.random_moment(rng))
        self.instances[victim].kill()
        if alone:
            for index in self.others(victim):
                self.close(self.instances[index])
                del self.instances[index]
        self.start_again(victim, rng, point, wipe)
        return self.instances[victim]

    def others(self, victim):
        return [index for index in self.instances if index != victim]

    def close(self, instance):
        if wrong := instance.stop():
            self.findings["ended"].append(wrong)

    def come_back(self, rng):
        for index in range(self.setting.instances):
            if index not in self.instances:
                self.start_again(index, rng)

    def wait_for_strike(self, instance):
        try:
            self.until("the step", instance.has_struck, 11 + 2 * self.session_ms / 1000)
        except load.Broken:
            if self.node.process.poll() is not None or instance.process.poll() not in (None, -signal.SIGKILL):
                raise
            return False
        return True

    def strike_step(self, victim, step, rng, stops):
        few = self.setting.partitions * 2 < self.setting.instances * 2  # Perhaps it has no task.
        alone = self.setting.instances > 1 and (step in GIVES_UP or step == "rebalance.planned" or few)
        nth = rng.randint(1, 6) if step.startswith("commit.") else rng.randint(1, 3) if self.setting.partitions > 1 and step.startswith("restore.") else 1
        instance = self.arm(victim, f"{'stop' if stops else 'kill'}:{step}:{nth}", rng, alone, wipe=step == "restore.batch")
        if step in GIVES_UP:
            self.until("the only instance runs", lambda: instance.is_running() or instance.has_struck(), self.patience, load.Stuck)
            if not instance.has_struck():
                self.wait_for_results()
            self.come_back(rng)
        has_struck = self.wait_for_strike(instance)
        if not has_struck:
            self.missed[step] += 1
            instance.kill()
        elif stops:
            self.node.stop(kill=True)
            instance.send(signal.SIGCONT)
            self.restart_broker()
        else:
            instance.process.wait()
        if has_struck:
            self.struck[step] += 1
            self.count("broker" if stops else "step")
        if not (has_struck and stops):
            self.start_again(victim, rng)
        else:
            instance.point = None  # It goes on, and is to live.
        self.come_back(rng)

    def strike_zombie(self, victim, rng):
        few = self.setting.partitions * 2 < self.setting.instances * 2
        step = rng.choice(ZOMBIE_STEPS)
        zombie = self.arm(victim, f"stop:{step}:{rng.randint(2, 6)}", rng, few and self.setting.instances > 1)
        if not self.wait_for_strike(zombie):
            self.missed[step] += 1
            zombie.kill()
            self.start_again(victim, rng)
            return self.come_back(rng)
        self.come_back(rng)
        if self.setting.instances == 1:
            self.instances[1] = Instance(self, 1)
        # Until others have its tasks; sometimes until its transaction is over too.
        is_late = rng.random() < 0.25 and not self.environment
        time.sleep((self.transaction_ms if is_late else self.session_ms) / 1000 + 2.5)
        zombie.send(signal.SIGCONT)
        zombie.point = None
        self.kills["zombie"] += 1
        self.struck[step] += 1
        self.wait_for_results()
        if self.setting.instances == 1:
            self.close(self.instances.pop(1))

    # The end.

    def judge(self, why=None):
        if why:
            self.findings[load.rule_of(why)].append(str(why))
        inputs = []
        if self.feeder is None:
            return 0, dict(self.findings)
        try:
            if self.node.process is None or self.node.process.poll() is not None:
                self.restart_broker()
            self.feeder.stop()
            inputs = self.dump("in")
            for instance in self.instances.values():
                instance.send(signal.SIGCONT)
            # Of a mutant too nothing is missing that is only late: all is waited for, until the application is at rest.
            is_to_fail = why is not None or bool(self.environment)
            self.wait_for_end(inputs, self.patience, ends_at_rest=is_to_fail)
            self.close_windows(REST_SECONDS if why else self.patience)
            self.settle_references(inputs, REST_SECONDS if is_to_fail else self.patience)
            for instance in self.instances.values():
                self.close(instance)
            if left := self.input_left(inputs):
                self.findings["unfinished"] += left
            judge = streams_history.Judge(inputs, self.setting.exactly_once)
            totals = {topic: (self.dump(topic), self.dump(f"proof-{topic}-changelog")) for topic in ("totals", "kept")}
            found = judge.judge(self.dump("joined"), self.dump("windows"), **totals)
            also, names = self.dump("also"), self.dump("names")
            fed = {"in": (inputs, self.feeder.number), "also": (also, self.feeder.also), "names": (names, self.feeder.versions)}
            joins = streams_joins.Judge(inputs, also, self.setting.exactly_once).judge(self.dump("met"), self.dump("either"))
            windows = streams_windows.Judge(inputs, also, self.setting.exactly_once).judge(self.dump("sessions"), self.dump("closed"))
            for rule, what in (*found.items(), *joins.items(), *windows.items(), *self.judge_references(inputs).items(),
                               *streams_history.judge_fed(**fed).items()):
                self.findings[rule] += what
        except (load.Broken, subprocess.TimeoutExpired) as more:
            self.findings["broken"].append(str(more))
        return len(inputs), dict(self.findings)

    def wait_for_end(self, inputs, seconds, ends_at_rest):
        """What is missing then is judged. `ends_at_rest`: also when all input is committed and no result has come for a while."""
        numbers = streams_history.Expected(inputs).numbers
        before, since = None, 0

        def is_at_rest():
            nonlocal before, since
            now = [follower.total for follower in self.followers.values()]
            if now != before:
                before, since = now, time.monotonic()
            return time.monotonic() > since + REST_SECONDS and (not self.input_left(inputs) or time.sleep(0.5))

        def all_there():
            joined, totals = (self.followers[topic].highest for topic in ("joined", "totals"))
            return (all(joined.get(key) == all_of[-1] and totals.get("t" + key) == all_of[-1] for key, all_of in numbers.items())
                    or (ends_at_rest and is_at_rest()))
        try:
            self.until("all results", all_there, seconds)
        except load.Broken:
            pass

    def input_left(self, inputs):
        """Partitions of `in` whose end the application has not committed."""
        ends = {row.partition: row.offset + 1 for row in sorted(inputs, key=lambda row: row.offset)}
        try:
            with protocol.Client(self.node.address) as client:
                committed = {partition: asked.committed(client, APPLICATION_ID, "in", partition) for partition in ends}
        except (OSError, protocol.Closed) as why:
            raise load.Broken(f"what {APPLICATION_ID} has committed cannot be asked for: {why!r}") from why
        return [f"in-{partition}: {committed[partition]} of {end}" for partition, end in ends.items() if committed[partition] != (0, end)]

    def close_windows(self, seconds):
        """What nothing met is told when time has gone on, and that is looked at once a second; so until what let time go on first is told too."""
        firsts = {(streams_joins.end_key(partition), "0 1") for partition in range(self.setting.partitions)}
        give_up = time.monotonic() + seconds
        for number in itertools.count(1):
            self.tend()
            self.feeder.let_time_go_on(number)
            time.sleep(1.5)
            if firsts <= {(row.key, row.value) for row in self.dump("either")} or time.monotonic() > give_up:
                return

    def judge_references(self, inputs):
        return streams_foreign.Judge(inputs, self.dump("names"), self.setting.exactly_once).judge(self.dump("referred"))

    def settle_references(self, inputs, seconds):
        """A number is sent to the row it refers to and comes back, with a commit on each way."""
        give_up = time.monotonic() + seconds
        while self.judge_references(inputs).keys() & {"missing", "last"} and time.monotonic() < give_up:
            self.tend()
            time.sleep(0.5)

    def end(self):
        for instance in self.instances.values():
            instance.kill()
        for part in (self.feeder, *self.followers.values()):
            if part:
                part.end()
        self.node.stop(kill=True)


def loses_markers(options, setting):
    """Whether a transaction may stay open for ever when the broker is killed: Kafka 4 takes a partition whose leader is not up yet for a deleted
    one, and notes a transaction as complete without its marker there (KAFKA-20734; 3.9 waits for the leader)."""
    return setting.broker == "kafka" and setting.exactly_once and not options.kafka.startswith("3.")


def deck(steps, setting, rng, ways=None, spares_broker=False):
    """Ways with their steps: all that there are, in an order of chance. `spares_broker`: it is not killed."""
    cards = [("step", step) for step in steps] + [("broker step", step) for step in rng.sample(steps, len(steps) // 4)]
    cards += [("random", None)] * 3 + [(way, None) for way in ("wiped", "broker", "both", "everyone")] * 2
    if setting.exactly_once:
        cards += [("zombie", None)] * 3
    if spares_broker:
        cards = [card for card in cards if card[0] not in BROKER_WAYS]
    if ways:
        cards = [card for card in cards if card[0] in ways or card[1] in ways]
    rng.shuffle(cards)
    return cards


def cycles(options, setting, kills, ways=None, environment=None):
    """Strikes until so many kills count. Returns (kills by way, number of inputs, findings, what else there is to say)."""
    rng = random.Random(f"{options.seed} {name_of(setting)}")
    steps = steps_of(options, setting)
    run = Run(options, setting, environment)
    progress = options.progress(f"streams {name_of(setting)}", kills)
    try:
        try:
            run.begin()
            cards, tried = [], 0
            while sum(run.kills.values()) < kills:
                if tried > 3 * kills + 10:
                    raise load.Broken(f"{sum(run.kills.values())} kills of {tried} cycles count")
                cards = cards or deck(steps, setting, rng, ways, loses_markers(options, setting))
                way, step = cards.pop()
                run.last = way, step
                run.strike(way, step, rng)
                run.recover(rng)
                tried += 1
                progress.at(sum(run.kills.values()), f" kills, {run.feeder.fed} inputs")
        except (load.Broken, subprocess.TimeoutExpired) as why:
            inputs, findings = run.judge(type(why)(f"{getattr(run, 'last', 'at first')}: {why}") if isinstance(why, load.Broken) else why)
        else:
            inputs, findings = run.judge()
        if kills >= 100 and not ways and (never := [step for step in steps if not run.struck[step]]):
            findings["unstruck"] = never
        note = f"{len([step for step in steps if run.struck[step]])} of {len(steps)} steps"
        if loses_markers(options, setting):
            note += "; no kill of the broker: KAFKA-20734"
        if run.missed:
            note += f"; {sum(run.missed.values())} times a step did not come"
        return run.kills, inputs, findings, note
    finally:
        run.end()
        if not run.findings and "LEAT_KEEP" not in os.environ:
            shutil.rmtree(run.folder)


def settings(options):
    """Those that were asked for, the hardest first, with the kills of each."""
    chosen = [setting for setting in SETTINGS if options.kafka != "no" or setting.broker != "kafka"]
    chosen.sort(key=lambda setting: not is_hardest(setting))
    return [(setting, options.kills if is_hardest(setting) else max(options.kills // 10, 1)) for setting in chosen]


#: Fault of the application -> (setting, ways); each must be found.
COMMITS = ("commit.begun", "commit.flushed", "commit.delivered", "commit.offsets_sent", "commit.done", "commit.task_kept")
MUTANTS = {
    "streams.offsets_before_data": [(Setting("leat", 2, 4, once), COMMITS) for once in (True, False)],
    "streams.commit_before_flush": [(Setting("leat", 2, 4, once), COMMITS) for once in (True, False)],
    "streams.restore_skipped": [(Setting("leat", 2, 4, once), (*COMMITS, "random", "wiped")) for once in (True, False)],
    "streams.no_fencing": [(Setting("leat", 2, 4, True), ("zombie",))],
    "streams.newest_forgotten": [(Setting("leat", 2, 4, once), ("random", "everyone")) for once in (True, False)],
}


def mutants(options, kills):
    """Yields (name, kills by way, inputs, findings) of each."""
    for fault, rows in MUTANTS.items():
        for setting, ways in rows:
            name = f"{fault}, {name_of(setting)}"
            if not options.only_pattern.search(name):
                continue
            by_way, inputs, findings, _ = cycles(options, setting, kills, ways, {"LEAT_FAULTS": fault})
            yield name, by_way, inputs, findings


def kafka_is_there(options):
    try:
        jars(options.kafka)
    except Unavailable:
        return False
    return True
