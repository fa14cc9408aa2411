# SPDX-License-Identifier: Apache-2.0
"""What authorization adds to a produce of one small batch: instructions of the broker, counted by callgrind.

    instructions.py PROGRAM [--rules 10000] [--requests 2000]

The same requests to a broker without an authorizer and to one with that many access rules; one shard, durability of the kernel, so that
nothing but the request is counted: the difference between two numbers of requests, divided by their difference.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parents[0] / "interop"))
sys.path.insert(0, str(HERE.parents[0] / "system"))
import protocol  # noqa: E402
import raw_client  # noqa: E402

SECRET = "secret-of-both"
SETTINGS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer", "auto.create.topics.enable": "false",
    "sasl.enabled.mechanisms": "PLAIN", "super.users": "User:admin",
    "listener.name.sasl_plaintext.plain.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required " +
    " ".join(f'user_{name}="{SECRET}"' for name in ("admin", "alice")) + ";"}


def connect(address, user=None):
    client = protocol.Client(address, patience=300)
    if user:
        client.call("SaslHandshake", 1, mechanism="PLAIN")
        answer = client.call("SaslAuthenticate", 2, auth_bytes=f"\0{user}\0{SECRET}".encode())
        if answer["error_code"]:
            raise RuntimeError(f"{user}: {answer}")
    return client


class Counted(raw_client.Broker):
    def command(self):
        out = self.folder / "callgrind.out"
        return ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--error-limit=no", *super().command()]

    def instructions(self):
        text = (self.folder / "callgrind.out").read_text()
        return int(re.search(r"^(?:summary|totals): (\d+)", text, re.M).group(1))


def run(program, rules, requests):
    """Instructions of a whole life with that many requests."""
    settings = ["leat.shards=1", "leat.durability=os"]
    listen = "127.0.0.1:0"
    if rules is not None:
        settings += [f"{k}={v}" for k, v in SETTINGS.items()]
        listen = "SASL_PLAINTEXT://127.0.0.1:0"
    broker = Counted(program, *settings, listen=(listen,))
    address = "{}:{}".format(*broker.address)
    try:
        admin = connect(address, user="admin" if rules is not None else None)
        admin.call("CreateTopics", 5, topics=[{"name": "t", "num_partitions": 1, "replication_factor": 1}], timeout_ms=60_000)
        if rules:
            creations = [{"resource_type": 2, "resource_name": f"topic-{i % 5000}", "resource_pattern_type": 3 + i % 2,
                          "principal": f"User:u{i % 100}", "host": "*", "operation": 3 + i % 2, "permission_type": 3}
                         for i in range(rules - 1)]
            creations.append({"resource_type": 2, "resource_name": "t", "resource_pattern_type": 3, "principal": "User:alice", "host": "*",
                              "operation": 4, "permission_type": 3})
            for at in range(0, len(creations), 2000):
                admin.call("CreateAcls", 2, creations=creations[at:at + 2000])
        client = connect(address, user="alice" if rules is not None else None)
        records = raw_client.batch([b"x" * 100])
        for _ in range(requests):
            answer = client.call("Produce", 9, transactional_id=None, acks=1, timeout_ms=60_000,
                                 topic_data=[{"name": "t", "partition_data": [{"index": 0, "records": records}]}])
            code = answer["responses"][0]["partition_responses"][0]["error_code"]
            assert code == 0, code
        broker.stop()
        return broker.instructions()
    finally:
        broker.__exit__(None)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rules", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=2_000)
    args = parser.parse_args()
    per_request = {}
    # Valgrind reads no DWARF 5.
    with tempfile.TemporaryDirectory() as folder:
        program = f"{folder}/leat"
        subprocess.run(["strip", "--strip-debug", "-o", program, args.program], check=True)
        measure(program, args, per_request)
    base, more = per_request.values()
    print(f"authorization adds {100 * (more - base) / base:+.2f} %")


def measure(program, args, per_request):
    for name, rules in (("without an authorizer", None), (f"with {args.rules} rules", args.rules)):
        few, many = (run(program, rules, n) for n in (args.requests // 4, args.requests + args.requests // 4))
        per_request[name] = (many - few) / args.requests
        print(f"{name}: {per_request[name]:.0f} instructions a request", flush=True)


if __name__ == "__main__":
    main()
