# SPDX-License-Identifier: Apache-2.0
"""The clients: which there are, which features each has, and how its program is got ready. Installs are cached."""
import dataclasses
import hashlib
import os
import pathlib
import shutil
import subprocess
from collections.abc import Callable

from kafka_node import Unavailable, jars

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE / "clients"
CODECS = tuple(f"codec_{name}" for name in ("none", "gzip", "snappy", "lz4", "zstd"))
SECURE = ("tls", "mtls", "sasl_plain", "sasl_scram_256", "sasl_scram_512", "sasl_oauthbearer", "sasl_oidc", "sasl_gssapi", "reauthentication")  # security.py
FEATURES = ("create_topics", "produce", "consume", *CODECS, "idempotence", "offsets_by_time", "group", "cooperative",
            "static_membership", "commit_resume", "describe_configs", "alter_configs", "create_partitions", "delete_records",
            "delete_topic", "groups_admin", "cluster_tools", "transactions", "transactional_offsets", "read_committed", *SECURE)
TRANSACTIONAL = ("transactions", "transactional_offsets")  # Those that make transactions.


# Of clients that know groups of the consumer protocol (KIP-848).
CONSUMER_PROTOCOL = ("consumer_protocol", "consumer_protocol_static", "consumer_protocol_pattern", "consumer_protocol_transactions", "migration")


def without(*names):
    """All features but these and cluster_tools, which only the command line tools have."""
    return tuple(name for name in FEATURES if name not in names and name != "cluster_tools")


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("LEAT_INTEROP_CACHE") or os.path.join(base, "leat-interop"))


@dataclasses.dataclass(frozen=True)
class Client:
    name: str
    title: str
    features: tuple
    prepare: Callable  # gives argv; raises Unavailable or Broken
    short: bool = False
    environment: dict = dataclasses.field(default_factory=dict)


class Broken(Exception):
    """A program of ours does not build: a failure, not a client that cannot be had."""


def _check(command, what, error=Unavailable, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise error(f"{what}: {(done.stderr.strip() or done.stdout.strip())[-2000:]}")


def _need(command, package):
    found = shutil.which(command)
    if not found:
        raise Unavailable(f"the command {command} is missing (Debian: {package})")
    return found


def _once(name, inputs, make):
    """The folder cache()/name-HASH, made by make(folder) when it is not there yet; the hash is over the input files' content."""
    digest = hashlib.sha256()
    for path in sorted(inputs):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    final = cache() / f"{name}-{digest.hexdigest()[:12]}"
    if not final.is_dir():
        work = final.with_name(f"{final.name}.{os.getpid()}")
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        try:
            make(work)
            os.rename(work, final)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return final


def kcat():
    _need("kcat", "kcat")
    return ["python3", "-B", str(SOURCES / "kcat" / "program.py")]


def librdkafka():
    sources = sorted((SOURCES / "librdkafka").glob("*.cc"))
    headers = sorted((SOURCES / "librdkafka").glob("*.h"))
    compiler = shutil.which("clang++-19") or _need("c++", "clang-19")
    if not pathlib.Path("/usr/include/librdkafka/rdkafka.h").exists():
        raise Unavailable("librdkafka is missing (Debian: librdkafka-dev)")

    def make(folder):
        _check([compiler, "-std=c++20", "-O1", "-Wall", "-Wextra", *sources, "-o", folder / "program", "-lrdkafka"],
               "librdkafka program", Broken)

    return [str(_once("librdkafka", sources + headers, make) / "program")]


def _venv(folder_name, requirements):
    _need("python3", "python3-venv")
    path = SOURCES / folder_name / requirements

    def make(folder):
        # A virtual environment remembers where it is, so packages go to a plain folder instead.
        _check(["python3", "-m", "venv", folder / "tool"], "python3-venv")
        _check([folder / "tool" / "bin" / "python", "-m", "pip", "install", "-q", "--only-binary", ":all:", "--target",
                folder / "site", "-r", path], f"pip install -r {requirements}")
        shutil.rmtree(folder / "tool")

    return _once(f"{folder_name}-{path.stem}", [path], make) / "site"


def _python(folder_name, requirements):
    def prepare():
        site = _venv(folder_name, requirements)
        return ["env", f"PYTHONPATH={site}", "python3", "-B", str(SOURCES / folder_name / "program.py")]
    return prepare


def _java(version):
    def prepare():
        _need("javac", "openjdk-17-jdk-headless")
        lib = jars(version)
        sources = sorted((SOURCES / "java").glob("*.java"))

        def make(folder):
            _check(["javac", "-nowarn", "-cp", f"{lib}/*", "-d", folder, *sources], f"javac against kafka-clients {version}",
                   Broken)

        classes = _once(f"java-{version}", sources, make)
        return ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{SOURCES / 'java'}:{lib}/*", "Program"]
    return prepare


def _java_tools(version):
    def prepare():
        lib = jars(version)
        source = SOURCES / "java_tools" / "Tools.java"

        def make(folder):
            _check(["javac", "-nowarn", "-cp", f"{lib}/*", "-d", folder, source], f"javac of the tools {version}", Broken)

        classes = _once(f"tools-{version}", [source], make)
        return ["env", f"LEAT_TOOLS_VERSION={version}", f"LEAT_TOOLS_CLASSES={classes}", "python3", "-B", str(SOURCES / "java_tools" / "program.py")]
    return prepare


def java_classes(source, version="4.3.1"):
    """The folder with the classes of one source of ours, compiled against that release."""
    _need("javac", "openjdk-17-jdk-headless")
    lib = jars(version)
    make = lambda folder: _check(["javac", "-nowarn", "-cp", f"{lib}/*", "-d", folder, source], f"javac of {source.name}", Broken)
    return _once(f"{source.stem.lower()}-{version}", [source], make)


def receiver(version="4.3.1"):
    """Has the class Receiver, which an Apache Kafka needs that clients are to push metrics to (metric.reporters)."""
    return java_classes(SOURCES / "java_receiver" / "Receiver.java", version)


def java_pusher(version="4.3.1"):
    """argv of a client that pushes metrics; the address and a prefix of client ids follow."""
    classes = java_classes(SOURCES / "java_metrics" / "Pusher.java", version)
    return ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{SOURCES / 'java'}:{jars(version)}/*", "Pusher"]


def confluent_pusher():
    """So too."""
    site = _venv("confluent_python", "requirements.txt")
    return ["env", f"PYTHONPATH={site}", "python3", "-B", str(SOURCES / "confluent_python" / "pusher.py")]


def go_command():
    """Go in Debian 12 is too old for today's clients; tools/setup puts a newer one beside the caches."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go", os.path.join(base, "leat", "go", "bin", "go")):
        if candidate and os.access(candidate, os.X_OK):
            version = subprocess.run([candidate, "env", "GOVERSION"], capture_output=True, text=True).stdout.strip()
            if tuple(int(part) for part in version.removeprefix("go").split(".")[:2] if part.isdigit()) >= (1, 26):
                return candidate
    raise Unavailable("Go 1.26 or newer is missing (tools/setup interop)")


def _go(name):
    def prepare():
        go = go_command()
        folder = SOURCES / "go"
        inputs = [path for path in folder.rglob("*") if path.suffix in (".go", ".mod", ".sum")]
        environment = os.environ | {"GOFLAGS": "-mod=readonly -trimpath", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}

        def make(out):
            _check([go, "mod", "download"], "go mod download", cwd=folder, env=environment)
            _check([go, "build", "-o", f"{out}/", "./..."], "go build", Broken, cwd=folder, env=environment)

        return [str(_once("go", inputs, make) / name)]
    return prepare


def kafkajs():
    _need("node", "nodejs")
    _need("npm", "npm")
    folder = SOURCES / "kafkajs"
    pinned = [folder / "package.json", folder / "package-lock.json"]

    def make(out):
        for path in pinned:
            shutil.copy(path, out)
        _check(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], "npm ci", cwd=out)

    modules = _once("kafkajs", pinned, make) / "node_modules"
    return ["env", f"NODE_PATH={modules}", "node", str(folder / "program.js")]


# Debian's librdkafka cannot log in to Apache Kafka by SCRAM (its nonce is wrong until 2.6.1), and kcat has no callback for tokens.
OLD_SCRAM = ("sasl_scram_256", "sasl_scram_512")
# librdkafka and Java get their tokens themselves; the others call the program for one, which is sasl_oauthbearer.
NO_OIDC = ("sasl_oidc",)
NO_REAUTHENTICATION = ("reauthentication",)
NO_KERBEROS = ("sasl_gssapi",)  # Neither kafkajs nor kafka-go has it, and the wheel's librdkafka is built without.
WITH_TOOLS = tuple(name for name in FEATURES if name not in (*TRANSACTIONAL, *NO_REAUTHENTICATION))  # They do not run that long.
NO_ADMIN = ("describe_configs", "alter_configs", "create_partitions", "delete_records", "delete_topic", "groups_admin")

CLIENTS = (
    Client("kcat", "kcat 1.7.1", without(*NO_ADMIN, "transactional_offsets", *OLD_SCRAM, "sasl_oauthbearer", *NO_OIDC, *NO_REAUTHENTICATION), kcat, short=True),
    Client("librdkafka", "librdkafka 2.0.2 (Debian)", without(*OLD_SCRAM, *NO_OIDC, *NO_REAUTHENTICATION), librdkafka, short=True),
    Client("confluent-python", "confluent-kafka 2.16.1 (librdkafka 2.16.0)", without(*NO_KERBEROS) + CONSUMER_PROTOCOL, _python("confluent_python", "requirements.txt"),
           short=True),
    Client("kafka-python", "kafka-python 3.0.12", without(*NO_OIDC), _python("kafka_python", "requirements.txt")),
    Client("kafka-python-2", "kafka-python 2.0.2", without("idempotence", "cooperative", "static_membership", "delete_records", *TRANSACTIONAL, "read_committed",
                                                        *NO_OIDC, *NO_REAUTHENTICATION),
           _python("kafka_python", "requirements-2.txt")),
    Client("java-4", "Java kafka-clients 4.3.1", without() + CONSUMER_PROTOCOL, _java("4.3.1"), short=True),
    Client("java-3", "Java kafka-clients 3.9.1", without(), _java("3.9.1")),
    Client("tools-4", "command line tools 4.3.1", WITH_TOOLS, _java_tools("4.3.1")),
    Client("tools-3", "command line tools 3.9.1", WITH_TOOLS, _java_tools("3.9.1")),
    Client("franz-go", "Go franz-go", without(*NO_OIDC) + ("consumer_protocol",), _go("franz")),
    Client("sarama", "Go sarama", without(*NO_OIDC), _go("sarama")),
    Client("kafka-go", "Go segmentio kafka-go", without("idempotence", "cooperative", "static_membership", "delete_records", *TRANSACTIONAL, *NO_OIDC, *NO_REAUTHENTICATION,
                                                      *NO_KERBEROS), _go("segmentio")),
    Client("kafkajs", "Node kafkajs 2.2.4", without("cooperative", "static_membership", *NO_OIDC, *NO_KERBEROS), kafkajs),
)
