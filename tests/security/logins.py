# SPDX-License-Identifier: Apache-2.0
"""Kafka's own Java tools log in to Leat: every mechanism and certificates; users and tokens are made with them.

    logins.py PROGRAM [--append FILE]

With --append a report gets a paragraph that says what was tried. Exit code: 0 all logins as expected, 1 not, 3 the Java tools cannot be had.
"""
import argparse
import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[0] / "interop"))
sys.path.insert(0, str(HERE.parents[0] / "system"))
import kafka_node  # noqa: E402
import secure_test  # noqa: E402
from secure_test import Authority, Place, SECRET, Server, run  # noqa: E402

TOPICS, CONFIGS = "org.apache.kafka.tools.TopicCommand", "kafka.admin.ConfigCommand"
TOKENS = "org.apache.kafka.tools.DelegationTokenCommand"
MODULE = "org.apache.kafka.common.security.{}.{}LoginModule required"


class Logins(unittest.TestCase):
    def tool(self, place, at, name, *words, good=True, **properties):
        file = place / "client.properties"
        file.write_text("".join(f"{k.replace('_', '.')}={v}\n" for k, v in properties.items()))
        done = kafka_node.run_tool(name, "--bootstrap-server", at, "--command-config", str(file), *words)
        if good:
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def test_scram_users_and_tokens_are_made_with_kafkas_tools(self):
        with Place() as place:
            run(secure_test.LEAT, "user", "add", "admin", "--data", place / "data", "--super", stdin=SECRET + "\n")
            settings = {"listeners": "SASL_PLAINTEXT://127.0.0.1:0", "sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512",
                        "delegation.token.secret.key": "x"}
            with Server(place, settings) as server:
                at = server.addresses["SASL_PLAINTEXT"]
                scram = lambda user, password, mechanism="SCRAM-SHA-512", more="": {
                    "security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": mechanism,
                    "sasl_jaas_config": f'{MODULE.format("scram", "Scram")} username="{user}" password="{password}"{more};'}
                admin = scram("admin", SECRET)
                self.tool(place, at, CONFIGS, "--alter", "--add-config", "SCRAM-SHA-256=[iterations=8192,password=pw-of-bob]",
                          "--entity-type", "users", "--entity-name", "bob", **admin)
                shown = self.tool(place, at, CONFIGS, "--describe", "--entity-type", "users", "--entity-name", "bob", **admin)
                self.assertIn("SCRAM-SHA-256=iterations=8192", shown.stdout)
                self.tool(place, at, TOPICS, "--create", "--topic", "t", **admin)
                bob = scram("bob", "pw-of-bob", "SCRAM-SHA-256")
                self.assertNotIn("t", self.tool(place, at, TOPICS, "--list", **bob).stdout.split())
                made = self.tool(place, at, TOKENS, "--create", "--max-life-time-period", "-1", "--renewer-principal",
                                 "User:bob", **admin)
                token, hmac = re.search(r"(\S{22})\s+(\S+==?)\s+User:admin", made.stdout).groups()
                by_token = scram(token, hmac, "SCRAM-SHA-256", ' tokenauth="true"')
                self.assertIn("t", self.tool(place, at, TOPICS, "--list", **by_token).stdout.split())
                self.tool(place, at, TOKENS, "--renew", "--renew-time-period", "-1", "--hmac", hmac, **admin)
                self.tool(place, at, TOKENS, "--expire", "--expiry-time-period", "-1", "--hmac", hmac, **admin)
                gone = self.tool(place, at, TOPICS, "--list", good=False, **by_token)
                self.assertNotEqual(gone.returncode, 0)

    def test_a_certificate_and_a_password_over_tls(self):
        with Place() as place:
            authority = Authority(place)
            run(secure_test.LEAT, "user", "add", "admin", "--data", place / "data", "--super", stdin=SECRET + "\n")
            settings = {"listeners": "SASL_SSL://localhost:0,SSL://localhost:0", "sasl.enabled.mechanisms": "SCRAM-SHA-512",
                        "super.users": "User:alice", "ssl.keystore.location": authority.store("server", "/CN=localhost"),
                        "ssl.truststore.location": authority.ca, "listener.name.ssl.ssl.client.auth": "required",
                        "ssl.principal.mapping.rules": "RULE:^CN=([a-z]+),O=clients$/$1/"}
            with Server(place, settings) as server:
                at = {name: a.replace("127.0.0.1", "localhost") for name, a in server.addresses.items()}
                trust = {"ssl_truststore_type": "PEM", "ssl_truststore_location": authority.ca}
                self.tool(place, at["SASL_SSL"], TOPICS, "--create", "--topic", "t", security_protocol="SASL_SSL",
                          sasl_mechanism="SCRAM-SHA-512",
                          sasl_jaas_config=f'{MODULE.format("scram", "Scram")} username="admin" password="{SECRET}";', **trust)
                alice = authority.store("alice", "/O=clients/CN=alice")
                seen = self.tool(place, at["SSL"], TOPICS, "--list", security_protocol="SSL", ssl_keystore_type="PEM",
                                 ssl_keystore_location=alice, **trust)
                self.assertIn("t", seen.stdout.split())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--append", type=pathlib.Path, metavar="FILE")
    args = parser.parse_args()
    secure_test.LEAT = str(pathlib.Path(args.program).resolve())
    try:
        kafka_node.jars("4.3.1")
    except kafka_node.Unavailable as error:
        print(f"the Java tools are missing: {error}", file=sys.stderr)
        return 3
    done = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
    if args.append:
        names = [name.removeprefix("test_").replace("_", " ") for name in unittest.defaultTestLoader.getTestCaseNames(Logins)]
        bad = len(done.failures) + len(done.errors)
        with open(args.append, "a", encoding="utf-8") as report:
            report.write("\n## Logins of Kafka's own tools\n\n`tests/security/logins.py LEAT`: Kafka's Java tools of 4.3.1 against a secured Leat. "
                         f"{done.testsRun} tests, {bad} failed: {'; '.join(names)}.\n")
    return 0 if done.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
