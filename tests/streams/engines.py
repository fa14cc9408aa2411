# SPDX-License-Identifier: Apache-2.0
"""The two programs that run cases, and how their outcomes are compared."""
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
VERSION = "4.2.1"
JARS = HERE / "oracle" / "jars.sha256"
# How long a program may take for one answer, its start included.
ANSWER_SECONDS = 120
# After so many cases the JVM is started anew: the test driver keeps something of every topology it had.
JAVA_CASES = 2000
# The part of an outcome that tells a person more and is not compared.
NOT_COMPARED = {"detail"}
# What of a case the oracle looks at.
ASKED = ("ops", "nodes", "inputs", "optimize", "handlers", "cache", "in_memory", "widths")
# Headers of dead letters whose text is Java's own affair.
ERRORS = "__streams.errors."
WORDS = {ERRORS + name for name in ("exception", "message", "stacktrace")}
# Topics that generate.py has a pattern for.
PATTERN_TOPIC = re.compile("[pqr][0-9]")


class Unavailable(Exception):
    """Kafka Streams cannot be had here; the caller says so and ends with exit code 3."""


def jar_folder():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("LEAT_KAFKA_HOME") or os.path.join(cache, "leat", "kafka")) / f"streams-{VERSION}" / "lib"


def check_jars(folder):
    """Every jar is the one whose digest is committed, and there is no other."""
    wanted = dict(reversed(line.split("  ", 1)) for line in JARS.read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jar")}
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise Unavailable(f"{folder / name} is not the jar of {JARS.name}")


def jars():
    """The folder with Kafka Streams and its test driver; fetched on first use. Raises Unavailable."""
    folder = jar_folder()
    if not folder.is_dir():
        if not shutil.which("mvn") or not shutil.which("java"):
            raise Unavailable("maven and a Java 17 runtime are needed (Debian: maven, openjdk-17-jre-headless)")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            done = subprocess.run(["mvn", "-B", "-q", "-f", str(HERE / "oracle" / "pom.xml"), "dependency:copy-dependencies",
                                   "-DincludeScope=runtime", f"-DoutputDirectory={work}/lib"], capture_output=True, text=True)
            if done.returncode != 0:
                raise Unavailable(f"Kafka Streams {VERSION}: " + done.stdout[-400:])
            check_jars(pathlib.Path(work, "lib"))
            os.rename(f"{work}/lib", folder)
    check_jars(folder)
    return folder


def java_command():
    """How the oracle is started, without its arguments. Raises Unavailable."""
    return ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars()}/*", str(HERE / "oracle" / "Oracle.java")]


class Program:
    """One of the two programs; stays up from batch to batch, for a JVM is slow to start. Not safe to share between threads."""

    def __init__(self, command, cases_max=None):
        self.command = command
        self.answer_seconds = ANSWER_SECONDS
        self.cases_max = cases_max  # After so many a new process goes on.
        self.answered = 0
        self.process = None

    def outcomes(self, cases):
        """Outcomes of the cases, in their order; a case at which the program ends, or does not, gets {"crash": what it said}."""
        out, left = [], list(cases)
        while left:
            if self.cases_max and self.answered >= self.cases_max:
                self.close()
            if self.process is None:
                self.answered = 0
                self.said = tempfile.TemporaryFile()
                self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, text=True)
            now = left[:self.cases_max - self.answered] if self.cases_max else left
            rows = self.exchange(now)
            self.answered += len(rows)
            out += rows
            left = left[len(rows):]
            if len(rows) < len(now):
                out.append({"id": left[0]["id"], "crash": self.last_words()})
                left = left[1:]
        return out

    def last_words(self):
        """What the program said and how it ended, when it answers no more."""
        slow = self.is_too_slow
        self.end(5)
        self.said.seek(0)
        said = self.said.read().decode(errors="replace").strip()[-500:]
        return f"no answer within {self.answer_seconds} s: {said}" if slow else f"{said} (exit code {self.code})"

    def exchange(self, cases):
        def write():
            try:
                for case in cases:
                    self.process.stdin.write(json.dumps(case) + "\n")
                self.process.stdin.flush()
            except BrokenPipeError:
                pass  # what it said on its way out is read where the answers are
        self.is_too_slow = False
        writer = threading.Thread(target=write)
        writer.start()
        rows = []
        while len(rows) < len(cases):
            line = self.answer()
            if not line.endswith("\n"):
                self.process.kill()  # One that closed its output but stays would keep the writer.
                break
            rows.append(json.loads(line))
        writer.join()
        return rows

    def answer(self):
        """The next line; less than one when the program ends, or is ended because it takes too long."""
        def give_up():
            self.is_too_slow = True
            self.process.kill()
        timer = threading.Timer(self.answer_seconds, give_up)
        timer.start()
        try:
            return self.process.stdout.readline()
        finally:
            timer.cancel()

    def end(self, seconds):
        try:
            self.code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.code = self.process.wait()
        self.process = None

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.end(self.answer_seconds)


class Kept:
    """What Kafka Streams said to cases, in a file: it is not asked again about a case while the oracle stays as it is."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.oracle = hashlib.sha256((HERE / "oracle" / "Oracle.java").read_bytes() + JARS.read_bytes()).hexdigest()
        self.known = {}
        if self.path.exists():
            with self.path.open() as lines:
                self.known = {row[0]: row[1] for row in map(json.loads, lines)}

    def key(self, case):
        said = {name: value for name, value in case.items() if name in ASKED}
        return hashlib.sha256((self.oracle + json.dumps(said, sort_keys=True)).encode()).hexdigest()

    def find(self, case):
        return self.known.get(self.key(case))

    def add(self, case, outcome):
        key = self.key(case)
        self.known[key] = outcome
        if "crash" not in outcome:
            with self.path.open("a") as out:
                out.write(json.dumps([key, outcome]) + "\n")


def compared(cases, outcomes):
    """Outcomes without how many records were dropped where a processor's store may be older than a row: Kafka Streams counts such as dropped, Leat answers the
    processor that it does not keep them."""
    for case, outcome in zip(cases, outcomes):
        if any("keeps" in op for op in case["ops"]):
            outcome.pop("dropped", None)
    return outcomes


class Engines:
    """Both programs; the JVM is started at first use."""

    def __init__(self, binary, kept=None):
        self.leat = Program([str(binary)])
        self.java = None
        self.kept = Kept(kept) if kept else None

    def __enter__(self):
        self.state = tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        return self

    def __exit__(self, *_):
        self.leat.close()
        if self.java:
            self.java.close()
        self.state.cleanup()

    def run_leat(self, cases):
        return compared(cases, self.leat.outcomes(cases))

    def run_java(self, cases):
        if self.kept is None:
            return compared(cases, self.ask_java(cases))
        new = [case for case in cases if self.kept.find(case) is None]
        for case, outcome in zip(new, self.ask_java(new)):
            self.kept.add(case, outcome)
        return compared(cases, [dict(self.kept.find(case), id=case["id"]) for case in cases])

    def ask_java(self, cases):
        if self.java is None and cases:
            self.java = Program([*java_command(), self.state.name], JAVA_CASES)
        return self.java.outcomes(cases) if cases else []


def differences(java, leat):
    """Lines that say where two outcomes differ; none when they are equal."""
    if "crash" in leat:
        return ["crash: " + leat["crash"]]
    if "unsupported" in leat:
        return ["unsupported: " + leat["unsupported"]]
    out = store_differences(java.get("stores", {}), leat.get("stores", {}))
    for field in sorted((java.keys() | leat.keys()) - NOT_COMPARED - {"out", "stores"}):
        if comparable(java.get(field)) != comparable(leat.get(field)):
            out.append(f"{field}:\n  java: {shown(java.get(field))}\n  leat: {shown(leat.get(field))}")
    mine, theirs = leat.get("out", {}), java.get("out", {})
    for name in sorted(mine.keys() | theirs.keys()):
        a, b = [[without_words(row) for row in side.get(name, [])] for side in (theirs, mine)]
        if a != b:
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            out.append(f"out {name}: {len(a)} and {len(b)} rows, first difference in row {at}\n"
                       f"  java: {json.dumps(a[at:at + 4])}\n  leat: {json.dumps(b[at:at + 4])}")
    return out


def encoded(given):
    """The bytes of a key or a value of a case's input, as outcomes show bytes."""
    if given is None:
        return None
    if isinstance(given, dict):
        return given["bytes"]
    return "i" + given.to_bytes(8, "big", signed=True).decode("latin-1") if isinstance(given, int) else "s" + given.encode().decode("latin-1")


def sources(case, outcome, topic):
    """(step, key, value) of all records of a topic: of the input, or of a topic between parts of the application."""
    given = [(step, encoded(row[1]), encoded(row[2])) for step, row in enumerate(case["inputs"]) if not isinstance(row, dict) and row[0] == topic]
    return given + [tuple(row[:3]) for name in (topic, f"app-{topic}") for row in outcome["out"].get(name, [])]


def is_let_go(case, outcome, theirs, mine):
    """Whether a letter has lost its key and value in Kafka Streams because its record was written somewhere before, and Leat's are that record's."""
    dead = case["handlers"]["dead"]
    if theirs[1] is not None or theirs[2] is not None or mine[1] is None and mine[2] is None:
        return False
    written = any(row[0] == mine[0] for topic, rows in outcome["out"].items() if topic != dead and not topic.endswith("-changelog") for row in rows)
    topic = next((value for name, value in (mine[4] if len(mine) > 4 else []) if name == f"{ERRORS}topic"), None)
    return written and any(step <= mine[0] and [key, value] == mine[1:3] for step, key, value in sources(case, outcome, topic))


def with_letters_let_go(case, java, leat):
    """Leat's outcome in which dead letters have no key and value that have lost theirs in Kafka Streams, for their record was written somewhere before."""
    dead = case.get("handlers", {}).get("dead")
    if dead is None or len(java.get("out", {}).get(dead, [])) != len(leat.get("out", {}).get(dead, [])):
        return leat
    pairs = list(zip(java["out"].get(dead, []), leat["out"].get(dead, [])))
    if not any(is_let_go(case, leat, theirs, mine) for theirs, mine in pairs):
        return leat
    letters = [[mine[0], None, None, *mine[3:]] if is_let_go(case, leat, theirs, mine) else mine for theirs, mine in pairs]
    return leat | {"out": leat["out"] | {dead: letters}}


def store_differences(java, leat):
    """Rows are compared as a set that counts: the order in which a store lists them is its own."""
    out = []
    for name in sorted(java.keys() | leat.keys()):
        if name in java and java[name] is None:
            continue  # Kafka Streams cannot list windows of no length.
        a, b = sorted(java.get(name, ["none"]), key=json.dumps), sorted(leat.get(name, ["none"]), key=json.dumps)
        if a != b:
            at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
            out.append(f"store {name}: {len(a)} and {len(b)} rows\n  java: {json.dumps(a[at:at + 4])}\n  leat: {json.dumps(b[at:at + 4])}")
    return out


def without_words(row):
    """A dead letter's headers with what an exception is called and says left out; which headers there are stays."""
    if len(row) < 5:
        return row
    # Kafka's driver counts the records of all topics of a pattern together.
    unknown = WORDS | {f"{ERRORS}offset"} if any(name == f"{ERRORS}topic" and PATTERN_TOPIC.fullmatch(value) for name, value in row[4]) else WORDS
    return row[:4] + [[[name, "*" if name in unknown else value] for name, value in row[4]]] + row[5:]


def comparable(value):
    # The class of a lambda that names topics is Java's own affair.
    return re.sub(r"extractor class: [^)]*", "extractor class: *", value) if isinstance(value, str) else value


def shown(value):
    return value if isinstance(value, str) else json.dumps(value)
