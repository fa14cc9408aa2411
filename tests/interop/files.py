# SPDX-License-Identifier: Apache-2.0
"""Proof on files: Kafka's own dump tool reads Leat's files without complaint, and a Kafka whose segments are replaced by Leat's serves
the same records."""
import pathlib
import re
import shutil
import subprocess

import transactional
from kafka_node import KafkaNode, LeatNode, run_tool

TOPIC, GROUP, PARTITIONS = "files", "files-group", 3
ABORTED = "files-aborted"  # One partition, with transactions.
PLACES = [*((TOPIC, partition) for partition in range(PARTITIONS)), (ABORTED, 0)]
# Small segments and dense indexes, so that there are many of each. The least that Apache Kafka takes for a segment is 1 MiB.
TOPIC_SETTINGS = {"segment.bytes": "1048576", "index.interval.bytes": "512", "retention.ms": "-1"}
DUMP = {"4": "org.apache.kafka.tools.DumpLogSegments", "3": "kafka.tools.DumpLogSegments"}
VERSION = "4.3.1"
# What the dump tool says of a file that is not right, besides exceptions.
COMPLAINTS = re.compile(r"Exception|[Mm]ismatch|Non-consecutive|out of order|not found in the log|isvalid: false|invalid|corrupt|Unknown|Error", re.M)
ROW = "%p:%o t=%T k=%K:%k v=%S:%s h=[%h]\n"
COUNTS = {"none": 8000, "gzip": 2000, "snappy": 2000, "lz4": 2000, "zstd": 2000}  # records of each codec in each partition
RECORDS = sum(COUNTS.values())
ROUNDS, VALUE_BYTES = 40, 25_000  # of transactions: 4 MB
READERS = {"all": "read_uncommitted", "committed": "read_committed"}


def note(outcome, name, ok, detail=""):
    outcome.check(f"files: {name}", ok, detail)


def kcat(address, *arguments, data=None):
    done = subprocess.run(["kcat", "-b", address, *arguments], input=data, capture_output=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"kcat {arguments}: {done.stderr.decode()[-300:]}")
    return done.stdout.decode()


def create_topics(address):
    options = [word for name, value in TOPIC_SETTINGS.items() for word in ("--config", f"{name}={value}")]
    for topic, partitions in ((TOPIC, PARTITIONS), (ABORTED, 1)):
        done = run_tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", address, "--create", "--topic", topic,
                        "--partitions", str(partitions), "--replication-factor", "1", *options)
        if done.returncode != 0:
            raise RuntimeError("create: " + (done.stderr or done.stdout)[-400:])


def fill(address):
    """Records of all codecs, with and without idempotence, over several segments; a group that committed in the middle and at the end; transactions.
    Returns how many of them were aborted."""
    for partition in range(PARTITIONS):
        for codec, count in COUNTS.items():
            rows = "".join(f"key-{i % 50}|{codec}-{i}-" + f"{i * 7919:x}" * 60 + "\n" for i in range(count))
            kcat(address, "-P", "-t", TOPIC, "-p", str(partition), "-K", "|", "-z", codec, "-H", f"codec={codec}", "-H", "again=1",
                 "-X", f"enable.idempotence={'false' if codec == 'gzip' else 'true'}", "-X", "batch.num.messages=100", data=rows.encode())
    for count in ("700", str(PARTITIONS * RECORDS - 700)):
        kcat(address, "-G", GROUP, "-X", "topic.auto.offset.reset=earliest", "-X", "session.timeout.ms=6000", "-c", count, "-q", TOPIC)
    return transactional.write_interleaved(address, ABORTED, ROUNDS, VALUE_BYTES)


def read_all(address):
    """{reader: {place: records}}, by those who read all records and those who read committed ones."""
    return {who: {(topic, p): kcat(address, "-C", "-t", topic, "-p", str(p), "-o", "beginning", "-e", "-q", "-Z", "-f", ROW, "-X",
                                   f"isolation.level={level}") for topic, p in PLACES} for who, level in READERS.items()}


def without_quirk(text):
    """The dump tool takes -1 for the offset before each segment's first, and complains of every segment that does not begin at 0."""
    def check(found):
        return "" if int(found[1]) == int(found[2]) else found[0]

    return re.sub(r"^Non-consecutive offsets in \S*/(\d{20})\.log\n  -1 is followed by (\d+)\n(?!  )", check, text, flags=re.M)


def dump(outcome, what, files, *options):
    """Runs the dump tool over files and checks that it has nothing to complain of; gives what it printed."""
    done = run_tool(DUMP[VERSION[0]], "--files", ",".join(map(str, files)), *options, version=VERSION, timeout=300)
    text = done.stdout + done.stderr
    found = [line.strip()[:200] for line in without_quirk(text).splitlines() if COMPLAINTS.search(line)]
    ok = done.returncode == 0 and not found and bool(files)
    detail = f"{len(files)} files" if ok else f"exit {done.returncode}, {len(files)} files, {len(found)} complaints, first: {' / '.join(found[:3])}"
    note(outcome, what, ok, detail)
    return done.stdout


def dump_all(outcome, data, committed):
    folders = [data / f"{TOPIC}-{partition}" for partition in range(PARTITIONS)]

    def files(suffix):
        return [path for folder in folders for path in sorted(folder.glob(f"*{suffix}"))]

    text = dump(outcome, "dump of segments, each record", files(".log"), "--deep-iteration", "--print-data-log")
    records = len(re.findall(r"^\| offset: ", text, re.M))
    wanted = PARTITIONS * RECORDS
    note(outcome, "the dump tool sees every record", records == wanted, f"{records} of {wanted}")
    codecs = set(re.findall(r"compresscodec: (\w+)", text))
    note(outcome, "batches keep the client's codec", codecs == set(COUNTS), " ".join(sorted(codecs)))
    note(outcome, "several segments a partition", len(files(".log")) > 2 * PARTITIONS, f"{len(files('.log'))} segments")
    dump(outcome, "offset indexes against segments", files(".index"), "--verify-index-only")
    text = dump(outcome, "sanity check of offset indexes", files(".index"), "--index-sanity-check")
    note(outcome, "each offset index passed", text.count("passed sanity check") == len(files(".index")), "")
    text = dump(outcome, "offset indexes, each entry", files(".index"))
    note(outcome, "offset indexes have entries", len(re.findall(r"^offset: \d+ position: \d+", text, re.M)) > len(files(".index")), "")
    dump(outcome, "time indexes against segments", files(".timeindex"))
    dump(outcome, "sanity check of time indexes", files(".timeindex"), "--index-sanity-check")
    text = dump(outcome, "producer snapshots", files(".snapshot"))
    note(outcome, "snapshots name producers", "producerId:" in text, "")
    offsets = [path for path in sorted(data.glob("__consumer_offsets-*/*.log")) if path.stat().st_size]
    text = dump(outcome, "group offsets, decoded", offsets, "--offsets-decoder")
    last = dict(re.findall(r'"group":"%s","topic":"%s","partition":(\d+).*?"offset":(\d+)' % (GROUP, TOPIC), text))
    note(outcome, "decoded offsets are those that were committed", last == committed, f"{last} and {committed}")
    note(outcome, "decoded group has its metadata", bool(re.search(r'"group":"%s"' % GROUP, text)) and "protocolType" in text, "")


BATCH = re.compile(r"^baseOffset: (\d+) lastOffset: \d+ .* producerId: (-?\d+) .* isTransactional: (\w+) isControl: (\w+) ")
MARKER = re.compile(r"^\| offset: (\d+) .* endTxnMarker: (\w+) ")


def aborted_in(text):
    """(producer, first offset, the marker's, what was stable then) of each aborted transaction, by a dump of the segments."""
    open_since, out, producer = {}, [], None
    for line in text.splitlines():
        if found := BATCH.search(line):
            producer = found[2]
            if found[3] == "true" and found[4] == "false":
                open_since.setdefault(producer, int(found[1]))
        elif found := MARKER.search(line):
            first, at = open_since.pop(producer, None), int(found[1])
            if found[2] == "ABORT":
                out.append((int(producer), first, at, min(open_since.values(), default=at + 1)))
    return out


def dump_aborted(outcome, data, count):
    folder = data / f"{ABORTED}-0"
    text = dump(outcome, "segments with transactions, each record", sorted(folder.glob("*.log")), "--deep-iteration", "--print-data-log")
    wanted = aborted_in(text)
    note(outcome, "segments have the transactions that were aborted", len(wanted) == count, f"{len(wanted)} of {count}")
    files = [path for path in sorted(folder.glob("*.txnindex")) if path.stat().st_size]
    text = dump(outcome, "indexes of aborted transactions", files)
    found = re.findall(r"^version: 0 producerId: (\d+) firstOffset: (\d+) lastOffset: (\d+) lastStableOffset: (\d+)$", text, re.M)
    rows = [tuple(map(int, row)) for row in found]
    note(outcome, "they have what the segments say, entry for entry", rows == wanted and len(files) > 2, f"{len(rows)} entries in {len(files)} files")
    text = dump(outcome, "producer snapshots with an open transaction", sorted(folder.glob("*.snapshot"))[-1:])
    since = re.findall(r"currentTxnFirstOffset: (?:OptionalLong\[|Some\()?(\d+)", text)
    note(outcome, "the one that is open is in the last", len(since) == 1, " ".join(since))


def replace_segments(ours, theirs):
    """Puts Leat's files of each partition in place of Kafka's; Kafka keeps what names the topic's id."""
    for topic, partition in PLACES:
        source, target = ours / f"{topic}-{partition}", theirs / f"{topic}-{partition}"
        for path in target.iterdir():
            if path.name != "partition.metadata":
                path.unlink()
        for path in source.iterdir():
            if path.suffix in (".log", ".index", ".timeindex", ".txnindex", ".snapshot") or path.name == "leader-epoch-checkpoint":
                shutil.copy(path, target)


def first_difference(wanted, got):
    for place in PLACES:
        for one, other in zip(wanted[place].splitlines() + ["(end)"], got[place].splitlines() + ["(end)"]):
            if one != other:
                return f"leat {one[:150]} | kafka {other[:150]}"
    return ""


def compare_records(outcome, what, wanted, got):
    for who in READERS:
        same = got[who] == wanted[who]
        detail = f"{sum(text.count(chr(10)) for text in got[who].values())} records" if same else first_difference(wanted[who], got[who])
        note(outcome, f"{what}, {who} records", same, detail)


def check_log(outcome, kafka, what):
    log = (kafka.folder / "server.log").read_text(errors="replace")
    found = [line[:300] for line in log.splitlines() if f"{TOPIC}-" in line
             and re.search(r" (WARN|ERROR) |corrupt|invalid|inconsistent|[Dd]iscard|truncated [1-9]", line)]
    note(outcome, f"its {what} found nothing wrong with them", not found, " / ".join(found[:2]))


def serve_from_kafka(outcome, folder, ours, wanted):
    kafka = KafkaNode(folder / "kafka", VERSION)
    with kafka:
        create_topics(kafka.address)
    replace_segments(ours, kafka.data)
    with kafka:  # After a clean end it takes indexes and snapshots as they are.
        compare_records(outcome, "Apache Kafka serves Leat's files as they are", wanted, read_all(kafka.address))
    check_log(outcome, kafka, "start")
    # Without the mark Kafka takes the shutdown for a crash, checks each batch on the way up and makes the indexes anew.
    replace_segments(ours, kafka.data)
    (kafka.data / ".kafka_cleanshutdown").unlink(missing_ok=True)
    (kafka.data / "recovery-point-offset-checkpoint").write_text("0\n0\n")
    with kafka:
        compare_records(outcome, "Apache Kafka recovers Leat's segments", wanted, read_all(kafka.address))
        kcat(kafka.address, "-P", "-t", TOPIC, "-p", "0", data=b"more\n")
        last = kcat(kafka.address, "-C", "-t", TOPIC, "-p", "0", "-o", "-1", "-c", "1", "-q", "-f", "%o %s")
        note(outcome, "and appends after them", last == f"{RECORDS} more", last)
    check_log(outcome, kafka, "recovery")
    indexes = [{path.name: path.read_bytes() for path in (data / f"{ABORTED}-0").glob("*.txnindex") if path.stat().st_size} for data in (ours, kafka.data)]
    note(outcome, "its recovery makes the same indexes of aborted transactions", indexes[0] == indexes[1] != {}, f"{len(indexes[1])} files")


def prove(outcome, folder, options, say):
    say("files")
    folder = pathlib.Path(folder)
    leat = LeatNode(folder / "leat", options.leat)
    try:
        with leat:
            create_topics(leat.address)
            aborted = fill(leat.address)
            wanted = read_all(leat.address)
            committed = {str(p): str(len(wanted["all"][TOPIC, p].splitlines())) for p in range(PARTITIONS)}
        seen, kept = (len(wanted[who][ABORTED, 0].splitlines()) for who in READERS)
        note(outcome, "readers of committed records miss what was aborted, and what is behind an open transaction", seen - kept == 2 * aborted + 2 > 2,
             f"{kept} of {seen} records")
        dump_all(outcome, leat.data, committed)
        dump_aborted(outcome, leat.data, aborted)
        serve_from_kafka(outcome, folder, leat.data, wanted)
    except (RuntimeError, subprocess.SubprocessError, OSError) as why:
        note(outcome, "the proof on files ran to its end", False, str(why)[-400:])
