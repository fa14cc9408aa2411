# SPDX-License-Identifier: Apache-2.0
"""What the examples of stream processing are fed: flights, airports and earthquakes of the vega-datasets package, as the
demo gets it; where npm cannot be reached, the first of them, which stand in examples/streams/sample.

    stream_data.py --sample    writes the sample anew
"""
import csv
import datetime
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples" / "demo"))
import events  # noqa: E402

FILES = ("earthquakes.json", "flights-20k.json", "airports.csv")
SAMPLE = ROOT / "examples" / "streams" / "sample"
SAMPLE_FLIGHTS, SAMPLE_QUAKES = 400, 250


class Data:
    """Rows as dicts. `time` is in milliseconds; flights in its order, quakes in the order in which they were last reported."""

    def __init__(self, source, flights, airports, quakes):
        self.source, self.flights, self.airports, self.quakes = source, flights, airports, quakes


def milliseconds(date):
    when = datetime.datetime.strptime(date, "%Y/%m/%d %H:%M").replace(tzinfo=datetime.timezone.utc)
    return int(when.timestamp() * 1000)


def from_package(folder):
    flights = [{"time": milliseconds(f["date"])} | f for f in json.loads((folder / "flights-20k.json").read_text())]
    flights.sort(key=lambda f: f["time"])
    with open(folder / "airports.csv", newline="", encoding="utf-8") as file:
        airports = [{name: row[name] for name in ("iata", "name", "city", "state")} for row in csv.DictReader(file)]
    features = [f["properties"] for f in json.loads((folder / "earthquakes.json").read_text())["features"]]
    features.sort(key=lambda f: (f["updated"], f["code"]))
    quakes = [{"time": f["time"], "place": f["place"], "magnitude": f["mag"]} for f in features]
    return flights, airports, quakes


def sample():
    return Data(str(SAMPLE.relative_to(ROOT)), *([json.loads(line) for line in (SAMPLE / f"{name}.jsonl").read_text().splitlines()]
                                                 for name in ("flights", "airports", "quakes")))


def load(say=print):
    """The package's data, or the sample; says which."""
    try:
        return Data(f"{events.PACKAGE} of npm", *from_package(events.fetch(pathlib.Path.home() / ".cache/leat", FILES)))
    except (OSError, subprocess.SubprocessError, StopIteration) as why:
        say(f"the npm package {events.PACKAGE} cannot be had ({why}): the committed sample is played instead")
        return sample()


def write_sample():
    flights, airports, quakes = from_package(events.fetch(pathlib.Path.home() / ".cache/leat", FILES))
    flights = flights[:SAMPLE_FLIGHTS]
    # In one region, so that there are swarms among few.
    quakes = [quake for quake in quakes if quake["place"].endswith(("CA", "Nevada", "Alaska"))][:SAMPLE_QUAKES]
    used = {flight["origin"] for flight in flights}
    SAMPLE.mkdir(exist_ok=True)
    for name, rows in (("flights", flights), ("airports", [a for a in airports if a["iata"] in used]), ("quakes", quakes)):
        (SAMPLE / f"{name}.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


if __name__ == "__main__":
    if sys.argv[1:] != ["--sample"]:
        sys.exit(__doc__)
    write_sample()
