#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`leat acl`, `leat quota`, `leat user` and `leat token` against a broker with users: what they change, what they print, how they end.

usage: rights_cli_test.py LEAT [TEST...]
"""
import json
import os
import pathlib
import pty
import sys
import time
import unittest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1] / "interop"), str(pathlib.Path(__file__).resolve().parent)]
import cli_shapes  # noqa: E402
import protocol  # noqa: E402
import secure_test  # noqa: E402
from secure_test import Place, SECRET, Server, run  # noqa: E402

SETTINGS = {
    "listeners": "SASL_PLAINTEXT://127.0.0.1:0", "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    "super.users": "User:admin", "delegation.token.secret.key": "secret-of-tokens",
    "listener.name.sasl_plaintext.plain.sasl.jaas.config":
        f'org.apache.kafka.common.security.plain.PlainLoginModule required user_admin="{SECRET}" user_ann="{SECRET}";'}
DAY_MS = 24 * 3600 * 1000


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = cls.entered(Place())
        cls.server = cls.entered(Server(cls.place, SETTINGS))
        cls.address = cls.server.addresses["SASL_PLAINTEXT"]
        for user in ("admin", "ann"):
            cls.properties(user, "PLAIN", user, SECRET)

    @classmethod
    def entered(cls, context):
        cls.addClassCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    @classmethod
    def properties(cls, name, mechanism, user, password, more=""):
        module = "plain.Plain" if mechanism == "PLAIN" else "scram.Scram"
        (cls.place / f"{name}.properties").write_text(
            f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism={mechanism}\nsasl.jaas.config="
            f'org.apache.kafka.common.security.{module}LoginModule required username="{user}" password="{password}"{more};\n')

    def leat(self, *words, code=0, by="admin", stdin=None):
        done = run(secure_test.LEAT, *words, "-b", self.address, "--config", self.place / f"{by}.properties", stdin=stdin, good=False)
        self.assertEqual(done.returncode, code, f"{words}\n{done.stdout}{done.stderr}")
        return done

    def json(self, *words, **more):
        """The document, which is as the reference has it."""
        return cli_shapes.check(cli_shapes.command_of(words), json.loads(self.leat(*words, "--output", "json", **more).stdout))


class Acls(Commands):
    def rules(self, *words, **more):
        return sorted((r["resource"], r["name"], r["pattern"], r["permission"], r["principal"], r["operation"], r["host"])
                      for r in self.json("acl", *words, **more)["rules"])

    def test_are_added_found_and_deleted(self):
        added = self.rules("add", "--principal", "User:ann", "--operation", "read", "--operation", "describe-configs", "--topic", "orders",
                           "--group", "billing")
        mine = [(kind, name, "literal", "allow", "User:ann", operation, "*") for kind, name in (("group", "billing"), ("topic", "orders"))
                for operation in ("describe-configs", "read")]
        self.assertEqual(added, mine)
        prefixed = self.rules("add", "--principal", "User:bob", "--operation", "all", "--topic", "or", "--prefixed", "--deny", "--host", "10.0.0.1")
        self.assertEqual(prefixed, [("topic", "or", "prefixed", "deny", "User:bob", "all", "10.0.0.1")])
        cluster = self.rules("add", "--principal", "User:bob", "--operation", "cluster-action", "--cluster")
        self.assertEqual(self.rules("list"), sorted(mine + prefixed + cluster))
        self.assertEqual(self.rules("list", "--principal", "User:bob"), sorted(prefixed + cluster))
        self.assertEqual(self.rules("list", "--topic", "orders"), mine[2:])
        self.assertEqual(self.rules("list", "--operation", "read", "--group", "billing"), mine[1:2])
        self.assertEqual(self.rules("list", "--topic", "or", "--prefixed"), prefixed)
        self.assertEqual(self.rules("list", "--deny"), prefixed)
        self.assertEqual(self.rules("list", "--host", "10.0.0.1"), prefixed)
        self.assertEqual(self.rules("list", "--topic", "nothing"), [])
        everybody = self.rules("add", "--principal", "User:*", "--operation", "describe", "--topic", "*")
        self.assertEqual(self.rules("list", "--topic", "orders", "--match"), sorted(everybody + mine[2:] + prefixed))
        self.assertEqual(self.rules("list", "--topic", "nothing", "--match", "--operation", "describe"), everybody)
        self.assertEqual(self.rules("delete", "--topic", "*", "--yes"), everybody)
        table = self.leat("acl", "list", "--principal", "User:ann").stdout
        self.assertEqual([line.split()[:2] for line in table.splitlines()[1:]], [["topic", "orders"]] * 2 + [["group", "billing"]] * 2)
        self.assertIn("no access rules", self.leat("acl", "list", "--topic", "nothing").stderr)

        self.assertIn("--yes", self.leat("acl", "delete", "--principal", "User:ann", code=2).stderr)
        self.assertIn("no access rule matches", self.leat("acl", "delete", "--topic", "nothing", "--yes", code=1).stderr)
        self.assertEqual(self.rules("delete", "--topic", "nothing", "--yes", code=1), [])
        self.assertEqual(self.rules("list", "--principal", "User:ann"), mine)
        self.assertEqual(self.rules("delete", "--topic", "orders", "--operation", "read", "--yes"), mine[3:])
        self.assertEqual(self.rules("delete", "--principal", "User:ann", "--yes"), mine[:3])
        for words in ((), ("--all", "--principal", "User:bob")):
            self.assertIn("--all", self.leat("acl", "delete", *words, "--yes", code=2).stderr)
        self.assertEqual(self.rules("list"), sorted(prefixed + cluster))
        self.assertEqual(self.rules("delete", "--principal", "User:bob", "--prefixed", "--yes"), prefixed)
        self.assertEqual(self.rules("delete", "--all", "--yes"), cluster)
        self.assertEqual(self.rules("list"), [])

    def test_are_in_force_and_are_not_for_everybody(self):
        self.leat("topic", "create", "seen")
        names = lambda: [t["name"] for t in self.json("topic", "list", by="ann")["topics"]]
        self.assertEqual(names(), [])
        self.rules("add", "--principal", "User:ann", "--operation", "describe", "--topic", "see", "--prefixed")
        self.assertEqual(names(), ["seen"])
        for words in (("acl", "list"), ("acl", "add", "--principal", "User:ann", "--operation", "all", "--topic", "*"),
                      ("acl", "delete", "--principal", "User:ann", "--yes")):
            self.assertIn("CLUSTER_AUTHORIZATION_FAILED", self.leat(*words, by="ann", code=1).stderr)
        self.rules("delete", "--principal", "User:ann", "--yes")
        self.assertEqual(names(), [])

    def test_on_groups_are_not_needed_to_read_without_one(self):
        self.leat("topic", "create", "read-by-ann", "--partitions", "2")
        self.leat("produce", "read-by-ann", stdin="a\n")
        self.rules("add", "--principal", "User:ann", "--operation", "read", "--topic", "read-by-ann")
        for place in ("beginning", "-5", "@0"):
            self.assertEqual(self.leat("consume", "read-by-ann", "--from", place, "--until-end", by="ann").stdout, "a\n")
        self.leat("bench", "consume", "--topic", "read-by-ann", by="ann")
        refused = self.leat("consume", "read-by-ann", "--group", "g", "--until-end", by="ann", code=1).stderr
        self.assertIn("GROUP_AUTHORIZATION_FAILED", refused)
        self.rules("delete", "--principal", "User:ann", "--yes")

    def test_bad_usage_is_told(self):
        for words, hint in ((("--operation", "read", "--topic", "t"), "--principal"), (("--principal", "User:a", "--topic", "t"), "--operation"),
                            (("--principal", "User:a", "--operation", "read"), "--topic"),
                            (("--principal", "User:a", "--operation", "fly", "--topic", "t"), "--operation"),
                            (("--principal", "a", "--operation", "read", "--topic", "t"), "principal"),
                            (("--principal", "User:a", "--operation", "read", "--cluster"), "cluster-action"),
                            (("--principal", "User:a", "--operation", "write", "--topic", "t", "--group", "t"), "group can never matter")):
            self.assertIn(hint, self.leat("acl", "add", *words, code=2).stderr)
        self.assertEqual(self.rules("list", "--topic", "t"), [])

    def test_that_would_hold_for_nobody_are_refused_or_told(self):
        rule = ("acl", "add", "--operation", "read", "--topic", "u")
        for host in ("10.0.0.0/8", "foo"):
            self.assertIn("no IP address", self.leat(*rule, "--principal", "User:a", "--host", host, code=2).stderr)
        self.leat(*rule, "--principal", "User:a", "--host", "::1", "--host", "10.0.0.1", "--host", "*")
        # Kafka's brokers may make such principals.
        self.assertIn("clients are User:NAME", self.leat(*rule, "--principal", "Group:x").stderr)
        self.leat("acl", "delete", "--topic", "u", "--yes")


class Quotas(Commands):
    def quotas(self, *words):
        return [({k: v for k, v in q.items() if k in ("user", "client-id", "ip")}, q["quota"], q["value"])
                for q in self.json("quota", "list", *words)["quotas"]]

    def test_are_set_found_and_unset(self):
        self.assertIn("no quotas", self.leat("quota", "list").stderr)
        done = self.json("quota", "set", "--user", "ann", "--set", "producer_byte_rate=1048576", "--set", "request_percentage=12.5")
        self.assertEqual(done, {"entity": "user=ann", "dry_run": False, "failed": []})
        self.json("quota", "set", "--user", "ann", "--client-id", "app", "--set", "consumer_byte_rate=2000")
        self.json("quota", "set", "--default", "client-id", "--set", "controller_mutation_rate=10")
        self.json("quota", "set", "--ip", "127.0.0.9", "--set", "connection_creation_rate=100")
        ann = [({"user": "ann"}, "producer_byte_rate", 1048576), ({"user": "ann"}, "request_percentage", 12.5)]
        pair = [({"user": "ann", "client-id": "app"}, "consumer_byte_rate", 2000)]
        default, ip = [({"client-id": None}, "controller_mutation_rate", 10)], [({"ip": "127.0.0.9"}, "connection_creation_rate", 100)]
        by_text = lambda rows: sorted(rows, key=str)
        self.assertEqual(by_text(self.quotas()), by_text(ann + pair + default + ip))
        self.assertEqual(by_text(self.quotas("--user", "ann")), by_text(ann + pair))
        self.assertEqual(self.quotas("--user", "ann", "--client-id", "app"), pair)
        self.assertEqual(self.quotas("--default", "client-id"), default)
        self.assertEqual(self.quotas("--ip", "127.0.0.9"), ip)
        self.assertEqual(self.quotas("--user", "nobody"), [])
        table = self.leat("quota", "list", "--default", "client-id").stdout
        self.assertEqual(table.splitlines()[1].split(), ["client-id=<default>", "controller_mutation_rate", "10"])
        self.json("quota", "set", "--user", "bob", "--set", "consumer_byte_rate=12884901888")
        self.assertIn('"value": 12884901888\n', self.leat("quota", "list", "--user", "bob", "--output", "json").stdout)
        self.assertEqual(self.leat("quota", "list", "--user", "bob").stdout.splitlines()[1].split()[2], "12884901888")
        self.json("quota", "set", "--user", "bob", "--unset", "consumer_byte_rate")

        self.assertTrue(self.json("quota", "set", "--user", "ann", "--unset", "producer_byte_rate", "--dry-run")["dry_run"])
        self.assertEqual(by_text(self.quotas("--user", "ann")), by_text(ann + pair))
        self.json("quota", "set", "--user", "ann", "--unset", "producer_byte_rate", "--set", "request_percentage=50")
        self.assertEqual(by_text(self.quotas("--user", "ann")), by_text(pair + [({"user": "ann"}, "request_percentage", 50)]))
        self.json("quota", "set", "--user", "ann", "--unset", "request_percentage")
        self.json("quota", "set", "--user", "ann", "--client-id", "app", "--unset", "consumer_byte_rate")
        self.json("quota", "set", "--default", "client-id", "--unset", "controller_mutation_rate")
        self.json("quota", "set", "--ip", "127.0.0.9", "--unset", "connection_creation_rate")
        self.assertEqual(self.quotas(), [])

    def test_are_in_force(self):
        def throttle():
            with protocol.Client(self.address, client_id="slow") as client:
                client.call("SaslHandshake", 1, mechanism="PLAIN")
                client.call("SaslAuthenticate", 2, auth_bytes=f"\0admin\0{SECRET}".encode())
                return client.call("CreateTopics", 6, timeout_ms=5000, validate_only=False, topics=[
                    {"name": f"slow-{time.monotonic_ns()}", "num_partitions": 20, "replication_factor": 1}])["throttle_time_ms"]
        self.assertEqual(throttle(), 0)
        self.json("quota", "set", "--client-id", "slow", "--set", "controller_mutation_rate=1")
        self.assertGreater(throttle(), 0)
        self.json("quota", "set", "--client-id", "slow", "--unset", "controller_mutation_rate")
        self.assertEqual(throttle(), 0)

    def test_what_is_wrong_is_told(self):
        for words, hint in ((("--set", "producer_byte_rate=1"), "--user"), (("--user", "ann"), "--set"),
                            (("--user", "ann", "--set", "producer_byte_rate=much"), "NAME=NUMBER"),
                            (("--user", "ann", "--ip", "127.0.0.1", "--set", "producer_byte_rate=1"), "IP")):
            self.assertIn(hint, self.leat("quota", "set", *words, code=2).stderr)
        failed = self.json("quota", "set", "--user", "ann", "--set", "no_such_rate=1", code=1)["failed"]
        self.assertEqual([f["error"] for f in failed], ["INVALID_REQUEST"])
        self.assertIn("CLUSTER_AUTHORIZATION_FAILED", self.leat("quota", "list", by="ann", code=1).stderr)
        self.assertIn("CLUSTER_AUTHORIZATION_FAILED",
                      self.leat("quota", "set", "--user", "ann", "--set", "producer_byte_rate=1", by="ann", code=1).stderr)
        self.assertEqual(self.quotas(), [])


class Users(Commands):
    def users(self):
        return [(u["user"], u["mechanism"], u["iterations"]) for u in self.json("user", "list")["users"]]

    def test_are_added_listed_and_removed(self):
        self.assertEqual(self.json("user", "add", "bob", stdin="pw\n"), {"user": "bob"})
        self.json("user", "add", "cid", "--mechanism", "SCRAM-SHA-256", "--iterations", "4096", stdin="pw\n")
        self.assertEqual(sorted(self.users()), [("bob", "SCRAM-SHA-256", 16384), ("bob", "SCRAM-SHA-512", 16384), ("cid", "SCRAM-SHA-256", 4096)])
        self.properties("bob", "SCRAM-SHA-512", "bob", "pw")
        self.leat("topic", "list", by="bob")
        self.assertEqual(self.json("user", "remove", "bob", "--mechanism", "SCRAM-SHA-512", "--yes"), {"removed": "bob"})
        self.leat("topic", "list", by="bob", code=1)
        self.assertEqual(sorted(self.users()), [("bob", "SCRAM-SHA-256", 16384), ("cid", "SCRAM-SHA-256", 4096)])
        self.assertIn("--yes", self.leat("user", "remove", "bob", code=2).stderr)
        self.json("user", "remove", "bob", "--yes")
        self.json("user", "remove", "cid", "--yes")
        self.assertEqual(self.users(), [])

    def test_what_is_wrong_is_told(self):
        self.assertIn("RESOURCE_NOT_FOUND", self.leat("user", "remove", "nobody", "--yes", code=1).stderr)
        self.assertIn("the password is empty", self.leat("user", "add", "bob", stdin="\n", code=2).stderr)
        self.assertIn("--data", self.leat("user", "add", "bob", "--super", stdin="pw\n", code=2).stderr)
        self.leat("user", "add", "bob", "--iterations", "10", stdin="pw\n", code=2)
        self.assertIn("CLUSTER_AUTHORIZATION_FAILED", self.leat("user", "list", by="ann", code=1).stderr)
        self.assertIn("CLUSTER_AUTHORIZATION_FAILED", self.leat("user", "add", "bob", by="ann", stdin="pw\n", code=1).stderr)
        self.assertEqual(self.users(), [])


    def typed(self, *words, answers):
        """Exit code of a command on a terminal, and what it shows; `answers`: the end of each question and what is typed."""
        child, terminal = pty.fork()
        if child == 0:
            os.execv(secure_test.LEAT, [secure_test.LEAT, *words, "-b", self.address, "--config", str(self.place / "admin.properties")])
        shown = b""
        try:
            for question, answer in answers:
                while not shown.endswith(question.encode()):
                    shown += os.read(terminal, 1000)
                os.write(terminal, answer.encode())
            while part := os.read(terminal, 1000):
                shown += part
        except OSError:  # How a terminal ends whose other side is gone.
            pass
        finally:
            os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()

    def test_passwords_that_are_typed_are_asked_for_twice(self):
        first, second = "password of bob: ", "the same again: "
        code, shown = self.typed("user", "add", "bob", answers=((first, "one\n"), (second, "two\n")))
        self.assertEqual(code, 1, shown)
        self.assertIn("the two passwords differ", shown)
        self.assertEqual(self.users(), [])
        code, shown = self.typed("user", "add", "bob", answers=((first, "one\n"), (second, "one\n")))
        self.assertEqual(code, 0, shown)
        self.assertNotIn("one", shown)
        self.assertEqual(len(self.users()), 2)
        question = "Remove all credentials of user 'bob'? [y/N] "
        code, shown = self.typed("user", "remove", "bob", answers=((question, "n\n"),))
        self.assertEqual((code, len(self.users())), (1, 2), shown)
        code, shown = self.typed("user", "remove", "bob", answers=((question, "y\n"),))
        self.assertEqual((code, self.users()), (0, []), shown)


class Tokens(Commands):
    def ids(self, by):
        return sorted(t["id"] for t in self.json("token", "list", by=by)["tokens"])

    def test_are_made_listed_renewed_and_ended(self):
        began = time.time() * 1000
        made = self.json("token", "create", "--renewer", "admin", "--max-lifetime-ms", str(3 * DAY_MS), by="ann")
        self.assertEqual((made["owner"], made["renewers"]), ("User:ann", ["User:admin"]))
        self.assertLess(abs(made["issued_ms"] - began), 60_000)
        self.assertEqual(made["ends_ms"] - made["issued_ms"], 3 * DAY_MS)
        self.assertEqual(made["expires_ms"] - made["issued_ms"], DAY_MS)
        other = self.json("token", "create", by="admin")
        self.assertEqual(self.ids("ann"), [made["id"]])
        self.assertEqual(self.ids("admin"), sorted((made["id"], other["id"])))
        self.assertEqual(self.json("token", "list", by="ann")["tokens"], [made])
        self.assertIn(made["id"], self.leat("token", "list", by="ann").stdout)
        self.properties("token", "SCRAM-SHA-256", made["id"], made["hmac"], ' tokenauth="true"')
        self.leat("topic", "list", by="token")

        self.json("token", "renew", made["hmac"], "--period-ms", str(2 * DAY_MS), by="admin")  # At most what one is given at first.
        self.assertLess(abs(self.json("token", "list", by="ann")["tokens"][0]["expires_ms"] - began - DAY_MS), 60_000)
        renewed = self.json("token", "renew", made["hmac"], "--period-ms", str(DAY_MS // 2), by="admin")["expires_ms"]
        self.assertLess(abs(renewed - began - DAY_MS // 2), 60_000)
        self.assertEqual(self.json("token", "list", by="ann")["tokens"][0]["expires_ms"], renewed)
        self.assertIn("DELEGATION_TOKEN_OWNER_MISMATCH", self.leat("token", "renew", other["hmac"], by="ann", code=1).stderr)
        self.assertIn("DELEGATION_TOKEN_NOT_FOUND", self.leat("token", "expire", "AAAA", "--yes", by="ann", code=1).stderr)
        self.assertIn("base64", self.leat("token", "expire", "!", "--yes", by="ann", code=2).stderr)
        self.assertIn("--yes", self.leat("token", "expire", made["hmac"], by="ann", code=2).stderr)
        self.json("token", "expire", made["hmac"], "--yes", by="ann")
        self.leat("topic", "list", by="token", code=1)
        self.assertEqual((self.ids("ann"), self.ids("admin")), ([], [other["id"]]))
        self.leat("token", "expire", other["hmac"], "--yes")
        self.assertEqual(self.ids("admin"), [])

    def test_are_made_for_others_by_who_may(self):
        self.assertIn("DELEGATION_TOKEN_AUTHORIZATION_FAILED", self.leat("token", "create", "--owner", "admin", by="ann", code=1).stderr)
        made = self.json("token", "create", "--owner", "ann", by="admin")
        self.assertEqual(made["owner"], "User:ann")
        self.assertIn(made["id"], self.ids("ann"))
        for change in ("renew", "expire"):  # Whoever asked for it.
            self.assertIn("DELEGATION_TOKEN_OWNER_MISMATCH", self.leat("token", change, made["hmac"], "--yes", by="admin", code=1).stderr)
        self.leat("token", "expire", made["hmac"], "--yes", by="ann")

    def test_are_found_by_whom_they_concern(self):
        made = self.json("token", "create", "--owner", "ann", "--renewer", "bea", by="admin")
        own = self.json("token", "create", by="admin")
        with protocol.Client(self.address) as client:
            client.call("SaslHandshake", 1, mechanism="PLAIN")
            self.assertEqual(client.call("SaslAuthenticate", 2, auth_bytes=f"\0admin\0{SECRET}".encode())["error_code"], 0)

            def of(*names):
                answer = client.call("DescribeDelegationToken", 3, owners=[{"principal_type": "User", "principal_name": name} for name in names])
                self.assertEqual(answer["error_code"], 0)
                return {token["token_id"] for token in answer["tokens"]}
            found = {names: of(*names) for names in ((), ("ann",), ("bea",), ("admin",), ("cid",), ("cid", "bea"))}
        self.leat("token", "expire", made["hmac"], "--yes", by="ann")
        self.leat("token", "expire", own["hmac"], "--yes", by="admin")
        self.assertEqual(found, {(): set(), ("ann",): {made["id"]}, ("bea",): {made["id"]}, ("admin",): {made["id"], own["id"]},
                                 ("cid",): set(), ("cid", "bea"): {made["id"]}})


if __name__ == "__main__":
    secure_test.LEAT = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
