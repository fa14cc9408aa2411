# SPDX-License-Identifier: Apache-2.0
"""Where the demo's events come from: the vega-datasets package of the npm registry (BSD-3), or, when
that cannot be had, this machine's own telemetry."""
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import time

PACKAGE = "vega-datasets@3.2.1"
FILES = ("earthquakes.json", "flights-20k.json", "flights-200k.json")


class Events:
    """Three streams of records as `leat produce --json` takes them, each with its number as header."""

    def __init__(self, source, quakes, flights, history):
        self.source = source
        self.quakes = quakes
        self.flights = flights
        self.history = history


def record(number, key, timestamp_ms, value):
    """The value is text, so that no number in it is written anew on its way."""
    return {"key": key, "timestamp": timestamp_ms, "headers": {"seq": str(number)}, "value": json.dumps(value, ensure_ascii=False)}


def numbered(rows):
    return [record(n, *row) for n, row in enumerate(rows)]


def fetch(cache, files=FILES):
    """The folder with these files; raises OSError or CalledProcessError when npm cannot bring them."""
    folder = cache / PACKAGE.replace("@", "-")
    if all((folder / name).is_file() for name in files):
        return folder
    if shutil.which("npm") is None:
        raise OSError("npm is not installed")
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=scratch, check=True, timeout=180, stdin=subprocess.DEVNULL,
                       capture_output=True)
        archive = next(pathlib.Path(scratch).glob("*.tgz"))
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as package:
            for name in files:
                data = package.extractfile(f"package/data/{name}").read()
                part = folder / (name + ".part")
                part.write_bytes(data)
                part.rename(folder / name)
    return folder


def from_vega(folder):
    features = json.loads((folder / "earthquakes.json").read_text())["features"]
    features.sort(key=lambda f: f["properties"]["time"])
    quakes = [(f["id"], f["properties"]["time"],
               {"place": f["properties"]["place"], "magnitude": f["properties"]["mag"], "at": f["geometry"]["coordinates"]})
              for f in features]

    flights = []
    for flight in json.loads((folder / "flights-20k.json").read_text()):
        when = datetime.datetime.strptime(flight["date"], "%Y/%m/%d %H:%M").replace(tzinfo=datetime.timezone.utc)
        flights.append((flight["origin"], int(when.timestamp() * 1000), flight))
    flights.sort(key=lambda row: row[1])

    midnight = 978_307_200_000  # 2001-01-01, the month that the flights are of
    history = [(f"{f['distance']} miles", midnight + int(f["time"] * 3_600_000), f)
               for f in json.loads((folder / "flights-200k.json").read_text())]
    return Events("vega-datasets (npm): USGS earthquakes, US flights", numbered(quakes), numbered(flights), numbered(history))


def telemetry_sample():
    """What /proc tells now: one row a CPU, process and device."""
    rows = []
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        name, *numbers = line.split()
        if name.startswith("cpu"):
            rows.append((name, {"jiffies": [int(n) for n in numbers[:8]]}))
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        name, value = line.split(":")
        rows.append(("memory " + name, {"kib": int(value.split()[0])}))
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # ended meanwhile
            rows.append(("process " + entry.name, {"state": fields[0], "user": int(fields[11]), "system": int(fields[12])}))
    return rows


def as_flight(key, value):
    """A row with what the windowed step of the demo reads of a flight; its delay is made of the row's numbers."""
    numbers = [n for v in value.values() for n in (v if isinstance(v, list) else [v]) if isinstance(n, int)]
    return value | {"origin": key, "delay": sum(numbers) % 240}


def from_telemetry():
    def stream(count, made=lambda key, value: value):
        start = int(time.time() * 1000) - 20_000_000
        rows = []
        while len(rows) < count:
            sample = telemetry_sample()
            rows += [(key, start + 100 * len(rows) // len(sample), made(key, value)) for key, value in sample]
        return numbered(rows[:count])

    return Events(f"telemetry of {os.uname().nodename} (/proc)", stream(1_700), stream(20_000, as_flight),
                  stream(100_000))


def load(cache, say):
    try:
        return from_vega(fetch(cache))
    except (OSError, subprocess.SubprocessError, StopIteration) as why:
        say(f"the npm package {PACKAGE} cannot be had ({why}): this machine's own telemetry is played instead")
        return from_telemetry()
