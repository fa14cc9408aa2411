#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two instances answer over HTTP for each other; what they say is counted here as well.

usage: stream_endpoint_test.py LEAT STREAM_ENDPOINT_APP [--kafka VERSION] [TEST...]

The broker is `leat serve`, or a real Apache Kafka.
"""
import base64
import collections
import http.client
import json
import pathlib
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import stream_cluster
from stream_cluster import ClusterTest

PATIENCE_SECONDS = 90
WORDS = [f"word-{i % 40}" for i in range(2000)]
COUNTS = collections.Counter(WORDS)
PASSWORD = {"Authorization": "Basic " + base64.b64encode(b"reader:a secret").decode()}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def certificate(place):
    """A file with a key and its certificate, which signs itself, and one with the certificate alone."""
    key, own, both = place / "own.key", place / "own.pem", place / "store.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=instance",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", own], check=True, capture_output=True)
    both.write_text(key.read_text() + own.read_text())
    both.chmod(0o600)
    return both, own


class Instance:
    def __init__(self, test, name, *settings):
        self.test = test
        self.address = f"127.0.0.1:{free_port()}"
        self.log = open(test.place / f"{test.id().split('.')[-1]}-{name}.log", "wb")
        self.process = subprocess.Popen(
            [ClusterTest.options.app, test.node.address, f"application.id={test.application}", f"state.dir={test.place}/{test.application}-{name}",
             f"application.server={self.address}", f"leat.endpoint.listen={self.address}", "commit.interval.ms=100",
             "session.timeout.ms=4000", "heartbeat.interval.ms=200", "probing.rebalance.interval.ms=1000", "metrics.recording.level=DEBUG", *settings],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self.log, text=True)

    def get(self, path, headers=None, **parameters):
        """Status and body; the body as JSON when it is some."""
        url = f"{'https' if self.test.tls else 'http'}://{self.address}{path}" + ("?" + urllib.parse.urlencode(parameters) if parameters else "")
        try:
            request = urllib.request.Request(url, headers=PASSWORD | (headers or {}))
            with urllib.request.urlopen(request, timeout=30, context=self.test.tls) as got:
                status, body, kind = got.status, got.read().decode(), got.headers["Content-Type"]
        except urllib.error.HTTPError as refused:
            status, body, kind = refused.code, refused.read().decode(), refused.headers["Content-Type"]
        return status, json.loads(body) if kind == "application/json" else body

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            return self.process.wait(60)
        self.process.stdin.close()
        return self.process.returncode


class Endpoint(ClusterTest):
    def setUp(self):
        self.tls = None
        self.application = f"lookup-{time.monotonic_ns()}"
        self.instances = []
        if "lines" not in self.topics():
            self.leat("topic", "create", "lines", "--partitions", "2")
            self.leat("produce", "lines", "--key-separator", "\t", stdin="".join(f"{i}\t{word}\n" for i, word in enumerate(WORDS)))

    def tearDown(self):
        for one in self.instances:
            if one.process.poll() is None:
                one.kill()
            one.process.stdin.close()
            one.log.close()

    def start(self, name, *settings):
        self.instances.append(Instance(self, name, *settings))
        return self.instances[-1]

    def until(self, what, explain=lambda: "it never came true"):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                if found := what():
                    return found
            except (urllib.error.URLError, ConnectionError):
                pass
            self.assertLess(time.monotonic(), deadline, explain())
            time.sleep(0.1)

    def owners(self, one):
        status, body = one.get("/stores")
        if status != 200:
            return {}
        counts = next(store for store in body["stores"] if store["store"] == "counts")
        return {row["partition"]: row["active"] for row in counts["partitions"]}

    def two(self, *settings):
        one, two = self.start("one", *settings), self.start("two", *settings)
        self.until(lambda: one.get("/readyz")[0] == 200 and two.get("/readyz")[0] == 200)
        self.until(lambda: all(sorted(self.owners(each).values(), key=str) == sorted([one.address, two.address]) for each in (one, two)),
                   lambda: f"{self.owners(one)} {self.owners(two)}")
        self.until(lambda: all(self.counted(each) == COUNTS for each in (one, two)), lambda: f"{self.counted(one)}")
        return one, two

    def counted(self, one):
        status, body = one.get("/stores/counts/range")
        return {row["key"]: row["value"] for part in body["partitions"] for row in part["rows"]
                if row["key"] in COUNTS} if status == 200 else None

    def samples(self, one):
        out = collections.defaultdict(dict)
        for line in one.get("/metrics")[1].splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                out[name.partition("{")[0].removeprefix("kafka_streams_")][name] = float(value)
        return out

    def test_a_question_at_the_wrong_instance_is_answered_through_the_owner(self):
        one, two = self.two("processing.guarantee=exactly_once_v2")
        answered_by = collections.defaultdict(set)
        for word, count in COUNTS.items():
            here, there = one.get("/stores/counts/key", key=word), two.get("/stores/counts/key", key=word)
            self.assertEqual((here[0], there[0]), (200, 200), f"{here} {there}")
            # The marker of a commit may come in between.
            self.assertLessEqual(*(int(each[1].pop("position").rpartition(":")[2]) for each in (here, there)))
            self.assertEqual(here, there)
            self.assertEqual((here[0], here[1]["key"], here[1]["value"]), (200, word, count))
            answered_by[here[1]["instance"]].add(word)
        self.assertEqual(set(answered_by), {one.address, two.address})
        elsewhere = next(iter(answered_by[two.address]))
        # The guard: what was passed on is not passed on again.
        status, body = one.get("/stores/counts/key", headers={"leat-forwarded": "1"}, key=elsewhere)
        self.assertEqual((status, body["code"]), (421, "NOT_HERE"))
        self.assertEqual(one.get("/stores/counts/key", key="nobody")[1]["code"], "KEY_NOT_FOUND")
        self.assertEqual(one.get("/stores/others/key", key="x")[1]["code"], "UNKNOWN_STORE")
        status, body = one.get("/stores/minutes/windows", key=elsewhere)
        self.assertEqual((status, sum(row["value"] for row in body["rows"])), (200, COUNTS[elsewhere]))
        status, body = two.get("/stores/minutes/windows")
        self.assertEqual(sum(row["value"] for part in body["partitions"] for row in part["rows"] if row["key"] in COUNTS), len(WORDS))

        two.kill()
        status, body = one.get("/stores/counts/key", key=elsewhere)
        self.assertEqual((status, body["code"]), (502, "OWNER_UNREACHABLE"), body)
        self.until(lambda: one.get("/stores/counts/key", key=elsewhere)[0] == 200, lambda: f"{one.get('/stores/counts/key', key=elsewhere)}")
        # What was not committed is counted again, by who has the task now.
        self.until(lambda: self.counted(one) == COUNTS, lambda: f"{self.counted(one)}")
        self.assertEqual(one.end(), 0)

    def test_copies_answer_who_takes_that_up_to_a_position(self):
        self.ask_copies("processing.guarantee=at_least_once")

    def test_copies_of_transactions_answer_too(self):
        self.ask_copies("processing.guarantee=exactly_once_v2")

    def ask_copies(self, guarantee):
        one, two = self.two("num.standby.replicas=1", guarantee)
        elsewhere = next(word for word in COUNTS if one.get("/stores/counts/key", key=word)[1]["instance"] == two.address)
        position = one.get("/stores/counts/key", key=elsewhere)[1]["position"]
        self.assertIn("by-word-repartition:", position)

        def from_copy():
            status, body = one.get("/stores/counts/key", key=elsewhere, stale="true", position=position)
            self.assertEqual((status, body.get("value")), (200, COUNTS[elsewhere]), body)
            return body["instance"] == one.address
        self.until(from_copy)
        topic, partition, offset = position.split(":")
        ahead = f"{topic}:{partition}:{int(offset) + 1_000_000}"
        status, body = one.get("/stores/counts/key", key=elsewhere, stale="true", position=ahead)
        self.assertEqual((status, body["code"]), (503, "NOT_UP_TO_BOUND"), body)
        self.assertEqual([each.end() for each in (one, two)], [0, 0])

    def test_health_and_metrics(self):
        one = self.start("one")
        self.until(lambda: one.get("/readyz") == (200, "RUNNING\n"))
        self.assertEqual(one.get("/healthz"), (200, "RUNNING\n"))
        self.until(lambda: self.counted(one) == COUNTS)

        def puts():
            # A task that is opened again counts from the start: something goes on.
            self.leat("produce", "lines", stdin="other\n")
            return sum(self.samples(one)["stream_state_metrics_put_rate"].values()) > 0
        self.until(puts)
        samples = self.samples(one)
        for name in ("stream_thread_metrics_process_ratio", "stream_thread_metrics_poll_ratio", "stream_thread_metrics_commit_ratio",
                     "stream_thread_metrics_punctuate_ratio", "stream_record_cache_metrics_hit_ratio_avg"):
            for value in samples[name].values():
                self.assertTrue(value != value or 0 <= value <= 1, f"{name} {value}")
        self.assertTrue(any("rocksdb_state_id=\"counts\"" in name for name in samples["stream_state_metrics_get_latency_avg"]))
        self.assertTrue(any("in_memory_window_state_id=\"minutes\"" in name for name in samples["stream_state_metrics_fetch_rate"]))
        self.assertGreater(sum(samples["stream_state_metrics_bytes_written_total"].values()), 0)
        self.assertGreater(max(samples["stream_state_metrics_block_cache_capacity"].values()), 0)
        self.assertEqual(one.end(), 0)

    def test_instances_ask_each_other_by_tls_and_with_the_password(self):
        keys, authority = certificate(self.place)
        settings = (f"leat.endpoint.ssl.keystore.location={keys}", f"leat.endpoint.ssl.truststore.location={authority}",
                    "leat.endpoint.user=reader", "leat.endpoint.password=a secret")
        self.tls = ssl.create_default_context(cafile=str(authority))
        one, two = self.two(*settings)
        answered_by = collections.Counter()
        for word, count in COUNTS.items():
            here = one.get("/stores/counts/key", key=word)
            self.assertEqual((here[0], here[1]["value"]), (200, count), here)
            answered_by[here[1]["instance"]] += 1
        self.assertEqual(set(answered_by), {one.address, two.address})
        self.assertEqual(one.get("/stores/counts/range", headers={"Authorization": "none"})[0], 401)
        self.assertEqual(one.get("/readyz", headers={"Authorization": "none"})[0], 200)
        with self.assertRaises(urllib.error.URLError):
            urllib.request.urlopen(f"https://{one.address}/readyz", timeout=10)  # It trusts the system's authorities.
        with self.assertRaises((urllib.error.URLError, ConnectionError, http.client.HTTPException)):
            urllib.request.urlopen(f"http://{one.address}/readyz", timeout=10)
        self.assertEqual([each.end() for each in (one, two)], [0, 0])

    def test_an_owner_that_is_not_trusted_is_not_asked(self):
        keys, authority = certificate(self.place)
        other = self.place / "other"
        other.mkdir()
        stranger, _ = certificate(other)
        self.tls = ssl.create_default_context(cafile=str(authority))
        self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        trust = f"leat.endpoint.ssl.truststore.location={authority}"
        one = self.start("one", f"leat.endpoint.ssl.keystore.location={keys}", trust)
        two = self.start("two", f"leat.endpoint.ssl.keystore.location={stranger}", trust)
        self.until(lambda: all(each.get("/readyz")[0] == 200 for each in (one, two)))
        self.until(lambda: sorted(self.owners(one).values(), key=str) == sorted([one.address, two.address]))

        def refused():
            seen = [one.get("/stores/counts/key", key=word) for word in COUNTS]
            return [body for status, body in seen if (status, body["code"] if status == 502 else "") == (502, "OWNER_UNREACHABLE")]
        found = self.until(refused)
        self.assertIn("certificate", found[0]["message"])
        # The other way the owner is trusted.
        self.until(lambda: all(two.get("/stores/counts/key", key=word)[0] == 200 for word in COUNTS))
        self.assertEqual([each.end() for each in (one, two)], [0, 0])

    def test_without_the_setting_nothing_listens(self):
        one = self.start("one", "leat.endpoint.listen=")
        with self.assertRaises(urllib.error.URLError):
            one.get("/healthz")
        one.end()
        refused = self.start("two", "leat.endpoint.listen=0.0.0.0:0")
        self.assertEqual(refused.process.wait(60), 1)
        self.assertIn("leat.endpoint.allow.network", pathlib.Path(refused.log.name).read_text())


if __name__ == "__main__":
    stream_cluster.run_tests(__doc__)
