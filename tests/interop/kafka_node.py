# SPDX-License-Identifier: Apache-2.0
"""One Apache Kafka node for tests: jars by Maven, KRaft in one process, ports of the kernel's choice.

    kafka_node.py jars [--version V]               resolve the jars, print their folder
    kafka_node.py run DIR [--version V] [--set N=V]...   start, print the address, stay until SIGTERM or ^C
    kafka_node.py tool [--version V] CLASS [ARG]...      run one of Kafka's own classes

Jars go to $LEAT_KAFKA_HOME, else $XDG_CACHE_HOME/leat/kafka.
"""
import argparse
import base64
import itertools
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

VERSIONS = ("4.3.1", "3.9.1")
# Slf4j needs a binding of the generation that the release was built with.
BINDINGS = {"4": "org.apache.logging.log4j:log4j-slf4j-impl:2.25.3", "3": "org.slf4j:slf4j-reload4j:1.7.36"}


class Unavailable(Exception):
    """The jars cannot be had here; the caller names them and ends with exit code 3."""


def home():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("LEAT_KAFKA_HOME") or os.path.join(cache, "leat", "kafka"))


def pom_of(version):
    wanted = [f"org.apache.kafka:{name}:{version}" for name in ("kafka_2.13", "kafka-tools")] + [BINDINGS[version[0]]]
    rows = "".join("<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>".format(
        *row.split(":")) for row in wanted)
    return ("<project><modelVersion>4.0.0</modelVersion><groupId>leat</groupId><artifactId>peer</artifactId>"
            f"<version>1</version><packaging>pom</packaging><dependencies>{rows}</dependencies></project>")


def jars(version="4.3.1"):
    """The folder with all jars of that Kafka release; fetched on first use. Raises Unavailable."""
    lib = home() / version / "lib"
    if lib.is_dir():
        return lib
    if not shutil.which("mvn") or not shutil.which("java"):
        raise Unavailable("maven and a Java 17 runtime are needed (Debian: maven, openjdk-17-jre-headless)")
    lib.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=lib.parent) as work:
        pathlib.Path(work, "pom.xml").write_text(pom_of(version))
        done = subprocess.run(["mvn", "-B", "-q", "-f", f"{work}/pom.xml", "dependency:copy-dependencies",
                               "-DincludeScope=runtime", f"-DoutputDirectory={work}/lib"],
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise Unavailable(f"Apache Kafka {version}: " + done.stdout[-400:])
        os.rename(f"{work}/lib", lib)
    return lib


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def log_options(version, level, folder):
    """-D options that send Kafka's log to stderr at this level."""
    path = pathlib.Path(folder, f"log-{level}.properties")
    if version[0] == "3":
        text = (f"log4j.rootLogger={level},out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n"
                "log4j.appender.out.target=System.err\nlog4j.appender.out.layout=org.apache.log4j.PatternLayout\n"
                "log4j.appender.out.layout.ConversionPattern=%d %p %c %m%n\n")
        option = f"-Dlog4j.configuration=file:{path}"
    else:
        text = (f"rootLogger={level},out\nappender.out.type=Console\nappender.out.name=out\nappender.out.target=SYSTEM_ERR\n"
                "appender.out.layout.type=PatternLayout\nappender.out.layout.pattern=%d %p %c %m%n\n")
        option = f"-Dlog4j2.configurationFile={path}"
    path.write_text(text)
    return [option, "-Djava.awt.headless=true"]


def tool_command(name, version="4.3.1"):
    """argv that runs one of Kafka's own classes with warnings only."""
    lib = jars(version)
    return ["java", "-Xmx512m", *log_options(version, "WARN", lib.parent), "-cp", f"{lib}/*", name]


def run_tool(name, *arguments, version="4.3.1", **options):
    options = {"capture_output": True, "text": True, "timeout": 120} | options
    return subprocess.run([*tool_command(name, version), *arguments], **options)


class KafkaNode:
    """A node with its own folder; `start` returns when it serves. Not safe to share between threads."""

    def __init__(self, folder, version="4.3.1", settings=None, heap="1g", features=None, listeners=None, java_options=(), hosts=None,
                 classes=None):
        self.folder = pathlib.Path(folder).absolute()
        self.classes = classes  # a folder with classes that it loads, such as a reporter of metrics
        self.version = version
        self.settings = dict(settings or {})
        self.heap = heap
        self.features = dict(features or {})  # levels that the folder is formatted with, where they differ from the usual
        self.listeners = dict(listeners or {})  # more of them: name -> security protocol
        self.hosts = dict(hosts or {})  # of those that are not to be 127.0.0.1: Kerberos goes by names
        self.java_options = list(java_options)
        self.process = None
        self.address = None
        self.addresses = {}  # of those
        self.port = None

    def start(self, patience=300):
        self.folder.mkdir(parents=True, exist_ok=True)
        lib = jars(self.version)
        self.port = self.port or free_port()
        controller = self.controller = free_port()
        rows = {
            "process.roles": "broker,controller", "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}", "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
            "log.dirs": str(self.folder / "data"), "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1", "transaction.state.log.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
        } | self.more_listeners() | self.settings
        if self.version[0] == "4":
            rows.setdefault("share.coordinator.state.topic.replication.factor", "1")
            rows.setdefault("share.coordinator.state.topic.min.isr", "1")
        properties = self.folder / "node.properties"
        properties.write_text("".join(f"{name}={value}\n" for name, value in rows.items()))
        if not (self.folder / "data" / "meta.properties").exists():
            cluster = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
            features = [word for name, level in self.features.items() for word in ("--feature", f"{name}={level}")]
            done = run_tool("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", str(properties), *features,
                            version=self.version)
            if done.returncode != 0:
                raise RuntimeError("format failed: " + done.stderr[-500:])
        log = self.folder / "server.log"
        command = ["java", f"-Xms{self.heap}", f"-Xmx{self.heap}", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
                   "-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent",
                   *log_options(self.version, "INFO", self.folder), *self.java_options, "-cp", f"{self.classes}:{lib}/*" if self.classes else f"{lib}/*", "kafka.Kafka", str(properties)]
        if log.exists():  # What earlier starts said is kept.
            log.rename(next(path for n in itertools.count(1) if not (path := self.folder / f"server-{n}.log").exists()))
        with open(log, "wb") as sink:
            self.process = subprocess.Popen(command, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + patience
        while not re.search(r"Kafka Server started", log.read_text(errors="replace")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop(kill=True)
                raise RuntimeError(f"Kafka {self.version} did not start, see {log}")
            time.sleep(0.05)
        self.address = f"127.0.0.1:{self.port}"
        return self.address

    def more_listeners(self):
        if not self.listeners:
            return {}
        self.addresses = self.addresses or {name: f"{self.hosts.get(name, '127.0.0.1')}:{free_port()}" for name in self.listeners}
        at = {"PLAINTEXT": f"127.0.0.1:{self.port}"} | self.addresses
        protocols = {"PLAINTEXT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT"} | self.listeners
        named = ",".join(f"{name}://{address}" for name, address in at.items())
        return {"listeners": f"{named},CONTROLLER://127.0.0.1:{self.controller}", "advertised.listeners": named,
                "listener.security.protocol.map": ",".join(f"{name}:{what}" for name, what in protocols.items())}

    @property
    def pid(self):
        return self.process.pid

    @property
    def data(self):
        return self.folder / "data"

    def stop(self, kill=False):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
            self.process.wait(120)
        if self.process and self.process.stdout:
            self.process.stdout.close()
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()


class LeatNode:
    """The same interface over `leat serve`."""

    def __init__(self, folder, binary, settings=None, listeners=None, environment=None, hosts=None):
        self.folder = pathlib.Path(folder).absolute()
        self.binary = str(binary)
        self.environment = dict(environment or {})
        self.hosts = dict(hosts or {})
        self.settings = {"group.initial.rebalance.delay.ms": "0"} | dict(settings or {})
        self.listeners = dict(listeners or {})  # more of them: name -> security protocol
        self.process = None
        self.address = None
        self.addresses = {}
        self.port = 0
        self.version = "leat"

    def start(self, patience=60):
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [self.binary, "serve", "--data", str(self.data), "--http-listen", "127.0.0.1:0"]
        settings = self.settings
        if self.listeners:
            at = {"PLAINTEXT": f"127.0.0.1:{self.port}"} | {
                name: self.addresses.get(name, f"{self.hosts.get(name, '127.0.0.1')}:0") for name in self.listeners}
            settings = settings | {
                "listeners": ",".join(f"{name}://{address}" for name, address in at.items()),
                "listener.security.protocol.map": ",".join(f"{n}:{p}" for n, p in ({"PLAINTEXT": "PLAINTEXT"} | self.listeners).items())}
        else:
            command += ["--listen", f"127.0.0.1:{self.port}"]
        # In a file: there a name that Apache Kafka alone knows is no mistake.
        file = self.folder / "server.properties"
        escaped = {name: str(value).replace("\\", r"\\").replace("\n", r"\n") for name, value in settings.items()}
        file.write_text("".join(f"{name}={value}\n" for name, value in escaped.items()))
        command += ["--config", str(file)]
        with open(self.folder / "server.log", "ab") as sink:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=sink, stdin=subprocess.DEVNULL,
                                            env=os.environ | self.environment)
        os.set_blocking(self.process.stdout.fileno(), False)
        text, deadline = b"", time.monotonic() + patience
        while b"\n" not in text:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"leat serve did not start (exit {self.process.poll()}), see {self.folder}/server.log")
            text += self.process.stdout.read() or b""
            time.sleep(0.001)
        self.ready_line = text.decode()
        found = re.search(r"127\.0\.0\.1:(\d+)", self.ready_line)
        self.port = int(found.group(1))
        self.address = f"127.0.0.1:{self.port}"
        self.addresses = {name: at for name, at in re.findall(r" ([A-Z_]+) ([\w.]+:\d+)", self.ready_line) if name in self.listeners}
        self.addresses |= {name: f"{host}:{self.addresses[name].rsplit(':', 1)[1]}" for name, host in self.hosts.items()}
        return self.address

    pid = KafkaNode.pid
    data = KafkaNode.data
    __enter__ = KafkaNode.__enter__

    def stop(self, kill=False):
        """A crash before, or an end with an error, is told, unless it is to be killed: what a sanitizer found ends a program so."""
        process = self.process
        KafkaNode.stop(self, kill)
        if process and not kill and process.returncode != 0:
            raise RuntimeError(f"leat serve ended with {process.returncode}, see {self.folder}/server.log: {self.tail()}")

    def tail(self):
        return (self.folder / "server.log").read_text(errors="replace")[-2000:]

    def __exit__(self, kind, *_):
        self.stop(kill=kind is not None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("jars", "run", "tool"))
    parser.add_argument("--version", choices=VERSIONS, default="4.3.1")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        if options.verb == "jars":
            print(jars(options.version))
        elif options.verb == "tool":
            command = tool_command(options.rest[0], options.version) + options.rest[1:]
            os.execvp(command[0], command)
        else:
            stop = []
            for name in (signal.SIGTERM, signal.SIGINT):
                signal.signal(name, lambda *_: stop.append(1))
            with KafkaNode(options.rest[0], options.version, dict(row.split("=", 1) for row in options.set)) as node:
                print(node.address, node.pid, flush=True)
                while not stop and node.process.poll() is None:
                    time.sleep(0.1)
    except Unavailable as why:
        print(f"kafka_node: {why}", file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    main()
