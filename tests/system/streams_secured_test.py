#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An application counts, and after a kill -9 counts on from what its changelog has, by each way in that its clients know.

usage: streams_secured_test.py LEAT STREAMS_LIVE_APP [--kafka VERSION] [TEST...]

The broker is `leat serve`, or a real Apache Kafka. Java's and librdkafka's settings are taken in turn.
"""
import pathlib
import shutil
import sys
import tempfile
import time
import types

import streams_live_test as live
import stream_cluster
from stream_cluster import ClusterTest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
import security  # noqa: E402
from kafka_node import KafkaNode, LeatNode  # noqa: E402

# Not for applications: Kerberos, which our connections have on the command line alone, and tokens, which Debian's librdkafka does not have.
LISTENERS = {name: protocol for name, protocol in security.LISTENERS.items() if name != "KERBEROS"}

#: With it librdkafka reads and writes.
ONLY_LIBRDKAFKAS = "ssl.cipher.suites=DEFAULT"


class Secured(ClusterTest):
    # Not its tests.
    setUp, create, produce, rows, values, wait_for = (getattr(live.Live, name) for name in ("setUp", "create", "produce", "rows", "values", "wait_for"))

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="leat-streams-"))
        cls.secrets = security.Secrets(cls.place / "secrets")
        settings = cls.secrets.settings() | {"group.min.session.timeout.ms": "1000", "auto.create.topics.enable": "false"}
        if cls.options.kafka:
            cls.node = KafkaNode(cls.place / "kafka", cls.options.kafka, settings=settings, listeners=LISTENERS,
                                 java_options=cls.secrets.java_options())
        else:
            cls.node = LeatNode(cls.place / "leat", cls.options.leat, listeners=LISTENERS,
                                settings=settings | {"super.users": f"User:ANONYMOUS;User:{security.USER}"})
        cls.node.start()
        security.add_users(cls.node.address)

    @classmethod
    def tearDownClass(cls):
        cls.node.stop()
        shutil.rmtree(cls.place)

    def app(self, way, names, *settings, good=True):
        listener, _ = security.WAYS[way]
        login = [f"{name}={value}" for name, value in self.secrets.login(way, good)[names].items()]
        door = types.SimpleNamespace(place=self.place, node=types.SimpleNamespace(address=self.node.addresses[listener]))
        return live.App(door, "counts", f"state.dir={self.place / self.id()}", "session.timeout.ms=1500", *login, *settings)

    def check(self, way, names="java", pause=0.0, settings=()):
        self.create("in", 2)
        wanted = set()
        for round_ in (1, 2):
            with self.app(way, names, *settings) as app:
                app.running()
                for step in (1, 2):
                    self.produce("in", *[(f"key{i}", "x") for i in range(20)])
                    wanted |= {(f"key{i}", str(2 * round_ - 2 + step)) for i in range(20)}
                    self.wait_for(lambda: {(row["key"], row["value"]) for row in self.rows()}, lambda found: found >= wanted, app=app)
                    time.sleep(pause)
                self.assertEqual(app.uncaught(), [])
                app.process.kill()
                app.process.wait()
            shutil.rmtree(self.place / self.id())
        self.assertEqual(app.states()[-1:], ["RUNNING"])

    def test_tls(self):
        self.check("tls")

    def test_certificate_of_ones_own(self):
        self.check("mtls", "rdkafka")

    def test_plain(self):
        self.check("sasl_plain", "rdkafka")

    def test_scram(self):
        self.check("sasl_scram_256")
        self.setUp()
        self.check("sasl_scram_512", "rdkafka")

    def test_scram_by_librdkafka(self):
        if self.options.kafka:
            self.skipTest("Kafka does not accept librdkafka 2.0.2's SCRAM (tests/interop/clients.py, OLD_SCRAM)")
        self.check("sasl_scram_256", "rdkafka", settings=(ONLY_LIBRDKAFKAS,))

    def test_logins_that_end_are_made_anew(self):
        """The broker closes connections whose login is older than three seconds, as soon as they ask for something."""
        self.check("reauthentication", pause=1.5 * security.SESSION_MS / 1000)

    def test_what_only_librdkafka_can_read_with(self):
        listener, names = "tls", "rdkafka"
        self.create("in", 2)
        with self.app(listener, names, ONLY_LIBRDKAFKAS) as app:
            app.running()
            self.produce("in", ("key", "x"))
            self.wait_for(self.values, lambda found: found == ["1"], app=app)

    def test_a_wrong_password_ends_it(self):
        self.create("in", 2)
        with self.app("sasl_plain", "java", good=False) as app:
            self.assertEqual(app.ended(), "ERROR")


class Rights(ClusterTest):
    setUp, create, wait_for = (getattr(live.Live, name) for name in ("setUp", "create", "wait_for"))
    broker_settings = {"authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                       "allow.everyone.if.no.acl.found": "true"}

    def test_a_group_that_is_forbidden_later_ends_it(self):
        self.create("in", 1)
        with live.App(self, "counts") as app:
            app.running()
            self.leat("acl", "add", "--deny", "--principal", "User:ANONYMOUS", "--operation", "read", "--group", "live")
            self.assertEqual(app.ended(), "ERROR")
            self.assertIn("GROUP_AUTHORIZATION_FAILED", app.said() + str(app.lines()))


if __name__ == "__main__":
    stream_cluster.run_tests(__doc__)
