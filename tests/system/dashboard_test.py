#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every query of the Grafana dashboard, asked of a real Prometheus that scrapes a real backbone under load.

usage: dashboard_test.py LEAT

A query passes when Prometheus gives at least one sample. So a metric that was renamed, or a label that is gone, fails here.
"""
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "packaging" / "grafana" / "leat.json"
LEAT = ""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def queries():
    """(panel, expression) with Grafana's variables filled in as Grafana would."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"].replace("$__rate_interval", "4s").replace("$instance", ".*")


class Dashboard(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-dashboard-"))
        self.processes = []
        self.leat = self.spawn([LEAT, "serve", "--data", self.folder / "data", "--listen", "127.0.0.1:0", "--http-listen",
                                "127.0.0.1:0", "--output", "json"], stdout=subprocess.PIPE)
        ready = json.loads(self.leat.stdout.readline())
        address = {one["name"]: one["address"] for one in ready["listeners"]}
        self.kafka, self.http = address["PLAINTEXT"], address["HTTP"]

    def tearDown(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
            if process.stdout:
                process.stdout.close()
        shutil.rmtree(self.folder)

    def spawn(self, command, **more):
        more = {"stdout": subprocess.DEVNULL} | more
        with open(self.folder / f"{len(self.processes)}.err", "wb") as errors:
            process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stderr=errors, **more)
        self.processes.append(process)
        return process

    def start_prometheus(self):
        port = free_port()
        config = self.folder / "prometheus.yml"
        config.write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: leat\n  static_configs:\n"
                          f"  - targets: ['{self.http}']\n")
        self.spawn(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder / 'tsdb'}",
                    f"--web.listen-address=127.0.0.1:{port}"])
        return port

    def load(self, stop):
        """Records in and out, a group that lags, an error: so that every series has something to tell."""
        while not stop.is_set():
            subprocess.run([LEAT, "produce", "seen", "--bootstrap", self.kafka], input="one\ntwo\nthree\n", text=True, check=True,
                           capture_output=True)
            subprocess.run([LEAT, "consume", "seen", "--group", "readers", "--from", "beginning", "--count", "1", "--bootstrap",
                            self.kafka], check=True, capture_output=True)
            subprocess.run([LEAT, "topic", "create", "seen", "--bootstrap", self.kafka], capture_output=True)

    def test_answers_every_query(self):
        port = self.start_prometheus()
        stop = threading.Event()
        load = threading.Thread(target=self.load, args=(stop,))
        load.start()
        try:
            missing = dict.fromkeys(f"{panel}: {expression}" for panel, expression in queries())
            self.assertGreater(len(missing), 20)
            deadline = time.monotonic() + 90
            while missing and time.monotonic() < deadline:
                for text in list(missing):
                    missing[text] = self.ask(port, text.split(": ", 1)[1])
                    if missing[text] is None:
                        del missing[text]
                time.sleep(0.5)
        finally:
            stop.set()
            load.join()
        self.assertEqual(missing, {})

    @staticmethod
    def ask(port, expression):
        """None when there is a number; else what is wrong."""
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                result = json.load(answer)["data"]["result"]
        except OSError as why:
            return str(why)
        numbers = [float(one["value"][1]) for one in result]
        return None if any(n == n for n in numbers) else "no sample"

    def test_asks_only_for_metrics_that_the_reference_has(self):
        reference = (ROOT / "docs" / "reference" / "metrics.md").read_text()
        for _, expression in queries():
            for name in re.findall(r"\bleat_\w+", expression):
                base = re.sub(r"_(bucket|sum|count)$", "", name)
                self.assertIn(f"`{base}`", reference, expression)


if __name__ == "__main__":
    LEAT = sys.argv.pop(1)
    unittest.main()
