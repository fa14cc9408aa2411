# SPDX-License-Identifier: Apache-2.0
"""Proof on files: Kafka's own dump tool reads Leat's files without complaint, and a Kafka whose segments are replaced by Leat's serves
the same records."""
import pathlib
import re
import shutil
import subprocess

from kafka_node import KafkaNode, LeatNode, run_tool

TOPIC, GROUP, PARTITIONS = "files", "files-group", 3
# Small segments and dense indexes, so that there are many of each. The least that Apache Kafka takes for a segment is 1 MiB.
TOPIC_SETTINGS = {"segment.bytes": "1048576", "index.interval.bytes": "512", "retention.ms": "-1"}
DUMP = {"4": "org.apache.kafka.tools.DumpLogSegments", "3": "kafka.tools.DumpLogSegments"}
VERSION = "4.3.1"
# What the dump tool says of a file that is not right, besides exceptions.
COMPLAINTS = re.compile(r"Exception|[Mm]ismatch|Non-consecutive|out of order|not found in the log|isvalid: false|invalid|corrupt|Unknown|Error", re.M)
ROW = "%p:%o t=%T k=%K:%k v=%S:%s h=[%h]\n"
COUNTS = {"none": 8000, "gzip": 2000, "snappy": 2000, "lz4": 2000, "zstd": 2000}  # records of each codec in each partition
RECORDS = sum(COUNTS.values())


def note(outcome, name, ok, detail=""):
    outcome.check(f"files: {name}", ok, detail)


def kcat(address, *arguments, data=None):
    done = subprocess.run(["kcat", "-b", address, *arguments], input=data, capture_output=True, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"kcat {arguments}: {done.stderr.decode()[-300:]}")
    return done.stdout.decode()


def create_topic(address):
    options = [word for name, value in TOPIC_SETTINGS.items() for word in ("--config", f"{name}={value}")]
    done = run_tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", address, "--create", "--topic", TOPIC,
                    "--partitions", str(PARTITIONS), "--replication-factor", "1", *options)
    if done.returncode != 0:
        raise RuntimeError("create: " + (done.stderr or done.stdout)[-400:])


def fill(address):
    """Records of all codecs, with and without idempotence, over several segments; a group that committed in the middle and at the end."""
    for partition in range(PARTITIONS):
        for codec, count in COUNTS.items():
            rows = "".join(f"key-{i % 50}|{codec}-{i}-" + f"{i * 7919:x}" * 60 + "\n" for i in range(count))
            kcat(address, "-P", "-t", TOPIC, "-p", str(partition), "-K", "|", "-z", codec, "-H", f"codec={codec}", "-H", "again=1",
                 "-X", f"enable.idempotence={'false' if codec == 'gzip' else 'true'}", "-X", "batch.num.messages=100", data=rows.encode())
    for count in ("700", str(PARTITIONS * RECORDS - 700)):
        kcat(address, "-G", GROUP, "-X", "topic.auto.offset.reset=earliest", "-X", "session.timeout.ms=6000", "-c", count, "-q", TOPIC)


def read_all(address):
    return {p: kcat(address, "-C", "-t", TOPIC, "-p", str(p), "-o", "beginning", "-e", "-q", "-Z", "-f", ROW) for p in range(PARTITIONS)}


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


def replace_segments(ours, theirs):
    """Puts Leat's files of each partition in place of Kafka's; Kafka keeps what names the topic's id."""
    for partition in range(PARTITIONS):
        source, target = ours / f"{TOPIC}-{partition}", theirs / f"{TOPIC}-{partition}"
        for path in target.iterdir():
            if path.name != "partition.metadata":
                path.unlink()
        for path in source.iterdir():
            if path.suffix in (".log", ".index", ".timeindex", ".txnindex", ".snapshot") or path.name == "leader-epoch-checkpoint":
                shutil.copy(path, target)
    # Without it Kafka takes the shutdown for a crash and checks each batch on the way up.
    (theirs / ".kafka_cleanshutdown").unlink(missing_ok=True)


def first_difference(wanted, got):
    for partition in range(PARTITIONS):
        for one, other in zip(wanted[partition].splitlines() + ["(end)"], got[partition].splitlines() + ["(end)"]):
            if one != other:
                return f"leat {one[:150]} | kafka {other[:150]}"
    return ""


def serve_from_kafka(outcome, folder, ours, wanted):
    kafka = KafkaNode(folder / "kafka", VERSION)
    with kafka:
        create_topic(kafka.address)
    replace_segments(ours, kafka.data)
    with kafka:
        got = read_all(kafka.address)
        same = got == wanted
        note(outcome, "Apache Kafka serves Leat's segments, record for record", same,
                      f"{sum(text.count(chr(10)) for text in got.values())} records" if same else first_difference(wanted, got))
        kcat(kafka.address, "-P", "-t", TOPIC, "-p", "0", data=b"more\n")
        last = kcat(kafka.address, "-C", "-t", TOPIC, "-p", "0", "-o", "-1", "-c", "1", "-q", "-f", "%o %s")
        note(outcome, "and appends after them", last == f"{RECORDS} more", last)
    log = (kafka.folder / "server.log").read_text(errors="replace")
    found = [line[:300] for line in log.splitlines() if f"{TOPIC}-" in line
             and re.search(r" (WARN|ERROR) |corrupt|invalid|inconsistent|[Dd]iscard|truncated [1-9]", line)]
    note(outcome, "its recovery found nothing wrong with them", not found, " / ".join(found[:2]))


def prove(outcome, folder, options, say):
    say("files")
    folder = pathlib.Path(folder)
    leat = LeatNode(folder / "leat", options.leat)
    try:
        with leat:
            create_topic(leat.address)
            fill(leat.address)
            wanted = read_all(leat.address)
            committed = {str(p): str(len(wanted[p].splitlines())) for p in range(PARTITIONS)}
        dump_all(outcome, leat.data, committed)
        serve_from_kafka(outcome, folder, leat.data, wanted)
    except (RuntimeError, subprocess.SubprocessError, OSError) as why:
        note(outcome, "the proof on files ran to its end", False, str(why)[-400:])
