# SPDX-License-Identifier: Apache-2.0
"""Quotas on a running broker, measured: what was allowed in ten seconds is within 5 % of the limit.

    quotas_test.py PROGRAM
"""
import pathlib
import random
import sys
import threading
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import protocol  # noqa: E402
import raw_client  # noqa: E402

PROGRAM = sys.argv.pop(1)
SECONDS = 10
INVALID_REQUEST, THROTTLING_QUOTA_EXCEEDED = 42, 89


def processor_seconds(process):
    """What all threads of a process have used."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in pathlib.Path(f"/proc/{process}/task").iterdir()) / 1e9


class Quotas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = raw_client.Broker(PROGRAM)
        cls.address = "{}:{}".format(*cls.broker.address)
        with cls.client("admin") as client:
            client.call("CreateTopics", 5, timeout_ms=5000,
                        topics=[{"name": name, "num_partitions": 1, "replication_factor": 1} for name in ("in", "out")])

    @classmethod
    def tearDownClass(cls):
        cls.broker.__exit__(None)

    @classmethod
    def client(cls, name):
        return protocol.Client(cls.address, client_id=name)

    def set(self, entity, **values):
        with self.client("admin") as client:
            ops = [{"key": key, "value": value or 0, "remove": value is None} for key, value in values.items()]
            answer = client.call("AlterClientQuotas", 1, entries=[{"entity": [
                {"entity_type": kind, "entity_name": name} for kind, name in entity.items()], "ops": ops}])
            self.assertEqual([e["error_code"] for e in answer["entries"]], [0], answer)

    def described(self, **filters):
        with self.client("admin") as client:
            return client.call("DescribeClientQuotas", 1, **filters)

    @staticmethod
    def produce(client, topic, records):
        return client.call("Produce", 9, transactional_id=None, acks=1, timeout_ms=5000,
                           topic_data=[{"name": topic, "partition_data": [{"index": 0, "records": records}]}])

    @staticmethod
    def fetch(client, topic, offset, size):
        return client.call("Fetch", 11, replica_id=-1, max_wait_ms=0, min_bytes=1, max_bytes=size, session_epoch=-1,
                           topics=[{"topic": topic, "partitions": [{"partition": 0, "fetch_offset": offset, "partition_max_bytes": size}]}])

    def assert_near(self, measured, limit):
        print(f"{self.id().rsplit('.', 1)[1]}: {measured:.0f} of {limit} a second, {100 * measured / limit - 100:+.1f} %")
        self.assertLess(abs(measured - limit) / limit, 0.05)

    def test_bytes_in_by_several_connections_of_one_client(self):
        limit, size = 500_000, 20_000
        self.set({"client-id": "writer"}, producer_byte_rate=limit)
        records = raw_client.batch([b"x" * (size - 200)])
        sent, throttled = [0, 0], [0, 0]
        end = time.monotonic() + SECONDS

        def run(index):
            with self.client("writer") as client:
                while time.monotonic() < end:
                    answer = self.produce(client, "in", records)
                    sent[index] += size
                    throttled[index] += answer["throttle_time_ms"] > 0

        threads = [threading.Thread(target=run, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.set({"client-id": "writer"}, producer_byte_rate=None)
        self.assertGreater(min(throttled), 0)
        self.assert_near(sum(sent) / SECONDS, limit)
        with self.client("writer") as client:  # Without the limit nobody waits.
            self.assertEqual(self.produce(client, "in", records)["throttle_time_ms"], 0)

    def test_bytes_out(self):
        limit = 500_000
        with self.client("admin") as client:
            for _ in range(20):
                self.produce(client, "out", raw_client.batch([b"y" * 1000] * 30))
        self.set({"user": None}, consumer_byte_rate=limit)
        got = 0
        with self.client("reader") as client:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                answer = self.fetch(client, "out", got // 31_000 % 500, 30_000)
                got += len(answer["responses"][0]["partitions"][0]["records"] or b"") if answer["responses"] else 0
        self.set({"user": None}, consumer_byte_rate=None)
        self.assert_near(got / SECONDS, limit)

    def make_wide(self, name, partitions, values):
        with self.client("admin") as client:
            client.call("CreateTopics", 6, timeout_ms=5000, topics=[{"name": name, "num_partitions": partitions, "replication_factor": 1}])
            records = raw_client.batch(values)
            for _ in range(10):
                answer = client.call("Produce", 9, transactional_id=None, acks=1, timeout_ms=5000, topic_data=[
                    {"name": name, "partition_data": [{"index": partition, "records": records} for partition in range(partitions)]}])
                self.assertEqual({p["error_code"] for p in answer["responses"][0]["partition_responses"]}, {0})
        return len(records)

    @staticmethod
    def fetch_all(client, topic, offsets, **limits):
        """As consumers do: all partitions, 50 MiB. {partition: bytes}, and how long to wait."""
        answer = client.call("Fetch", 11, replica_id=-1, session_epoch=-1, topics=[{"topic": topic, "partitions": [
            {"partition": p, "fetch_offset": offset, "partition_max_bytes": 1 << 20} for p, offset in offsets.items()]}],
            **{"max_wait_ms": 0, "min_bytes": 1, "max_bytes": 50 << 20} | limits)
        got = {p["partition_index"]: p["records"] or b"" for t in answer["responses"] for p in t["partitions"]}
        return got, answer["throttle_time_ms"]

    def test_a_backlog_in_many_partitions(self):
        limit, partitions = 500_000, 20
        batch = self.make_wide("wide", partitions, [b"w" * 1000] * 30)
        self.set({"client-id": "behind"}, consumer_byte_rate=limit)
        offsets, got, largest, longest = dict.fromkeys(range(partitions), 0), 0, 0, 0
        with self.client("behind") as client:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                # Of the one who has read least: what there is is 6 MB.
                order = dict(sorted(offsets.items(), key=lambda item: item[1]))
                found, throttle = self.fetch_all(client, "wide", order)
                size = sum(map(len, found.values()))
                got, largest, longest = got + size, max(largest, size), max(longest, throttle)
                for partition, records in found.items():
                    offsets[partition] += 30 * (len(records) // batch)
                    self.assertEqual(len(records) % batch, 0)
                offsets = {p: offset % 300 for p, offset in offsets.items()}
        self.set({"client-id": "behind"}, consumer_byte_rate=None)
        # A tenth of a second's worth (leat.quota.burst.ms), or one batch.
        self.assertLessEqual(largest, max(batch, limit // 10))
        self.assertLess(longest, 500)
        self.assert_near(got / SECONDS, limit)

    def test_consumers_that_wait_for_the_same_records(self):
        """The limit is what they have together, also when all of them are due at once."""
        readers, limit = 20, 100_000
        with self.client("admin") as client:
            client.call("CreateTopics", 6, timeout_ms=5000, topics=[{"name": "awaited", "num_partitions": 1, "replication_factor": 1}])
            records = raw_client.batch([b"a" * 30_000])
            self.set({"client-id": "waiting"}, consumer_byte_rate=limit)
            clients = [self.client("waiting") for _ in range(readers)]
            answers = []

            def wait(reader):
                answers.append(self.fetch_all(reader, "awaited", {0: 0}, max_wait_ms=20_000))
            threads = [threading.Thread(target=wait, args=(reader,)) for reader in clients]
            for thread in threads:
                thread.start()
            self.wait_for_waiting(readers)
            self.produce(client, "awaited", records)
            for thread in threads:
                thread.join()
        self.set({"client-id": "waiting"}, consumer_byte_rate=None)
        for reader in clients:
            reader.socket.close()
        self.assertEqual(len(answers), readers)
        served = [throttle for found, throttle in answers if found.get(0)]
        # Two who look at the same moment on two shards may both find room.
        self.assertLessEqual(1, len(served))
        self.assertLess(len(served), 5)
        self.assertTrue(all(throttle > 0 for found, throttle in answers if not found.get(0)), answers)

    def wait_for_waiting(self, count):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with urllib.request.urlopen("http://{}:{}/metrics".format(*self.broker.http), timeout=10) as page:
                if f"\nleat_waiting_fetches {count}\n" in page.read().decode():
                    return
            time.sleep(0.05)
        self.fail("the readers do not wait")

    def test_request_time(self):
        self.set({"client-id": "busy"}, request_percentage=0.05)
        count, throttled = 0, 0
        with self.client("busy") as client:
            end = time.monotonic() + 3
            while time.monotonic() < end:
                throttled += client.call("Metadata", 8, topics=None)["throttle_time_ms"] > 0
                count += 1
        self.set({"client-id": "busy"}, request_percentage=None)
        free = 0
        with self.client("busy") as client:
            end = time.monotonic() + 1
            while time.monotonic() < end:
                client.call("Metadata", 8, topics=None)
                free += 1
        self.assertGreater(throttled, 0)
        self.assertLess(count / 3, free)

    def test_request_time_far_above_the_limit(self):
        # A millionth of a thread: each request is worth many seconds, and a connection that is mute for so long loses its group.
        self.set({"client-id": "greedy"}, request_percentage=0.0001)
        with self.client("greedy") as client:
            client.call("Metadata", 8, topics=None)
            start = time.monotonic()
            waits = [client.call("Metadata", 8, topics=None)["throttle_time_ms"] for _ in range(3)]
            took = time.monotonic() - start
        self.set({"client-id": "greedy"}, request_percentage=None)
        # It still owes when it has rested.
        self.assertEqual(waits, [1000] * 3)
        self.assertGreater(took, 1.9)
        self.assertLess(took, 10)

    def test_request_time_of_all_threads(self):
        # Compression is done by the pool, for a partition of any shard: nearly all that a request costs, and known to the kernel.
        limit = 20
        with self.client("admin") as client:
            client.call("CreateTopics", 6, timeout_ms=5000, topics=[
                {"name": "packed", "num_partitions": 4, "replication_factor": 1, "configs": [
                    {"name": "compression.type", "value": "zstd"}, {"name": "compression.zstd.level", "value": "12"},
                    {"name": "leat.durability", "value": "os"}]}])
        records = raw_client.batch([random.Random(i).randbytes(300).hex().encode() for i in range(400)])
        self.set({"client-id": "packer"}, request_percentage=limit)
        with self.client("packer") as client:
            self.produce(client, "packed", records)
            begun, before, requests = time.monotonic(), processor_seconds(self.broker.process.pid), 0
            while time.monotonic() < begun + SECONDS:
                answer = client.call("Produce", 9, transactional_id=None, acks=1, timeout_ms=5000, topic_data=[
                    {"name": "packed", "partition_data": [{"index": requests % 4, "records": records}]}])
                self.assertEqual(answer["responses"][0]["partition_responses"][0]["error_code"], 0)
                requests += 1
            used = processor_seconds(self.broker.process.pid) - before
            took = time.monotonic() - begun
        self.set({"client-id": "packer"}, request_percentage=None)
        self.assertGreater(requests, 20)
        self.assert_near(used / took * 1000, limit * 10)  # Milliseconds a second.

    def test_mutations(self):
        self.set({"client-id": "maker"}, controller_mutation_rate=0.5)
        codes = []
        for number in range(3):  # Each on a connection of its own: the one that was told to wait rests.
            with self.client("maker") as client:
                answer = client.call("CreateTopics", 6, timeout_ms=5000, topics=[
                    {"name": f"m{number}", "num_partitions": 4, "replication_factor": 1}])
                codes.append(answer["topics"][0]["error_code"])
        self.assertGreater(answer["throttle_time_ms"], 0)
        self.set({"client-id": "maker"}, controller_mutation_rate=None)
        # Eleven windows' worth is 5.5 partitions: two topics of four, then no more.
        self.assertEqual(codes, [0, 0, THROTTLING_QUOTA_EXCEEDED])

    def test_mutations_that_are_refused_cost_nothing(self):
        self.set({"client-id": "hopeless"}, controller_mutation_rate=0.5)
        with self.client("hopeless") as client:
            for name, partitions, error in (("in", 8, 36), ("in", 8, 36), ("in", 8, 36), ("huge", 2**31 - 1, 44)):
                answer = client.call("CreateTopics", 6, timeout_ms=5000, topics=[
                    {"name": name, "num_partitions": partitions, "replication_factor": 1}])
                self.assertEqual((answer["topics"][0]["error_code"], answer["throttle_time_ms"]), (error, 0))
            answer = client.call("CreatePartitions", 3, timeout_ms=5000, topics=[{"name": "in", "count": 2**31 - 1, "assignments": None}])
            self.assertNotEqual(answer["results"][0]["error_code"], 0)
            self.assertEqual(answer["throttle_time_ms"], 0)
        self.set({"client-id": "hopeless"}, controller_mutation_rate=None)

    def test_mutations_on_demand(self):
        self.set({"client-id": "asker"}, controller_mutation_rate=0.1)  # Eleven windows' worth: one, and one in advance.
        names = [f"demand-{number}" for number in range(5)]
        with self.client("asker") as client:
            answer = client.call("Metadata", 8, topics=[{"name": name} for name in names], allow_auto_topic_creation=True)
            self.assertGreater(answer["throttle_time_ms"], 0)
        self.set({"client-id": "asker"}, controller_mutation_rate=None)
        self.assertEqual(sorted(topic["error_code"] for topic in answer["topics"]), [0, 0, 3, 3, 3])
        with self.client("admin") as client:
            found = client.call("Metadata", 8, topics=None, allow_auto_topic_creation=False)["topics"]
            self.assertEqual(sum(topic["name"] in names for topic in found), 2)

    def test_a_fetch_that_has_to_wait_leaves_no_session(self):
        with self.client("admin") as client:
            self.produce(client, "out", raw_client.batch([b"x" * 50_000]))
        self.set({"client-id": "hungry"}, consumer_byte_rate=1000)
        sessions = []
        for _ in range(2):
            with self.client("hungry") as client:
                answer = client.call("Fetch", 11, replica_id=-1, max_wait_ms=0, min_bytes=1, max_bytes=1 << 20, session_epoch=0, topics=[
                    {"topic": "out", "partitions": [{"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1 << 20}]}])
                sessions.append((answer["session_id"] != 0, len(answer["responses"]), answer["throttle_time_ms"] > 0))
        self.set({"client-id": "hungry"}, consumer_byte_rate=None)
        self.assertEqual(sessions, [(True, 1, True), (False, 0, True)])

    def test_connections_of_an_address(self):
        self.set({"ip": "127.0.0.1"}, connection_creation_rate=20)
        served, end = 0, time.monotonic() + 4
        while time.monotonic() < end:
            try:
                with self.client("many") as client:
                    client.call("ApiVersions", 0)
                    served += 1
            except (protocol.Closed, ConnectionError):
                time.sleep(0.01)
        for _ in range(50):  # The last word needs a connection too.
            try:
                self.set({"ip": "127.0.0.1"}, connection_creation_rate=None)
                break
            except (protocol.Closed, ConnectionError):
                time.sleep(0.05)
        self.assertLess(served, 4 * 20 + 21)
        self.assertGreater(served, 4 * 20 - 10)

    def test_one_that_came_too_fast_is_kept_for_a_while(self):
        """So that its client does not come back at once (KIP-612); Kafka does the same."""
        self.set({"ip": "127.0.0.1"}, connection_creation_rate=1)
        since, served, begun = [], [], time.monotonic()
        while not since and time.monotonic() < begun + 20:
            start = time.monotonic()
            try:
                with self.client("fast") as client:
                    client.call("ApiVersions", 0)
                    served.append(start)
            except (protocol.Closed, ConnectionError):
                if served:
                    since.append(time.monotonic() - served[-1])
        took = time.monotonic() - begun
        for _ in range(100):
            try:
                self.set({"ip": "127.0.0.1"}, connection_creation_rate=None)
                break
            except (protocol.Closed, ConnectionError):
                time.sleep(0.05)
        self.assertLessEqual(len(served), took + 2)
        # Until the rate allows the next one: that is a second after the one before was accepted, which is no sooner than it was asked
        # for. How long it is kept from its own beginning depends on how much of that second a slow machine has used by then.
        self.assertGreaterEqual(since[0], 1)
        self.assertLess(since[0], 5)

    def alter_broker(self, client, name, value):
        answer = client.call("IncrementalAlterConfigs", 1, validate_only=False, resources=[
            {"resource_type": 4, "resource_name": "1", "configs": [{"name": name, "config_operation": 0, "value": value}]}])
        return answer["responses"][0]["error_code"]

    def test_an_address_may_be_told_by_its_name(self):
        with self.client("admin") as client:
            ops = [{"key": "connection_creation_rate", "value": 1, "remove": False}]
            answer = client.call("AlterClientQuotas", 1, entries=[
                {"entity": [{"entity_type": "ip", "entity_name": name}], "ops": ops} for name in ("no.such.host.invalid", "0:0:0:0:0:0:0:7")])
            self.assertEqual([(e["error_code"], e["error_message"]) for e in answer["entries"]],
                             [(INVALID_REQUEST, "no.such.host.invalid is not a valid IP or resolvable host."), (0, None)])
            overrides = "max.connections.per.ip.overrides"
            self.assertEqual(self.alter_broker(client, overrides, "no.such.host.invalid:1"), INVALID_REQUEST)
            self.assertEqual(self.alter_broker(client, overrides, "localhost:0"), 0)
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:  # The name is looked up beside.
                try:
                    with self.client("other") as other:
                        other.call("ApiVersions", 0)
                except (protocol.Closed, ConnectionError):
                    break
            else:
                self.fail("a limit by name holds for nobody")
            self.assertEqual(self.alter_broker(client, overrides, ""), 0)
        self.set({"ip": "0:0:0:0:0:0:0:7"}, connection_creation_rate=None)

    def test_a_full_listener_waits_alone(self):
        name = "listener.name.small.max.connections"
        with raw_client.Broker(PROGRAM, "listener.security.protocol.map=SMALL:PLAINTEXT,WIDE:PLAINTEXT", f"{name}=1",
                               listen=("WIDE://127.0.0.1:0", "SMALL://127.0.0.1:0")) as broker:
            small, wide = (broker.listeners[listener] for listener in ("SMALL", "WIDE"))
            with raw_client.Client(small) as first, protocol.Client("{}:{}".format(*wide)) as other:
                self.assertEqual(first.call(raw_client.API_VERSIONS, 0, b"").take("h"), 0)
                second = raw_client.Client(small)
                second.send(raw_client.API_VERSIONS, 0, b"")
                second.socket.settimeout(0.3)
                self.assertRaises(TimeoutError, second.receive)
                self.assertEqual(self.alter_broker(other, name, "2"), 0)
                second.socket.settimeout(30)
                self.assertEqual(second.receive()[0], 1)
                second.socket.close()
                self.assertEqual(self.alter_broker(other, "listener.name.wide.ssl.client.auth", "none"), INVALID_REQUEST)

    def test_described_as_set(self):
        pair = {"user": "a", "client-id": None}
        self.set(pair, producer_byte_rate=1000, request_percentage=50.5)
        answer = self.described(components=[{"entity_type": "user", "match_type": 0, "match": "a"}])
        self.assertEqual([({e["entity_type"]: e["entity_name"] for e in entry["entity"]}, {v["key"]: v["value"] for v in entry["values"]})
                          for entry in answer["entries"]], [(pair, {"producer_byte_rate": 1000.0, "request_percentage": 50.5})])
        strict = self.described(components=[{"entity_type": "user", "match_type": 0, "match": "a"}], strict=True)
        self.assertEqual(strict["entries"], [])
        self.set(pair, producer_byte_rate=None, request_percentage=None)


if __name__ == "__main__":
    unittest.main()
