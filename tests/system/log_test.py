#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`leat log check` and `leat log dump` on the files of a real broker: clean ones are clean, each kind of damage is found at its place, and
no byte is ever changed.

usage: log_test.py LEAT
"""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cli_shapes  # noqa: E402

LEAT = ""
MADE = None  # Of Broker.make(): a stopped broker's directory.
KILLED = None  # Of one that was killed.
RECORDS = 6000


def run(*arguments, stdin=None, bootstrap="", cwd=None):
    return subprocess.run([os.path.abspath(LEAT), *arguments], input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120, cwd=cwd, env={**os.environ, "LEAT_BOOTSTRAP": bootstrap})


def unread(*arguments):
    """The exit code of a command that writes to a reader who has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run([LEAT, *arguments], stdin=subprocess.DEVNULL, stdout=writer, stderr=subprocess.DEVNULL, timeout=120).returncode
    finally:
        os.close(writer)


def serve(folder):
    server = subprocess.Popen([LEAT, "serve", "--data", folder, "--listen", "127.0.0.1:0", "--http-listen", "127.0.0.1:0", "--output", "json",
                               "--set", "group.initial.rebalance.delay.ms=0", "--set", "offsets.topic.num.partitions=3"],
                              stdout=subprocess.PIPE, text=True)
    listeners = json.loads(server.stdout.readline())["listeners"]
    return server, next(one["address"] for one in listeners if one["name"] == "PLAINTEXT")


def stop(server, how=signal.SIGTERM):
    server.send_signal(how)
    server.wait(timeout=60)
    server.stdout.close()
    assert server.returncode == (0 if how == signal.SIGTERM else -how), server.returncode


def make(folder, how):
    """Topic t with several segments, c compacted, a group's offsets; then the broker ends."""
    server, address = serve(folder)
    try:
        for command in (["topic", "create", "t", "--partitions", "2", "--set", "segment.bytes=1048576"],
                        ["topic", "create", "c", "--set", "cleanup.policy=compact"]):
            done = run(*command, bootstrap=address)
            assert done.returncode == 0, done.stderr
        lines = [f"{i}:" + f"value {i} ".ljust(700, "x") for i in range(RECORDS)]
        for first in range(0, RECORDS, 500):
            done = run("produce", "t", "--partition", "0", "--idempotent", "--key-separator", ":", bootstrap=address,
                       stdin="\n".join(lines[first:first + 500]) + "\n")
            assert done.returncode == 0, done.stderr
        for codec in ("gzip", "snappy", "lz4", "zstd"):
            done = run("produce", "c", "--compression", codec, "--key-separator", ":", bootstrap=address, stdin="\n".join(lines[:50]) + "\n")
            assert done.returncode == 0, done.stderr
        done = run("consume", "t", "--group", "readers", "--from", "beginning", "--count", "10", bootstrap=address)
        assert done.returncode == 0, done.stderr
    finally:
        stop(server, how)


def digest(folder):
    """Names, sizes and bytes of all below, and when they were changed."""
    out = hashlib.sha256()
    for path in sorted(pathlib.Path(folder).rglob("*")):
        out.update(f"{path.relative_to(folder)} {path.lstat().st_size} {path.lstat().st_mtime_ns}\n".encode())
        if path.is_file():
            out.update(path.read_bytes())
    return out.hexdigest()


def check(path, *options):
    """Exit code and document; asserts that nothing was changed."""
    top = path if pathlib.Path(path, "meta.properties").exists() else pathlib.Path(path).parent
    before = digest(top)
    done = run("log", "check", str(path), "--output", "json", *options)
    assert digest(top) == before, "log check has changed the directory"
    assert done.stdout, done.stderr
    return done.returncode, cli_shapes.check("log check", json.loads(done.stdout))


def dump(path, *options, code=0):
    before = digest(path)
    done = run("log", "dump", str(path), "--output", "json", *options)
    assert digest(path) == before, "log dump has changed the directory"
    assert done.returncode == code, (done.returncode, done.stdout[-500:], done.stderr)
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    for entry in entries:
        if "type" in entry:
            cli_shapes.check_entry(entry)
        else:
            cli_shapes.check("log dump", entry)
    return entries


class Case(unittest.TestCase):
    source = "MADE"

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.data = pathlib.Path(self.folder.name, "data")
        shutil.copytree(globals()[self.source], self.data)
        self.t0 = self.data / "t-0"

    def tearDown(self):
        self.folder.cleanup()

    def segments(self):
        return sorted(self.t0.glob("*.log"))

    def change(self, path, at, byte=None):
        raw = bytearray(path.read_bytes())
        raw[at] = raw[at] ^ 0x10 if byte is None else byte
        path.write_bytes(raw)

    def finds(self, kind, file=None, position=None, code=1, path=None, options=()):
        got, document = check(path or self.data, *options)
        found = [f for f in document["findings"] if f["kind"] == kind]
        self.assertTrue(found, (kind, document["findings"]))
        if file is not None:
            self.assertEqual(found[0]["file"], str(file))
        if position is not None:
            self.assertEqual(found[0]["position"], position)
        self.assertTrue(found[0]["next"])
        self.assertEqual(got, code, document["findings"])
        return found[0], document


class Clean(Case):
    def test_directory_of_a_broker_that_was_stopped_is_clean(self):
        code, document = check(self.data)
        self.assertEqual((code, document["findings"], document["clean"], document["stopped_cleanly"]), (0, [], True, True))
        parts = {p["partition"]: p for p in document["partitions"]}
        self.assertEqual(parts["t-0"]["records"], RECORDS)
        self.assertGreater(parts["t-0"]["segments"], 3)
        self.assertEqual((parts["t-0"]["log_end"], parts["t-0"]["durable_mark"]), (RECORDS, RECORDS))
        self.assertEqual(parts["c-0"]["records"], 200)
        self.assertEqual(len(parts), 2 + 1 + 3)

    def test_partition_can_be_checked_alone(self):
        for options in ((self.data, "--partition", "t-0"), (self.t0,)):
            code, document = check(*options)
            self.assertEqual((code, [p["partition"] for p in document["partitions"]]), (0, ["t-0"]))
        alone = pathlib.Path(self.folder.name, "t-0")
        shutil.move(self.t0, alone)
        done = run("log", "check", str(alone), "--output", "json")
        document = json.loads(done.stdout)
        self.assertEqual((done.returncode, document["records"], document["stopped_cleanly"]), (0, RECORDS, None))

    def test_bad_usage_says_so(self):
        self.assertEqual(run("log", "check", str(self.data), "--partition", "no-7").returncode, 2)
        self.assertEqual(run("log", "check", self.folder.name).returncode, 2)
        self.assertEqual(run("log", "check", self.folder.name + "/gone").returncode, 2)
        self.assertEqual(run("log", "check", str(self.t0), "--partition", "t-0").returncode, 2)
        self.assertEqual(run("log", "dump", str(self.t0), "--records", "--show", "index").returncode, 2)
        self.assertEqual(run("log", "dump", str(self.t0), "--records", "--show", "records", "--count", "1").returncode, 0)
        self.assertEqual(run("log", "check").returncode, 2)
        self.assertEqual(run("log", "dump", str(self.data), "--partition", "no-7").returncode, 2)
        self.assertEqual(run("log", "dump", str(self.data), "--show", "dreams").returncode, 2)

    def test_table_tells_what_json_tells(self):
        done = run("log", "check", str(self.data))
        self.assertIn(" 0 errors, 0 warnings", done.stdout)
        self.change(self.segments()[0], 100)
        done = run("log", "check", str(self.data))
        self.assertEqual(done.returncode, 1)
        self.assertIn("error  batch-damaged", done.stdout)
        self.assertIn("next: ", done.stdout)


class Damage(Case):
    def test_flipped_bit_in_a_batch(self):
        self.change(self.segments()[1], 5000)
        found, _ = self.finds("batch-damaged", self.segments()[1])
        self.assertIn("checksum", found["what"])
        self.assertIsNotNone(found["offset"])

    def test_flipped_length_of_a_batch(self):
        self.change(self.segments()[0], 8)
        self.finds("batch-damaged", self.segments()[0], 0)

    def test_flipped_base_offset(self):
        self.change(self.segments()[1], 6)
        found, _ = self.finds("batch-damaged", self.segments()[1])
        self.assertIn("offset below", found["what"])

    def test_segment_cut_short(self):
        last = self.segments()[-1]
        os.truncate(last, last.stat().st_size - 10)
        self.finds("batch-damaged", last)

    def test_last_batch_lost(self):
        last = self.segments()[-1]
        os.truncate(last, 0)
        self.finds("records-missing")

    def test_zeros_behind_the_end_are_a_note(self):
        last = self.segments()[-1]
        size = last.stat().st_size
        os.truncate(last, size + 4096)
        self.finds("empty-tail", last, size, code=0)

    def test_missing_segments(self):
        first, second = self.segments()[:2]
        for kind in (".log", ".index", ".timeindex"):
            second.with_suffix(kind).unlink(missing_ok=True)
        self.finds("segment-gap", first)
        first.unlink()
        _, document = self.finds("segment-missing")
        self.assertIn("index-orphan", [f["kind"] for f in document["findings"]])

    def test_offset_index(self):
        index = self.segments()[0].with_suffix(".index")
        self.change(index, 7)
        self.finds("index-wrong", index, 0)
        index.unlink()
        self.finds("index-missing", index)

    def test_time_index(self):
        index = self.segments()[0].with_suffix(".timeindex")
        self.change(index, 7)
        self.finds("timeindex-wrong", index)

    def test_txn_index(self):
        index = self.segments()[0].with_suffix(".txnindex")
        index.write_bytes(b"\x01" * 33)
        self.finds("txnindex-wrong", index)

    def test_leader_epochs(self):
        file = self.t0 / "leader-epoch-checkpoint"
        for text in ("0\n1\n5 0\n", "0\n2\n0 0\n", "what\n"):
            file.write_text(text)
            self.finds("epochs-wrong", file)

    def test_producers(self):
        for ending in (".snapshot", ".window"):
            file = sorted(self.t0.glob("*" + ending))[-1]
            raw = file.read_bytes()
            self.change(file, 12)
            self.finds("snapshot-damaged", file)
            file.write_bytes(raw)
        snapshot = sorted(self.t0.glob("*.snapshot"))[-1]
        os.rename(snapshot, self.t0 / "00000000000000009999.snapshot")
        self.finds("snapshot-ahead")

    def test_small_files(self):
        (self.t0 / "log-start-offset-checkpoint").write_text("0\n1\nt 0 99999\n")
        self.finds("log-start-wrong")
        (self.t0 / "log-start-offset-checkpoint").write_text("?")
        self.finds("file-damaged", self.t0 / "log-start-offset-checkpoint")
        shutil.copy(self.data / "c-0" / "partition.metadata", self.t0 / "partition.metadata")
        self.finds("topic-id-wrong", self.t0)
        (self.t0 / "partition.metadata").write_text("version: 1\n")
        self.finds("file-damaged", self.t0 / "partition.metadata")

    def test_folders(self):
        os.rename(self.t0, self.data / "t-0-stray")
        _, document = self.finds("folder-missing", self.t0)
        self.assertIn("folder-stray", [f["kind"] for f in document["findings"]])
        os.rename(self.data / "t-0-stray", self.data / "other-0")
        self.finds("folder-unknown", self.data / "other-0")

    def test_left_over_files_are_notes(self):
        (self.t0 / "00000000000000000000.4.cut").write_bytes(b"x")
        (self.t0 / "00000000000000000000.log.swap").write_bytes(b"")
        (self.t0 / "letter.txt").write_bytes(b"x")
        (self.data / "x-0.abc-delete").mkdir()
        for kind in ("file-cut", "file-unfinished", "file-unknown", "folder-deleted"):
            self.finds(kind, code=0)

    def test_partition_asked_for_is_not_told_of_others(self):
        (self.data / "x-0.abc-delete").mkdir()
        (self.data / "x-0-stray").mkdir()
        for options in ((self.data, "--partition", "t-0"), (self.t0,)):
            code, document = check(*options)
            self.assertEqual((code, document["findings"], document["notes"]), (0, [], 0))
        (self.data / "t-0.abc-delete").mkdir()
        self.assertEqual(check(self.t0)[1]["notes"], 1)

    def test_durable_marks(self):
        for name in ("durable-marks.0", "durable-marks.1"):
            file = self.data / name
            if file.exists() and file.stat().st_size > 0:
                self.change(file, 9)
        found, _ = self.finds("marks-damaged")
        self.assertIn("durable-marks", found["file"])

    def test_metadata(self):
        file = self.data / "metadata.db"
        raw = file.read_bytes()
        self.change(file, 20)
        file.write_bytes(b"\0" * 100 + raw[100:])
        self.finds("metadata-damaged", file)
        file.unlink()
        self.finds("metadata-damaged", file)

    def test_meta_properties(self):
        file = self.data / "meta.properties"
        text = file.read_text()
        file.write_text(text.replace("leat.format=1", "leat.format=9"))
        found, _ = self.finds("directory-format", file)
        self.assertIn("newer", found["what"])
        file.unlink()
        self.finds("directory-format", file)

    def test_findings_are_counted_beyond_what_is_printed(self):
        for segment in self.segments():
            self.change(segment, 8)
        _, document = check(self.data, "--findings", "1")
        self.assertEqual(len(document["findings"]), 1)
        self.assertGreater(document["errors"], 1)


class Killed(Case):
    source = "KILLED"

    def test_broker_that_was_killed_leaves_no_errors(self):
        code, document = check(self.data)
        self.assertEqual((code, document["errors"], document["stopped_cleanly"]), (0, 0, False), document["findings"])
        self.finds("not-stopped", self.data, code=0)

    def test_garbage_above_the_mark_is_a_torn_tail(self):
        last = self.segments()[-1]
        size = last.stat().st_size
        with last.open("ab") as file:
            file.write(os.urandom(300))
        self.finds("torn-tail", last, size)

    def test_newest_metadata_is_read_from_the_write_ahead_log(self):
        self.assertTrue((self.data / "metadata.db-wal").exists())
        _, document = check(self.data)
        self.assertNotIn("folder-unknown", [f["kind"] for f in document["findings"]])


class InUse(Case):
    def test_directory_of_a_running_broker_is_refused(self):
        server, _ = serve(str(self.data))
        try:
            for command in ("check", "dump"):
                for path in (self.data, self.t0):
                    done = run("log", command, str(path))
                    self.assertEqual(done.returncode, 1)
                    self.assertIn("a broker is running on", done.stderr)
                # However the folder is named, it is one of this data directory.
                link, inside = self.data.parent / "link", self.t0 / "inside"
                link.symlink_to(self.t0)
                inside.mkdir()
                names = [(".", self.t0), ("..", inside), (str(link), None), ("./", self.t0), (self.t0.name, self.data)]
                for path, cwd in names + ([(self.segments()[0].name, self.t0)] if command == "dump" else []):
                    done = run("log", command, path, cwd=cwd)
                    self.assertEqual(done.returncode, 1, (path, done.stdout[:500]))
                    self.assertIn("a broker is running on", done.stderr)
                link.unlink()
                inside.rmdir()
        finally:
            stop(server)
        self.assertEqual(check(self.data)[0], 0)


class Named(Case):
    def test_folder_that_is_named_by_a_dot_is_the_same(self):
        for path, cwd in ((".", self.t0), (str(self.t0), None), ("t-0", self.data)):
            done = run("log", "check", path, "--output", "json", cwd=cwd)
            document = cli_shapes.check("log check", json.loads(done.stdout))
            self.assertEqual((done.returncode, document["path"]), (0, path), done.stderr)
            self.assertEqual([(p["partition"], p["durable_mark"]) for p in document["partitions"]], [("t-0", RECORDS)])
            done = run("log", "dump", path, "--records", "--count", "1", "--output", "json", cwd=cwd)
            self.assertEqual(json.loads(done.stdout)["offset"], 0)


class Unread(Case):
    def test_what_is_wrong_is_told_by_the_exit_code_alone(self):
        for output in ("table", "json"):
            self.assertEqual(unread("log", "check", str(self.data), "--output", output), 0)
        self.assertEqual(unread("log", "dump", str(self.t0), "--records"), 0)
        first, *others = self.segments()
        self.change(first, 8)
        # The damage comes first; the records behind it are more than is kept back.
        self.assertEqual(unread("log", "dump", str(self.t0), "--records"), 1)
        for segment in others:
            self.change(segment, 8)
        for output in ("table", "json"):
            self.assertEqual(unread("log", "check", str(self.data), "--output", output), 1)


class Dump(Case):
    def test_partitions_are_listed(self):
        done = run("log", "dump", str(self.data), "--output", "json")
        parts = {p["partition"]: p for p in cli_shapes.check("log dump", json.loads(done.stdout))["partitions"]}
        self.assertEqual(parts["t-0"]["durable_mark"], RECORDS)
        self.assertEqual(parts["t-0"]["log_bytes"], sum(s.stat().st_size for s in self.segments()))

    def test_batches_and_records_are_all_there(self):
        batches = dump(self.data, "--partition", "t-0")
        self.assertEqual(sum(b["records"] for b in batches), RECORDS)
        self.assertTrue(all(b["crc_ok"] for b in batches))
        self.assertEqual(batches[0]["position"], 0)
        records = dump(self.t0, "--records")
        self.assertEqual([r["offset"] for r in records], list(range(RECORDS)))
        self.assertEqual([r["key"] for r in records], [str(i) for i in range(RECORDS)])
        self.assertTrue(records[77]["value"].startswith("value 77 x"))
        codecs = {b["codec"] for b in dump(self.data / "c-0")}
        self.assertLessEqual({"gzip", "snappy", "lz4", "zstd"}, codecs)
        self.assertEqual(len(dump(self.data / "c-0", "--records")), 200)

    def test_range_and_count(self):
        records = dump(self.t0, "--records", "--from", "1234", "--to", "1240")
        self.assertEqual([r["offset"] for r in records], list(range(1234, 1241)))
        self.assertEqual(len(dump(self.t0, "--records", "--count", "7")), 7)

    def test_indexes_producers_epochs_and_segments(self):
        batches = {(b["file"][:20], b["position"]): b for b in dump(self.t0)}
        entries = dump(self.t0, "--show", "index")
        self.assertGreater(len(entries), 3)
        for entry in entries:
            self.assertEqual(batches[entry["file"][:20], entry["position"]]["last_offset"], entry["offset"])
        self.assertTrue(dump(self.t0, "--show", "timeindex"))
        producers = dump(self.t0, "--show", "producers")
        self.assertEqual(producers[-1]["snapshot_offset"], RECORDS)
        self.assertEqual(dump(self.t0, "--show", "epochs"), [{"type": "epoch", "leader_epoch": 0, "start_offset": 0}])
        segments = dump(self.t0, "--show", "segments")
        self.assertEqual([s["size_bytes"] for s in segments], [s.stat().st_size for s in self.segments()])
        self.assertGreater(segments[0]["max_timestamp"], 0)
        self.segments()[0].write_bytes(b"")
        empty = dump(self.t0, "--show", "segments", "--count", "1")
        self.assertEqual([(s["records"], s["max_timestamp"]) for s in empty], [(0, None)])

    def test_offsets_of_groups_are_decoded(self):
        found = [r for p in self.data.glob("__consumer_offsets-*") for r in dump(p, "--records")]
        # Of t-1, of which it has read nothing, it may have committed the beginning.
        commits = [r for r in found if r["decoded_key"]["type"] == 1 and r["decoded_key"]["partition"] == 0]
        self.assertEqual((commits[-1]["decoded_key"]["group"], commits[-1]["decoded_key"]["topic"]), ("readers", "t"))
        self.assertEqual(commits[-1]["decoded_value"]["offset"], 10)
        groups = [r for r in found if r["decoded_key"]["type"] == 2 and r["decoded_value"]["members"]]
        self.assertEqual(groups[0]["decoded_value"]["members"][0]["subscription"]["topics"], ["t"])

    def test_one_file(self):
        first = self.segments()[0]
        done = run("log", "dump", str(first), "--records", "--count", "1")
        self.assertIn('value: "value 0 x', done.stdout)
        done = run("log", "dump", str(first.with_suffix(".index")), "--output", "yaml")
        self.assertIn('- type: "index"', done.stdout)
        self.assertEqual(run("log", "dump", str(self.t0 / "partition.metadata")).returncode, 2)

    def test_damage_is_told_and_what_lies_behind_is_still_printed(self):
        self.change(self.segments()[0], 8)
        entries = dump(self.t0, "--records", code=1)
        self.assertEqual(entries[0]["type"], "problem")
        self.assertEqual(entries[-1]["offset"], RECORDS - 1)

    def test_batch_with_a_wrong_checksum_is_told_by_the_exit_code_too(self):
        first = dump(self.t0, "--count", "1")[0]
        self.change(self.segments()[0], first["size_bytes"] - 1)
        self.assertEqual([b["crc_ok"] for b in dump(self.t0, "--count", "2", code=1)], [False, True])
        dump(self.t0, "--from", str(first["last_offset"] + 1), "--count", "1")


def main():
    global LEAT, MADE, KILLED
    LEAT = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        MADE, KILLED = folder + "/made", folder + "/killed"
        make(MADE, signal.SIGTERM)
        make(KILLED, signal.SIGKILL)
        return unittest.main(argv=[sys.argv[0], *sys.argv[2:]], exit=False).result.wasSuccessful()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
