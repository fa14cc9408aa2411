# SPDX-License-Identifier: Apache-2.0
"""Quotas that change while a connection is open: within two seconds the connection that is there goes by the limit that holds then.

    live_quotas_test.py PROGRAM

Which limit holds is measured: one batch after the other, each takes its size / the limit.
"""
import collections
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
            "listener.security.protocol.map=PLAINTEXT:SASL_PLAINTEXT",
            "leat.durability=os")  # A disk that is slow for a moment is no quota.
SIZE, SECONDS, TOLERANCE = 20_000, 2, 0.15
#: Batches that show a limit in force: one alone may have begun under another. Of those that are judged together, which take STRETCH_SECONDS at least, a
#: busy machine may be late by more: a client catches up 100 ms, no more. Limits that are to be told apart are further apart than either.
FEW, STRETCH_SECONDS, STRETCH_TOLERANCE = 3, 1, 0.3
#: What another level is altered to, while it must not count, is so many times what it was: far from each limit that does.
AWAY = 4
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

    def produce_step(self):
        return SIZE, self.produce()

    def fetch_step(self):
        """How many bytes came, and how long the answer says to wait."""
        answer = self.call("Fetch", 11, replica_id=-1, max_wait_ms=0, min_bytes=1, max_bytes=SIZE, session_epoch=-1, topics=[
            {"topic": "t", "partitions": [{"partition": 0, "fetch_offset": 0, "partition_max_bytes": SIZE}]}])
        return sum(len(p["records"] or b"") for t in answer["responses"] for p in t["partitions"]), answer["throttle_time_ms"] / 1000

    def samples(self, step):
        """One call after the other, each after the wait that the one before it was told, for as long as they are taken."""
        _, waits = step()
        begun = before = time.monotonic()
        while True:
            size, wait = step()
            now = time.monotonic()
            if size:
                # What is waited for from now on and what was until now differ by what the client came late: it owes less then.
                yield Sample(before - begun, size, now - before + wait - waits, wait)
                before, waits = now, wait
            if not wait:
                time.sleep(0.005)  # Nothing holds it up: so many samples say no more than some.


#: `at`: when it began; `seconds`: what its bytes took of the limit; `wait`: what its sender was told to wait. All in seconds.
Sample = collections.namedtuple("Sample", "at size seconds wait")


def goes_by(samples, limit, tolerance):
    """Whether these together go by the limit; None: nobody was told to wait."""
    if limit is None:
        return not any(sample.wait for sample in samples)
    return abs(rate_of(samples) - limit) < tolerance * limit


def rate_of(samples):
    return sum(sample.size for sample in samples) / max(sum(sample.seconds for sample in samples), 1e-6)


def newest(samples):
    """The fewest of the last ones that are enough to judge them together; none when all are not."""
    seconds = 0
    for count, sample in enumerate(reversed(samples), 1):
        seconds += sample.seconds
        if count >= FEW and seconds >= STRETCH_SECONDS:
            return samples[-count:]
    return []


def judge(samples, limit, always=False):
    """Of the samples so far: True, False, or None when it takes more of them.

    A change has come after SECONDS: what begins later has to go by the limit. Before that FEW that do, one by one, are enough: nothing but the change
    brings them about. `always`: the limit was the same before, so it takes all of SECONDS and what follows, each stretch of it.
    """
    late = newest([sample for sample in samples if sample.at >= SECONDS])
    stretch = newest(samples) if always else late
    if stretch and not goes_by(stretch, limit, STRETCH_TOLERANCE):
        return False
    if not always and len(samples) >= FEW and all(goes_by([sample], limit, TOLERANCE) for sample in samples[-FEW:]):
        return True
    return True if late else None


class Judging(unittest.TestCase):
    """What is made of samples, without a broker."""
    LIMIT = 100_000

    def samples(self, *rates):
        """One batch at each rate; None: without a limit, ten ms each."""
        out, at = [], 0
        for rate in rates:
            seconds = SIZE / rate if rate else 0.01
            out.append(Sample(at, SIZE, seconds, seconds if rate else 0))
            at += seconds
        return out

    def verdict(self, samples, limit=LIMIT, always=False):
        """The first that is one, as assert_goes_by takes it."""
        return next((one for count in range(1, len(samples) + 1) if (one := judge(samples[:count], limit, always)) is not None), None)

    def test_one_that_fits_is_none(self):
        self.assertIsNone(self.verdict(self.samples(95_000)))
        self.assertIsNone(self.verdict(self.samples(40_000, 95_000)))
        self.assertFalse(self.verdict(self.samples(40_000, 95_000, *[200_000] * 60)))

    def test_few_that_fit_one_by_one_are_enough(self):
        self.assertTrue(self.verdict(self.samples(40_000, *[100_000] * FEW)))
        self.assertIsNone(self.verdict(self.samples(*[60_000, 140_000] * 2)))

    def test_who_is_late_and_catches_up_goes_by_the_limit(self):
        self.assertTrue(self.verdict(self.samples(*[80_000, 130_000] * 20)))

    def test_a_stretch_is_of_some_batches_and_some_time(self):
        slow, fast = 10_000, 1_000_000  # Two seconds a batch, and 20 ms.
        self.assertIsNone(self.verdict(self.samples(slow, slow * 2, slow * 2), slow))
        self.assertFalse(self.verdict(self.samples(slow, slow * 2, slow * 2, slow * 2), slow))
        late = [fast / 4, fast / 4, *[fast * 1.2, fast * 0.7] * 5]  # Begins anew when the change has come.
        self.assertTrue(self.verdict(self.samples(*[fast / 2] * 50, *late, *[fast * 1.2, fast * 0.8] * 40), fast))

    def test_a_change_that_has_not_come_after_its_time_is_wrong(self):
        self.assertFalse(self.verdict(self.samples(*[40_000] * 10)))
        self.assertFalse(self.verdict(self.samples(*[None] * 500)))

    def test_what_must_not_change_is_looked_at_until_a_change_has_come(self):
        same = [100_000] * 10  # Two seconds of batches.
        self.assertIsNone(self.verdict(self.samples(*same), always=True))
        self.assertTrue(self.verdict(self.samples(*same, *same), always=True))
        self.assertFalse(self.verdict(self.samples(*same, *[160_000] * 10), always=True))
        self.assertFalse(self.verdict(self.samples(*same[:4], *[160_000] * 10, *same, *same), always=True))

    def test_no_limit_is_that_nobody_waits(self):
        self.assertTrue(self.verdict(self.samples(None, None, None), None))
        self.assertIsNone(self.verdict(self.samples(None, None, None), None, always=True))
        self.assertTrue(self.verdict(self.samples(*[None] * 500), None, always=True))
        self.assertFalse(self.verdict(self.samples(*[None] * 190, *[350_000] * 50), None, always=True))

    def test_limits_that_are_told_apart_are_far_apart(self):
        def ratio(one, other):
            return max(one, other) / min(one, other)
        apart = 1 / (1 - STRETCH_TOLERANCE)
        for (_, limit), (_, below) in zip(LEVELS[::-1], LEVELS[-2::-1]):
            for one, other in ((limit, limit // 2), (limit // 2, below), (limit // 2, below * AWAY), (below, limit)):
                self.assertGreater(ratio(one, other), apart, (limit, below))


class LiveQuotas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = raw_client.Broker(PROGRAM, *SETTINGS)
        cls.addClassCleanup(cls.broker.__exit__, None)
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

    def assert_goes_by(self, limit, what, client=None, fetches=False, always=False):
        """None: by no limit."""
        client = client or self.live
        seen = []
        for sample in client.samples(client.fetch_step if fetches else client.produce_step):
            seen.append(sample)
            is_right = judge(seen, limit, always)
            if is_right is not None:
                break
        self.assertTrue(is_right, f"{what}: {[round(rate_of([sample])) for sample in seen]} bytes/s instead of {limit}")

    def test_levels_come_change_and_go(self):
        self.assert_goes_by(None, "without any", always=True)
        for entity, limit in LEVELS:
            self.set(entity, producer_byte_rate=limit)
            self.assert_goes_by(limit, f"{entity} came")
        for (entity, limit), (below, limit_below) in zip(LEVELS[::-1], LEVELS[-2::-1]):
            self.set(entity, producer_byte_rate=limit // 2)
            self.assert_goes_by(limit // 2, f"{entity} was altered")
            # Of another level: nothing changes.
            self.set(below, producer_byte_rate=limit_below * AWAY)
            self.assert_goes_by(limit // 2, f"{below} was altered under {entity}", always=True)
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
            self.assert_goes_by(limit, who, others[who], always=limit is None)
        self.assert_goes_by(200_000, "both")

    def test_fetches(self):
        self.assert_goes_by(None, "without any", fetches=True, always=True)
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
