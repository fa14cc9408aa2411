# SPDX-License-Identifier: Apache-2.0
"""Client metrics (KIP-714): a subscription is made, a client asks for it and pushes, its values are at /metrics.

    telemetry_test.py PROGRAM
"""
import gzip
import pathlib
import struct
import sys
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import protocol  # noqa: E402
import raw_client  # noqa: E402

PROGRAM = sys.argv.pop(1)
CLIENT_METRICS, GZIP = 16, 1
NOBODY = "00000000-0000-0000-0000-000000000000"


def field(number, raw):
    return protocol.varint(number << 3 | 2) + protocol.varint(len(raw)) + raw


def gauge(name, value):
    point = protocol.varint(4 << 3 | 1) + struct.pack("<d", value)
    metric = field(1, name.encode()) + field(5, field(1, point))
    return field(1, field(2, field(2, metric)))


class Telemetry(unittest.TestCase):
    def setUp(self):
        self.broker = raw_client.Broker(PROGRAM)
        self.client = protocol.Client("{}:{}".format(*self.broker.address), client_id="app-1")

    def tearDown(self):
        self.client.socket.close()
        self.broker.__exit__(None)

    def alter(self, **values):
        configs = [{"name": key.replace("_", "."), "config_operation": 0, "value": value} for key, value in values.items()]
        answer = self.client.call("IncrementalAlterConfigs", 1, resources=[
            {"resource_type": CLIENT_METRICS, "resource_name": "sub", "configs": configs}])
        return answer["responses"][0]["error_code"]

    def metrics(self):
        with urllib.request.urlopen("http://{}:{}/metrics".format(*self.broker.http)) as answer:
            return [line for line in answer.read().decode().splitlines() if line.startswith("leat_client_metric{")]

    def test_pushed_values_are_shown_and_subscriptions_outlive_a_restart(self):
        none = self.client.call("GetTelemetrySubscriptions", 0, client_instance_id=NOBODY)
        self.assertEqual((none["error_code"], none["requested_metrics"]), (0, []))
        self.assertNotEqual(none["client_instance_id"], NOBODY)
        self.assertEqual(self.alter(metrics="org.apache.", interval_ms="100", match="client_id=app-.*"), 0)
        self.assertNotEqual(self.alter(no_such="1"), 0)
        self.client.socket.close()
        self.broker.stop()
        self.broker.start()
        self.client = protocol.Client("{}:{}".format(*self.broker.address), client_id="app-1")
        told = self.client.call("GetTelemetrySubscriptions", 0, client_instance_id=NOBODY)
        self.assertEqual((told["requested_metrics"], told["push_interval_ms"]), (["org.apache."], 100))
        push = {"client_instance_id": told["client_instance_id"], "subscription_id": told["subscription_id"], "terminating": False,
                "compression_type": GZIP, "metrics": gzip.compress(gauge("org.apache.x", 2.5))}
        self.assertEqual(self.client.call("PushTelemetry", 0, **push)["error_code"], 0)
        shown = self.metrics()
        self.assertEqual(len(shown), 1)
        self.assertIn('metric="org.apache.x",attributes="client_id=app-1"} 2.5', shown[0])
        # What a client that ran shortly says at its end can still be read.
        end = push | {"terminating": True, "metrics": gzip.compress(gauge("org.apache.x", 3.5))}
        self.assertEqual(self.client.call("PushTelemetry", 0, **end)["error_code"], 0)
        self.assertIn('metric="org.apache.x",attributes="client_id=app-1"} 3.5', "".join(self.metrics()))
        other = push | {"subscription_id": told["subscription_id"] + 1, "client_instance_id": none["client_instance_id"]}
        self.assertEqual(self.client.call("PushTelemetry", 0, **other)["error_code"], 117)

    def test_not_told_of_when_off(self):
        with raw_client.Broker(PROGRAM, "leat.client.telemetry=false") as broker:
            with protocol.Client("{}:{}".format(*broker.address)) as client:
                keys = {a["api_key"] for a in client.call("ApiVersions", 0)["api_keys"]}
        self.assertFalse(keys & {71, 72})


if __name__ == "__main__":
    unittest.main()
