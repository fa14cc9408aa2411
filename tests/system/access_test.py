# SPDX-License-Identifier: Apache-2.0
"""Access rules on a running broker: made, told, kept over a restart, in force on live connections.

    access_test.py PROGRAM

Nobody has to say who he is here, so all are User:ANONYMOUS; the administrator is told apart by his address, 127.0.0.9.
"""
import json
import os
import pathlib
import socket
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import protocol  # noqa: E402
import raw_client  # noqa: E402

PROGRAM = sys.argv.pop(1)
SETTINGS = ("authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",)
ALL, READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE = 2, 3, 4, 5, 6, 7, 8
TOPIC, GROUP, CLUSTER = 2, 3, 4
DENY, ALLOW = 2, 3
EVERY_RULE = {"resource_type_filter": 1, "resource_name_filter": None, "pattern_type_filter": 1, "principal_filter": None,
              "host_filter": None, "operation": 1, "permission_type": 1}
TOPIC_DENIED, GROUP_DENIED, CLUSTER_DENIED = 29, 30, 31
UNSUPPORTED_MECHANISM, DUPLICATE, UNACCEPTABLE = 33, 92, 93


class Client(protocol.Client):
    """From an address of its own."""

    def __init__(self, address, source="127.0.0.1"):
        self.socket = socket.create_connection(address, timeout=30, source_address=(source, 0))
        self.client_id, self.correlation = "check", 0


def rule(kind, name, operation, permission=ALLOW, host="*", principal="User:ANONYMOUS", pattern=3):
    return {"resource_type": kind, "resource_name": name, "resource_pattern_type": pattern, "principal": principal, "host": host,
            "operation": operation, "permission_type": permission}


def filter_of(one):
    return {"resource_type_filter": one["resource_type"], "resource_name_filter": one["resource_name"],
            "pattern_type_filter": one["resource_pattern_type"], "principal_filter": one["principal"],
            "host_filter": one["host"], "operation": one["operation"], "permission_type": one["permission_type"]}


def produce(client, topic):
    records = raw_client.batch([b"x"])
    answer = client.call("Produce", 7, acks=-1, timeout_ms=5000,
                         topic_data=[{"name": topic, "partition_data": [{"index": 0, "records": records}]}])
    return answer["responses"][0]["partition_responses"][0]["error_code"]


class Access(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # The first rules are made while all that no rule speaks of is allowed.
        cls.broker = raw_client.Broker(PROGRAM, *SETTINGS, "allow.everyone.if.no.acl.found=true")
        with Client(cls.broker.address) as client:
            rules = [rule(kind, name, ALL, host="127.0.0.9") for kind, name in ((TOPIC, "*"), (GROUP, "*"), (CLUSTER, "kafka-cluster"))]
            assert not any(r["error_code"] for r in client.call("CreateAcls", 3, creations=rules)["results"])
        cls.broker.settings = (*SETTINGS, f"leat.audit.log={cls.broker.folder / 'audit.log'}")
        assert cls.broker.stop() == 0
        cls.broker.start()
        cls.admin = Client(cls.broker.address, "127.0.0.9")
        cls.admin.call("CreateTopics", 5, topics=[{"name": "t", "num_partitions": 1, "replication_factor": 1}], timeout_ms=5000)

    @classmethod
    def tearDownClass(cls):
        cls.admin.socket.close()
        cls.broker.__exit__(None)

    def create(self, *rules):
        for result in self.admin.call("CreateAcls", 3, creations=list(rules))["results"]:
            self.assertEqual(result["error_code"], 0, result)
        self.addCleanup(self.remove, *rules)

    def remove(self, *rules):
        answer = self.admin.call("DeleteAcls", 3, filters=[filter_of(r) for r in rules])
        return [len(r["matching_acls"]) for r in answer["filter_results"]]

    def test_rules_outlive_a_restart_and_are_told(self):
        answer = self.admin.call("DescribeAcls", 3, **EVERY_RULE)
        self.assertEqual({(r["resource_type"], r["resource_name"]) for r in answer["resources"]},
                         {(TOPIC, "*"), (GROUP, "*"), (CLUSTER, "kafka-cluster")})

    def test_a_rule_acts_on_a_live_connection(self):
        with Client(self.broker.address) as client:
            self.assertEqual(produce(client, "t"), TOPIC_DENIED)
            self.create(rule(TOPIC, "t", WRITE))
            self.assertEqual(produce(client, "t"), 0)
            self.create(rule(TOPIC, "t", WRITE, DENY))
            self.assertEqual(produce(client, "t"), TOPIC_DENIED)
            self.assertEqual(self.remove(rule(TOPIC, "t", WRITE, DENY), rule(TOPIC, "t", WRITE)), [1, 1])
            self.assertEqual(produce(client, "t"), TOPIC_DENIED)

    def test_who_did_what_is_in_the_audit_log(self):
        log = self.broker.folder / "audit.log"
        with Client(self.broker.address) as client:
            client.client_id = "intruder"
            for _ in range(30):
                produce(client, "secret")
        self.create(rule(GROUP, "g", READ))
        for _ in range(100):
            lines = [json.loads(line) for line in log.read_text().splitlines()]
            if any(line["what"] == "CreateAcls" for line in lines):
                break
            time.sleep(0.05)
        denied = [line for line in lines if line["client_id"] == "intruder"]
        self.assertTrue(0 < len(denied) <= 20, len(denied))
        self.assertEqual({(line["event"], line["principal"], line["host"], line["what"], line["operation"], line["resource"], line["name"])
                          for line in denied}, {("denied", "User:ANONYMOUS", "127.0.0.1", "Produce", "WRITE", "TOPIC", "secret")})
        self.assertIn(("allowed", "CreateAcls", "ALTER", "127.0.0.9"),
                      {(line["event"], line["what"], line["operation"], line["host"]) for line in lines})

    def test_rules_are_not_for_everybody(self):
        with Client(self.broker.address) as client:
            self.assertEqual(client.call("CreateAcls", 3, creations=[rule(TOPIC, "t", WRITE)])["results"][0]["error_code"], CLUSTER_DENIED)
            self.assertEqual(client.call("DescribeAcls", 3, **EVERY_RULE)["error_code"], CLUSTER_DENIED)
            self.assertEqual(client.call("DeleteAcls", 3, filters=[filter_of(rule(TOPIC, "t", WRITE))])["filter_results"][0]["error_code"],
                             CLUSTER_DENIED)

    def test_passwords_are_hashed_of_those_who_may_change_them_and_beside_the_shards(self):
        def used():
            """Seconds of a processor, of the shards and of the threads for work that may block."""
            out = {"shard": 0.0, "blocking": 0.0}
            for thread in pathlib.Path(f"/proc/{self.broker.process.pid}/task").iterdir():
                fields = (thread / "stat").read_text().rsplit(")", 1)[1].split()
                kind = (thread / "comm").read_text().split("-")[0].strip()
                out["blocking" if kind == "blocking" else "shard"] += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            return out

        def alter(client, **more):
            one = {"name": "u", "mechanism": 1, "iterations": 4096, "salt": b"s" * 8, "salted_password": b"p" * 32, **more}
            before = used()
            answer = client.call("AlterUserScramCredentials", 0, deletions=[], upsertions=[one] * 50_000)
            after = used()
            return [r["error_code"] for r in answer["results"]], after["shard"] - before["shard"], after["blocking"] - before["blocking"]

        codes, _, hashing = alter(self.admin)
        self.assertEqual(codes, [DUPLICATE])
        self.assertGreater(hashing, 0.05)
        with Client(self.broker.address) as client:
            _, without, _ = alter(client, salt=b"")
            codes, shard, blocking = alter(client)
        self.assertEqual(codes, [CLUSTER_DENIED])
        self.assertLess(blocking, hashing / 4)
        self.assertLess(shard, without + hashing / 2)
        for wrong, code in (({"mechanism": 9}, UNSUPPORTED_MECHANISM), ({"iterations": 4095}, UNACCEPTABLE), ({"iterations": 16385}, UNACCEPTABLE),
                            ({"salt": b""}, UNACCEPTABLE), ({"salt": b"", "mechanism": 0}, UNSUPPORTED_MECHANISM)):
            one = {"name": "u", "mechanism": 1, "iterations": 4096, "salt": b"s", "salted_password": b"p", **wrong}
            answer = self.admin.call("AlterUserScramCredentials", 0, deletions=[], upsertions=[one])
            self.assertEqual([r["error_code"] for r in answer["results"]], [code], wrong)


if __name__ == "__main__":
    unittest.main()
