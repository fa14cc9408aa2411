# SPDX-License-Identifier: Apache-2.0
"""What a backbone answers about partitions and their offsets, asked by bare protocol: a client library hides the error codes."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
import protocol  # noqa: E402

STORAGE_ERROR = 56
INVALID_TOPIC_EXCEPTION = 17  # Of DeleteRecords for an internal topic, whatever state its partitions are in.
NO_EPOCH = -1


def metadata(client, topic):
    """The error; nothing is made by asking."""
    return client.call("Metadata", 8, topics=[{"name": topic}], allow_auto_topic_creation=False)["topics"][0]["error_code"]


def list_offset(client, topic, partition, timestamp):
    """(error, offset)"""
    answer = client.call("ListOffsets", 7, replica_id=-1, isolation_level=0, topics=[
        {"name": topic, "partitions": [{"partition_index": partition, "timestamp": timestamp, "current_leader_epoch": NO_EPOCH}]}])
    found = answer["topics"][0]["partitions"][0]
    return found["error_code"], found["offset"]


def delete_records(client, topic, partition, before):
    """(error, new log start)"""
    answer = client.call("DeleteRecords", 2, timeout_ms=30000, topics=[
        {"name": topic, "partitions": [{"partition_index": partition, "offset": before}]}])
    found = answer["topics"][0]["partitions"][0]
    return found["error_code"], found["low_watermark"]


def fetch(client, topic, partition, offset):
    """The error."""
    answer = client.call("Fetch", 11, replica_id=-1, max_wait_ms=0, min_bytes=0, max_bytes=1000000, isolation_level=0, session_id=0,
                         session_epoch=-1, topics=[{"topic": topic, "partitions": [
                             {"partition": partition, "fetch_offset": offset, "partition_max_bytes": 1000000,
                              "current_leader_epoch": NO_EPOCH}]}])
    return answer["responses"][0]["partitions"][0]["error_code"]


def end_of_epoch(client, topic, partition):
    """(error, end)"""
    answer = client.call("OffsetForLeaderEpoch", 4, replica_id=-1, topics=[
        {"topic": topic, "partitions": [{"partition": partition, "current_leader_epoch": NO_EPOCH, "leader_epoch": 0}]}])
    found = answer["topics"][0]["partitions"][0]
    return found["error_code"], found["end_offset"]


def producers(client, topic, partition):
    """The error."""
    answer = client.call("DescribeProducers", 0, topics=[{"name": topic, "partition_indexes": [partition]}])
    return answer["topics"][0]["partitions"][0]["error_code"]


def committed(client, group, topic, partition):
    """(error, offset of the group, below 0: none)"""
    answer = client.call("OffsetFetch", 7, group_id=group, require_stable=False, topics=[{"name": topic, "partition_indexes": [partition]}])
    found = answer["topics"][0]["partitions"][0] if answer["topics"] else {"error_code": 0, "committed_offset": -1}
    return answer["error_code"] or found["error_code"], found["committed_offset"]


def java_hash(text):
    """Of String, as a signed number of 32 bits."""
    out = 0
    for unit in text:
        out = (31 * out + ord(unit)) & 0xFFFFFFFF
    return out - (out >> 31 << 32)


def partition_of_group(group, partitions):
    """Of __consumer_offsets."""
    return (java_hash(group) & 0x7FFFFFFF) % partitions


def other_than_storage_error(address, topic, partition):
    """What a partition that is quarantined answers beside KAFKA_STORAGE_ERROR: any offset of it would move consumers."""
    with protocol.Client(address) as client:
        answers = {f"Fetch at {at}": fetch(client, topic, partition, at) for at in (0, 1, 5000, 2**40)}
        answers |= {f"ListOffsets {time}": list_offset(client, topic, partition, time)[0] for time in (-1, -2, -3, 0)}
        answers |= {f"DeleteRecords {before}": delete_records(client, topic, partition, before)[0] for before in (-1, 0, 1)}
        answers["OffsetForLeaderEpoch"] = end_of_epoch(client, topic, partition)[0]
        answers["DescribeProducers"] = producers(client, topic, partition)
    good = lambda what: INVALID_TOPIC_EXCEPTION if topic.startswith("__") and what.startswith("DeleteRecords") else STORAGE_ERROR
    return [f"{what}: {error}" for what, error in answers.items() if error != good(what)]
