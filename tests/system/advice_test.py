#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `leat` says to do next, where a port and a client do not fit, or a setting is wrong.

usage: advice_test.py LEAT [TEST...]
"""
import pathlib
import socket
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import secure_test  # noqa: E402
from secure_test import Authority, Place, SECRET, Server, run  # noqa: E402

PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required'


def login(password, protocol="SASL_PLAINTEXT"):
    return {"security.protocol": protocol, "sasl.mechanism": "PLAIN",
            "sasl.jaas.config": f'{PLAIN} username="admin" password="{password}";'}


class Ports(unittest.TestCase):
    """A client of one kind at a port of another."""

    @classmethod
    def setUpClass(cls):
        cls.place = Place().__enter__()
        cls.addClassCleanup(secure_test.shutil.rmtree, cls.place)
        cls.ca = Authority(cls.place)
        store = cls.ca.store("server", "/CN=localhost")
        other = cls.place / "other"
        other.mkdir()
        cls.other = Authority(other)
        server = Server(cls.place, {
            "listeners": "PLAINTEXT://127.0.0.1:0,SSL://127.0.0.1:0,MUTUAL://127.0.0.1:0,SASL_PLAINTEXT://127.0.0.1:0",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SSL:SSL,MUTUAL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN", "listener.name.sasl_plaintext.plain.sasl.jaas.config": f'{PLAIN} user_admin="{SECRET}";',
            "ssl.keystore.location": store, "ssl.keystore.type": "PEM", "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.mutual.ssl.truststore.location": cls.ca.ca, "listener.name.mutual.ssl.truststore.type": "PEM"})
        server.start()
        cls.addClassCleanup(server.stop)
        cls.ports = server.addresses

    def advice(self, port, properties, *words, stdin=None):
        file = self.place / "client.properties"
        file.write_text("".join(f"{k}={v}\n" for k, v in properties.items()))
        done = run(secure_test.LEAT, *(words or ("topic", "list")), "-b", self.ports[port], "--config", file, stdin=stdin, good=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("next: ", done.stderr)
        self.assertNotIn("check that a broker listens there", done.stderr)
        return done.stderr

    def test_are_told_by_administration_commands(self):
        tls = {"security.protocol": "SSL", "ssl.truststore.location": self.ca.ca, "ssl.truststore.type": "PEM"}
        for port, properties, hint in (
                ("SSL", {}, "set security.protocol"),
                ("SASL_PLAINTEXT", {}, "set security.protocol"),
                ("PLAINTEXT", tls, "security.protocol fit the port"),
                ("PLAINTEXT", tls | login(SECRET, "SASL_SSL"), "security.protocol fit the port"),
                ("PLAINTEXT", login(SECRET), "takes no login"),
                ("SSL", tls | {"ssl.truststore.location": self.other.ca}, "ssl.truststore.location must hold"),
                ("MUTUAL", tls, "ssl.keystore.location your own"),
                ("SASL_PLAINTEXT", login("wrong"), "check name, password"),
                ("SASL_PLAINTEXT", login(SECRET) | {"sasl.mechanism": "SCRAM-SHA-256"}, "set sasl.mechanism")):
            with self.subTest(port=port, properties=properties):
                self.assertIn(hint, self.advice(port, properties))

    def test_are_told_by_consume_and_produce(self):
        trust = {"security.protocol": "SSL", "ssl.truststore.location": self.other.ca, "ssl.truststore.type": "PEM"}
        mine = trust | {"ssl.truststore.location": self.ca.ca}
        for port, properties, hint in (("SSL", {}, "set security.protocol"), ("SSL", trust, "ssl.truststore.location must hold"),
                                       ("MUTUAL", mine, "ssl.keystore.location your own"),
                                       ("SASL_PLAINTEXT", login("wrong"), "check name, password")):
            for words in (("consume", "t", "--until-end"), ("consume", "t", "--until-end", "--group", "g"), ("produce", "t")):
                with self.subTest(port=port, words=words):
                    self.assertIn(hint, self.advice(port, properties, *words, stdin="x\n"))


class Settings(unittest.TestCase):
    def test_of_a_client_are_not_looked_for_among_the_brokers(self):
        with Place() as place:
            file = place / "client.properties"
            token = 'org.apache.kafka.common.security.scram.ScramLoginModule required username="i" password="p" tokenauth="true"'
            for text in ("security.protocol=SSSL", "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN", "no.such=1",
                         "security.protocol=SASL_PLAINTEXT", f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-256\nsasl.jaas.config={token};",
                         "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=https://127.0.0.1:1/"):
                file.write_text(text + "\n")
                done = run(secure_test.LEAT, "produce", "t", "-b", "127.0.0.1:1", "--config", file, stdin="x\n", good=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("settings of a Kafka client", done.stderr)
            file.write_text("num.partitions=none\n")
            done = run(secure_test.LEAT, "serve", "--data", place / "data", "--config", file, good=False)
            self.assertIn("--print settings", done.stderr)

    def test_an_address_in_use_is_told_with_what_to_do(self):
        with Place() as place, socket.create_server(("127.0.0.1", 0)) as taken:
            at = f"127.0.0.1:{taken.getsockname()[1]}"
            done = run(secure_test.LEAT, "serve", "--data", place / "data", "--listen", at, "--http-listen", "", good=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("Address already in use", done.stderr)
            self.assertIn("choose another one with --listen", done.stderr)


if __name__ == "__main__":
    secure_test.LEAT = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
