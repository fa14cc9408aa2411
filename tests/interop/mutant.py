# SPDX-License-Identifier: Apache-2.0
"""The comparison put to the test: kcat against a broker behind a falsifying proxy must be found to differ, and behind an honest one not."""
import argparse
import concurrent.futures
import pathlib
import shutil
import tempfile

import report
from clients import CLIENTS
from falsifier import KINDS, Proxy
from kafka_node import LeatNode, Unavailable

FEATURES = ("produce", "consume")


def transcripts(kind, folder, options, run_client, command):
    """(results of kcat behind a proxy of that kind, whether the proxy did its work)."""
    proxy = Proxy(kind)
    settings = {"num.partitions": "4", "advertised.listeners": f"PLAINTEXT://{proxy.address}"}
    try:
        with LeatNode(folder / kind / "leat", options.leat, settings=settings) as node:
            proxy.connect_to(node.address)
            results = {}
            for feature in FEATURES:
                proxy.armed = feature == FEATURES[-1]
                call = argparse.Namespace(feature=[feature], patience=options.patience)
                results |= run_client(CLIENTS[0], command, proxy.address, folder / f"{feature}.log", call)
            return results, proxy.done
    finally:
        proxy.close()


def differing(one, other):
    """Features that do not pass in a run with these results."""
    outcome = report.Outcome(argparse.Namespace(broker="both"))
    outcome.add(CLIENTS[0], {"kafka": one, "leat": other}, FEATURES)
    return [feature for feature, (marks, _) in outcome.rows[0][1].items() if report.FAIL in marks.values()]


def prove(options, run_client, folder):
    """Rows of (name, ok, detail), one for each kind of proxy. Raises Unavailable."""
    command = CLIENTS[0].prepare()
    jobs = ("nothing", *KINDS)  # the first is what the others are compared with
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        futures = [pool.submit(transcripts, kind, folder / str(index), options, run_client, command) for index, kind in enumerate(jobs)]
        (base, _), *others = [future.result() for future in futures]
    rows = []
    for kind, (results, done) in zip(KINDS, others):
        found = differing(base, results)
        ok = (not found and not done) if kind == "nothing" else (found == ["consume"] and done)
        rows.append((f"harness: falsified {kind}", ok, f"{'a' if done else 'no'} response changed, differs: {' '.join(found) or 'nothing'}"))
    return rows


def run(options, run_client, say):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="leat-interop-"))
    outcome = report.Outcome(argparse.Namespace(broker="leat"))
    try:
        outcome.checks += prove(options, run_client, folder)
    except Unavailable as why:
        outcome.cannot(str(why))
    outcome.print()
    if outcome.code() == 1:
        say(f"logs are in {folder}")
    else:
        shutil.rmtree(folder)
    return outcome.code()
