# SPDX-License-Identifier: Apache-2.0
"""Foreign Kafka clients on Leat and on Apache Kafka: the same programs, and their transcripts must agree.

Each broker starts in a fresh folder on a free port. Each client program tries its features on each broker; a feature passes when it
goes as it should on both and both transcripts are the same after what normalise.py lists. Exit codes: 0 all the same, 1 differences,
2 bad usage or nothing to ask, 3 a client could not be had (it is named).
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(ROOT / "bench")]

import files  # noqa: E402
import mutant  # noqa: E402
import report  # noqa: E402
import security  # noqa: E402
import kdc  # noqa: E402  (beside tests/system: security knows the way)
import transactional  # noqa: E402
from clients import CLIENTS, Broken  # noqa: E402
from kafka_node import KafkaNode, LeatNode, Unavailable  # noqa: E402

# Auto-created topics get several partitions, so that kcat's groups have something to share.
# The sample's times are years old: with the usual retention it would be deleted while the clients run.
SETTINGS = {"num.partitions": "4", "log.retention.ms": "-1"}
# With this feature a new Apache Kafka writes min.insync.replicas down as a dynamic default of the whole cluster. It is about replicas
# that fell behind, which one node has not.
FEATURES = {"eligible.leader.replicas.version": "0"}


def say(text):
    print(f"interop: {text}", file=sys.stderr, flush=True)


def make_node(broker, folder, options, secrets=None):
    kind = "kafka" if options.calibrate else broker
    if secrets:
        return security.make_node(kind, folder / f"secure-{broker}", options.leat, secrets)
    if kind == "kafka":
        return KafkaNode(folder / broker, settings=SETTINGS, features=FEATURES)
    return LeatNode(folder / "leat", options.leat, settings=SETTINGS)


class Node:
    """A broker that is started anew when a client brought it down, so that one defect does not hide all that follow."""

    def __init__(self, broker, node):
        self.broker, self.node = broker, node
        self.node.start()
        self.deaths = []
        self.environment = {}

    def secure(self, folder, secrets):
        """For a node of security.py: makes its users, and writes down the ways in."""
        security.add_users(self.node.address)
        path = folder / f"ways.{self.broker}.json"
        secrets.write(path, self.node.addresses)
        self.environment = secrets.realm.environment | {"LEAT_SECURITY": str(path), "JAVA_TOOL_OPTIONS": " ".join(secrets.java_options())}

    def address(self, client):
        if self.node.process.poll() is not None:
            self.deaths.append(f"{self.broker} died (exit {self.node.process.returncode}) before or in {client}")
            say(self.deaths[-1])
            self.node.start()
        return self.node.address

    def stop(self):
        died = self.node.process.poll()
        try:
            self.node.stop()
        except RuntimeError as why:  # An end with an error is told, and the other broker is stopped too.
            self.deaths.append(f"{self.broker}: {why}")
        else:
            self.deaths += [f"{self.broker} died (exit {died})"] if died is not None else []


def run_client(client, command, address, log, options, more=None):
    """Results by feature; a feature without a line did not run, which is a failure too."""
    environment = os.environ | {"LEAT_INTEROP": str(HERE)} | client.environment | (more or {})
    results = {}
    features = wanted_features(client, options, bool(more))
    with open(log, "wb") as sink:
        process = subprocess.Popen([*command, address, client.name, *features], stdout=subprocess.PIPE, stderr=sink,
                                   stdin=subprocess.DEVNULL, env=environment, start_new_session=True)
        timer = threading.Timer(options.patience, lambda: os.killpg(process.pid, 9))
        timer.start()
        for line in process.stdout:
            try:
                row = json.loads(line)
                results[row["feature"]] = row
            except (ValueError, KeyError, TypeError):
                sink.write(b"not a result: " + line)
        code = process.wait()
        timer.cancel()
    for name in features:
        results.setdefault(name, {"feature": name, "ok": False, "facts": [], "seconds": 0,
                                  "error": f"no result: the program ended with {code}, see {log}"})
    log.with_suffix(".json").write_text(json.dumps(results, indent=1))
    return results


def wanted_features(client, options, secure=False):
    """Those of the secured brokers, or the others."""
    return [name for name in client.features
            if (not options.feature or name in options.feature) and (name in security.FEATURES) == secure]


def try_client(client, nodes, folder, options):
    """(client, {broker: results}), or (client, None) when it cannot be had."""
    try:
        command = client.prepare()
    except Unavailable as why:
        say(f"{client.name} cannot be had: {why}")
        return None, str(why)
    except Broken as why:
        say(f"{client.name}: {why}")
        row = {"ok": False, "facts": [], "error": str(why), "seconds": 0}
        names = [name for secure in (False, True) for name in wanted_features(client, options, secure)]
        return {broker: {name: row | {"feature": name} for name in names} for broker in nodes}, None
    found, threads = {}, []
    for broker, node in nodes.items():
        address = node.address(client.name)
        log = folder / f"{client.name}.{'secure.' if node.environment else ''}{broker}.log"
        if "read_committed" in wanted_features(client, options, bool(node.environment)):
            transactional.write(address, f"{client.name}-committed")

        def work(broker=broker, node=node, address=address, log=log):
            found[broker] = run_client(client, command, address, log, options, node.environment)

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        if not options.together:
            threads[-1].join()
    for thread in threads:
        thread.join()
    return {broker: found[broker] for broker in nodes}, None


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leat", default=str(ROOT / "build/release/bin/leat"), metavar="PATH", help="the program under test")
    parser.add_argument("--broker", choices=("leat", "kafka", "both"), default="both")
    parser.add_argument("--only", action="append", default=[], metavar="CLIENT", help="this client only (may be repeated)")
    parser.add_argument("--feature", action="append", default=[], help="this feature only (may be repeated)")
    parser.add_argument("--short", action="store_true", help="a few clients, for each change")
    parser.add_argument("--files", action="store_true", help="only the proof on files")
    parser.add_argument("--calibrate", action="store_true", help="compare Apache Kafka with itself: what differs is a defect of a program here")
    parser.add_argument("--mutant", action="store_true", help="falsify answers on the way: the comparison must fail")
    parser.add_argument("--report", metavar="FILE", help="write the grid and what differed as Markdown")
    parser.add_argument("--keep", metavar="DIR", help="put folders and logs here and leave them there")
    parser.add_argument("--apart", dest="together", action="store_false", help="one broker after the other for each client")
    parser.add_argument("--patience", type=int, default=600, metavar="SECONDS", help="for one client on one broker")
    parser.add_argument("--list", action="store_true", help="name clients and features")
    options = parser.parse_args()
    unknown = set(options.only) - {client.name for client in CLIENTS}
    if unknown:
        parser.error(f"no client {', '.join(sorted(unknown))}; there are {', '.join(c.name for c in CLIENTS)}")
    misspelt = set(options.feature) - {feature for client in CLIENTS for feature in client.features}
    if misspelt:
        parser.error(f"no feature {', '.join(sorted(misspelt))}; --list names them")
    if options.keep and os.path.isdir(options.keep) and os.listdir(options.keep):
        parser.error(f"{options.keep} is not empty: brokers start in fresh folders")
    if options.broker != "kafka" and not options.list and not options.calibrate and not os.access(options.leat, os.X_OK):
        parser.error(f"no program {options.leat}: build it (make build) or name it with --leat")
    return options


def chosen(options):
    return [client for client in CLIENTS
            if (not options.only or client.name in options.only) and (not options.short or client.short)]


def compare_clients(outcome, folder, options, secrets=None):
    """With `secrets`, the features of the secured brokers, which are others."""
    brokers = ("kafka", "leat") if options.broker == "both" else (options.broker,)
    clients = [client for client in chosen(options) if wanted_features(client, options, secrets is not None)]
    nodes = {}
    try:
        for broker in brokers if clients else ():
            nodes[broker] = Node(broker, make_node(broker, folder, options, secrets))
            if secrets:
                nodes[broker].secure(folder, secrets)
        for client in clients:
            started = time.monotonic()
            found, why = try_client(client, nodes, folder, options)
            if found is None:
                outcome.missing(client, why)
                continue
            outcome.add(client, found, wanted_features(client, options, secrets is not None))
            say(f"{outcome.line(client)}  {time.monotonic() - started:.0f} s")
    finally:
        for node in nodes.values():
            node.stop()
            outcome.deaths += node.deaths


def main():
    options = parse()
    if options.list:
        for client in CLIENTS:
            print(f"{client.name:17} {client.title}\n    {' '.join(client.features)}")
        return 0
    if options.mutant:
        return mutant.run(options, run_client, say)
    folder = pathlib.Path(options.keep).absolute() if options.keep else pathlib.Path(tempfile.mkdtemp(prefix="leat-interop-"))
    folder.mkdir(parents=True, exist_ok=True)
    outcome = report.Outcome(options)
    try:
        if not options.files:
            compare_clients(outcome, folder, options)
            if any(wanted_features(client, options, True) for client in chosen(options)):
                with kdc.Kdc(folder / "realm") as realm:
                    compare_clients(outcome, folder, options, security.Secrets(folder / "secrets", realm))
        if options.broker != "kafka" and not options.only and not options.feature:
            files.prove(outcome, folder / "files", options, say)
            if not options.files:
                outcome.checks += mutant.prove(options, run_client, folder / "mutant")
    except Unavailable as why:
        outcome.cannot(f"Apache Kafka: {why}")
    outcome.print()
    if options.report:
        outcome.write(options.report)
    code = outcome.code()
    if code == 0 and not options.keep:
        shutil.rmtree(folder)
    else:
        say(f"logs of clients and brokers are in {folder}")
    return code


if __name__ == "__main__":
    sys.exit(main())
