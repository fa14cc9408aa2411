# SPDX-License-Identifier: Apache-2.0
"""Quotas that change while a connection is open: within two seconds the connection that is there goes by the limit that holds then.

    live_quotas_test.py PROGRAM

Which limit holds is measured: one batch after the other, each takes its size / the limit.
"""
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import protocol  # noqa: E402
import raw_client  # noqa: E402

PROGRAM = sys.argv.pop(1)
SECRET = "secret"
SETTINGS = ("sasl.enabled.mechanisms=PLAIN", "super.users=User:admin;User:ann;User:bob",
            "listener.name.plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'user_admin="{SECRET}" user_ann="{SECRET}" user_bob="{SECRET}";',
            "listener.security.protocol.map=PLAINTEXT:SASL_PLAINTEXT")
SIZE, SECONDS, TOLERANCE = 20_000, 2, 0.15
RECORDS = raw_client.batch([b"x" * (SIZE - 100)])
DEFAULT = None
#: From the least to the most specific, as KIP-546 orders them; neighbours far apart, all different.
LEVELS = (
    ({"client-id": DEFAULT}, 40_000), ({"client-id": "app"}, 130_000), ({"user": DEFAULT}, 55_000),
    ({"user": DEFAULT, "client-id": DEFAULT}, 180_000), ({"user": DEFAULT, "client-id": "app"}, 75_000), ({"user": "ann"}, 250_000),
    ({"user": "ann", "client-id": DEFAULT}, 100_000), ({"user": "ann", "client-id": "app"}, 350_000))


class Client(protocol.Client):
    def __init__(self, address, user, client_id):
        super().__init__(address, client_id)
        self.call("SaslHandshake", 1, mechanism="PLAIN")
        answer = self.call("SaslAuthenticate", 2, auth_bytes=f"\0{user}\0{SECRET}".encode())
        if answer["error_code"]:
            raise RuntimeError(answer)

    def produce(self, records=RECORDS):
        """How long its answer says to wait, in seconds."""
        answer = self.call("Produce", 9, transactional_id=None, acks=1, timeout_ms=5000,
                           topic_data=[{"name": "t", "partition_data": [{"index": 0, "records": records}]}])
        return answer["throttle_time_ms"] / 1000

    def fetch(self):
        answer = self.call("Fetch", 11, replica_id=-1, max_wait_ms=0, min_bytes=1, max_bytes=SIZE, session_epoch=-1, topics=[
            {"topic": "t", "partitions": [{"partition": 0, "fetch_offset": 0, "partition_max_bytes": SIZE}]}])
        return sum(len(p["records"] or b"") for t in answer["responses"] for p in t["partitions"])

    def rates(self, step):
        """Bytes a second, one call after the other, for SECONDS; a call is followed by its wait."""
        step()
        begun = before = time.monotonic()
        while before < begun + SECONDS:
            size = step()
            now = time.monotonic()
            if size:
                yield size / (now - before)
                before = now
            elif now > begun + SECONDS:
                return


class LiveQuotas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = raw_client.Broker(PROGRAM, *SETTINGS)
        cls.addClassCleanup(cls.broker.__exit__)
        cls.address = "{}:{}".format(*cls.broker.address)
        cls.admin = Client(cls.address, "admin", "admin")
        cls.addClassCleanup(cls.admin.socket.close)
        cls.admin.call("CreateTopics", 5, timeout_ms=5000, topics=[{"name": "t", "num_partitions": 1, "replication_factor": 1}])
        cls.admin.produce()

    def setUp(self):
        self.live = self.client("ann", "app")

    def tearDown(self):
        entries = self.admin.call("DescribeClientQuotas", 1, components=[], strict=False)["entries"]
        for entry in entries:
            self.set({e["entity_type"]: e["entity_name"] for e in entry["entity"]}, **{v["key"]: None for v in entry["values"]})

    def client(self, user, client_id):
        out = Client(self.address, user, client_id)
        self.addCleanup(out.socket.close)
        return out

    def set(self, entity, **values):
        ops = [{"key": key, "value": value or 0, "remove": value is None} for key, value in values.items()]
        answer = self.admin.call("AlterClientQuotas", 1, entries=[{"entity": [
            {"entity_type": kind, "entity_name": name} for kind, name in entity.items()], "ops": ops}])
        self.assertEqual([e["error_code"] for e in answer["entries"]], [0], answer)

    def assert_goes_by(self, limit, what, client=None, fetches=False):
        """None: by no limit."""
        client = client or self.live
        seen = []
        for rate in client.rates(client.fetch if fetches else lambda: (client.produce(), SIZE)[1]):
            seen.append(round(rate))
            if (limit is None and rate > 1_000_000) or (limit is not None and abs(rate - limit) < TOLERANCE * limit):
                return
        self.fail(f"{what}: {seen} bytes/s instead of {limit}")

    def test_levels_come_change_and_go(self):
        self.assert_goes_by(None, "without any")
        for entity, limit in LEVELS:
            self.set(entity, producer_byte_rate=limit)
            self.assert_goes_by(limit, f"{entity} came")
        for (entity, limit), (below, limit_below) in zip(LEVELS[::-1], LEVELS[-2::-1]):
            self.set(entity, producer_byte_rate=limit // 2)
            self.assert_goes_by(limit // 2, f"{entity} was altered")
            # Of another level: nothing changes.
            self.set(below, producer_byte_rate=limit_below * 1.6)
            self.assert_goes_by(limit // 2, f"{below} was altered under {entity}")
            self.set(below, producer_byte_rate=limit_below)
            self.set(entity, producer_byte_rate=None)
            self.assert_goes_by(limit_below, f"{entity} went")
        self.set(LEVELS[0][0], producer_byte_rate=None)
        self.assert_goes_by(None, "all went")

    def test_user_with_client_id_is_for_both_alone(self):
        others = {(user, name): self.client(user, name) for user, name in (("ann", "other"), ("bob", "app"), ("bob", "other"))}
        for entity, limit in (({"user": "ann"}, 60_000), ({"client-id": "app"}, 90_000), ({"user": "ann", "client-id": "app"}, 200_000)):
            self.set(entity, producer_byte_rate=limit)
        for who, limit in ((("ann", "other"), 60_000), (("bob", "app"), 90_000), (("bob", "other"), None)):
            self.assert_goes_by(limit, who, others[who])
        self.assert_goes_by(200_000, "both")

    def test_fetches(self):
        self.assert_goes_by(None, "without any", fetches=True)
        self.set({"user": "ann"}, consumer_byte_rate=50_000)
        self.assert_goes_by(50_000, "of the user", fetches=True)
        self.set({"user": "ann", "client-id": "app"}, consumer_byte_rate=200_000)
        self.assert_goes_by(200_000, "of both", fetches=True)
        self.set({"user": "ann", "client-id": "app"}, consumer_byte_rate=None)
        self.assert_goes_by(50_000, "of the user again", fetches=True)
        self.set({"user": "ann"}, consumer_byte_rate=None)
        self.assert_goes_by(None, "all went", fetches=True)

    def waits(self):
        """The longest that some requests for metadata were told to wait."""
        return max(self.live.call("Metadata", 8, topics=None)["throttle_time_ms"] for _ in range(3))

    def test_request_time(self):
        self.assertEqual(self.waits(), 0)
        self.set({"user": DEFAULT}, request_percentage=0.0005)
        self.assertGreater(self.waits(), 100)
        self.set({"user": "ann"}, request_percentage=100)
        self.assertEqual(self.waits(), 0)
        self.set({"user": "ann"}, request_percentage=None)
        self.assertGreater(self.waits(), 100)
        self.set({"user": DEFAULT}, request_percentage=None)
        self.assertEqual(self.waits(), 0)

    def test_what_was_owed_at_a_low_limit_is_paid_at_the_new_one(self):
        self.set({"user": "ann"}, producer_byte_rate=1_000)
        second = self.client("ann", "second")
        # Who owes rests; another connection of that user pays with him.
        self.assertGreater(second.produce(), 10)
        self.assertGreater(self.client("ann", "third").produce(), 30)
        self.set({"user": "ann"}, producer_byte_rate=1_000_000)
        self.assertLess(self.live.produce(), 1)
        self.assert_goes_by(1_000_000, "raised")

    def test_what_was_owed_is_not_forgiven_by_a_lower_limit(self):
        self.set({"user": "ann"}, producer_byte_rate=20_000)
        self.assertGreater(self.client("ann", "second").produce(), 0.8)
        self.set({"user": "ann"}, producer_byte_rate=19_000)
        self.assertGreater(self.live.produce(), 1.2)


if __name__ == "__main__":
    unittest.main()
