# SPDX-License-Identifier: Apache-2.0
"""Rights, SCRAM users, quotas and delegation tokens through kills and power cuts, with several administrators at once.

Each administrator makes, changes and deletes what is its own, one request after the other, until the backbone goes away. After the restart all
is read and held against what was answered (control_history.py), and some users log in with the password that they were given last.
"""
import base64
import hashlib
import hmac
import os
import pathlib
import random
import signal
import sys
import threading
import time

import control_history
import load
import power

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
import protocol  # noqa: E402

ACKNOWLEDGED_MIN = 100
NAMES = 12  # Of each administrator: few, so that the same is made and deleted many times.
ADMINISTRATORS = 2  # Of each kind.
PASSWORD = "of-the-administrator"
SETTINGS = [
    "listener.security.protocol.map=PLAINTEXT:SASL_PLAINTEXT", "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256", "super.users=User:admin",
    "delegation.token.secret.key=of-tokens",
    "listener.name.plaintext.plain.sasl.jaas.config="
    f'org.apache.kafka.common.security.plain.PlainLoginModule required user_admin="{PASSWORD}";']
#: Errors after which it is open whether it was done: unknown, timed out, storage.
IN_DOUBT = (-1, 7, 56)
DAY_MS = 24 * 3600 * 1000
TOPIC, LITERAL, READ, ALLOW, ANY = 2, 3, 3, 3, 1
SHA_256 = 1
#: What is written down wrongly, every fifth time -> the rule that finds it, and of which kinds.
KINDS = ("acl", "user", "quota", "token")
LIES = {"create_unsent": ("lost", KINDS), "delete_unsent": ("came back", KINDS), "change_unsent": ("altered", KINDS[1:]),
        "create_unlogged": ("phantom", KINDS)}
MUTANTS = {  # Environment -> how it must be found. What a start has to sync first still is: else it would not start again, which shows less.
    "metadata.behind": ({"LEAT_FAULTS": "metadata.behind"}, "kill"),
    "metadata.db-wal is not synced": ({"LEAT_FAULT_DISK": "skip:sync:metadata.db-wal:30"}, "power"),
}
#: Whoever answers nothing, or refuses all, has lost nothing.
PROVES_NOTHING = (*load.PROVES_NOTHING, "broke off", "in doubt", "refused", "not readable")


class InDoubt(Exception):
    """Nobody knows whether it was done."""


class Refused(Exception):
    """Nothing of the load may be."""


def good(answer):
    """The answer, or the first of its parts."""
    code = answer["error_code"]
    if code in IN_DOUBT:
        raise InDoubt(str(answer))
    if code:
        raise Refused(str(answer))
    return answer


class Connection(protocol.Client):
    """As the administrator, or by SCRAM as a user."""

    def __init__(self, address, user=None, password=None):
        super().__init__(address, "control-plane", patience=20)
        if user is None:
            self.call("SaslHandshake", 1, mechanism="PLAIN")
            good(self.call("SaslAuthenticate", 2, auth_bytes=f"\0admin\0{PASSWORD}".encode()))
            return
        self.call("SaslHandshake", 1, mechanism="SCRAM-SHA-256")
        step = lambda text: good(self.call("SaslAuthenticate", 2, auth_bytes=text.encode()))["auth_bytes"].decode()
        bare = f"n={user},r={base64.b64encode(os.urandom(18)).decode()}"
        first = step(f"n,,{bare}")
        said = dict(part.split("=", 1) for part in first.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(said["s"]), int(said["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        final = f"c=biws,r={said['r']}"
        mac = hmac.digest(hashlib.sha256(key).digest(), f"{bare},{first},{final}".encode(), "sha256")
        step(f"{final},p={base64.b64encode(bytes(a ^ b for a, b in zip(key, mac))).decode()}")


class Acls:
    """Whether a rule is there."""

    def value(self, _rng):
        return 1

    def put(self, client, name, _value, _old):
        good(client.call("CreateAcls", 3, creations=[{
            "resource_type": TOPIC, "resource_name": "t", "resource_pattern_type": LITERAL, "principal": f"User:{name}", "host": "*",
            "operation": READ, "permission_type": ALLOW}])["results"][0])

    def delete(self, client, name, _old):
        found = good(client.call("DeleteAcls", 3, filters=[{
            "resource_type_filter": ANY, "resource_name_filter": None, "pattern_type_filter": ANY, "principal_filter": f"User:{name}",
            "host_filter": None, "operation": ANY, "permission_type": ANY}])["filter_results"][0])
        if len(found["matching_acls"]) != 1:
            raise Refused(str(found))

    def seen(self, client):
        answer = good(client.call("DescribeAcls", 3, resource_type_filter=ANY, resource_name_filter=None, pattern_type_filter=ANY,
                                  principal_filter=None, host_filter=None, operation=ANY, permission_type=ANY))
        return {acl["principal"].split(":")[1]: 1 for resource in answer["resources"] for acl in resource["acls"]}


class Users:
    """The iterations, which tell the password."""

    def value(self, rng):
        return 4096 + rng.randrange(2000)

    def put(self, client, name, value, _old):
        salt = os.urandom(16)
        salted = hashlib.pbkdf2_hmac("sha256", password_of(value).encode(), salt, value)
        good(client.call("AlterUserScramCredentials", 0, upsertions=[{
            "name": name, "mechanism": SHA_256, "iterations": value, "salt": salt, "salted_password": salted}])["results"][0])

    def delete(self, client, name, _old):
        good(client.call("AlterUserScramCredentials", 0, deletions=[{"name": name, "mechanism": SHA_256}])["results"][0])

    def seen(self, client):
        answer = good(client.call("DescribeUserScramCredentials", 0, users=None))
        return {one["user"]: one["credential_infos"][0]["iterations"] for one in answer["results"]}


class Quotas:
    """A producer's rate: of a user, of a client id, of both."""

    def value(self, rng):
        return rng.randrange(1, 2**40)

    def entity(self, name):
        return [{"entity_type": kind, "entity_name": name} for kind in (("user",), ("client-id",), ("user", "client-id"))[len(name) % 3]]

    def alter(self, client, name, **change):
        good(client.call("AlterClientQuotas", 1, entries=[{"entity": self.entity(name), "ops": [{"key": "producer_byte_rate", **change}]}])["entries"][0])

    def put(self, client, name, value, _old):
        self.alter(client, name, value=value)

    def delete(self, client, name, _old):
        self.alter(client, name, remove=True)

    def seen(self, client):
        answer = good(client.call("DescribeClientQuotas", 1, components=[], strict=False))
        out = {}
        for entry in answer["entries"]:
            names = {part["entity_name"] for part in entry["entity"]}
            name = names.pop()
            is_its = not names and {part["entity_type"] for part in entry["entity"]} == {part["entity_type"] for part in self.entity(name)}
            out[name if is_its else str(entry["entity"])] = int(entry["values"][0]["value"])
        return out


class Tokens:
    """The expiry; each is known by the name of its renewer, since a token whose creation was not answered has no other. Ask for value():
    what is answered is within it."""

    def __init__(self):
        self.hmacs = {}

    def value(self, rng):
        return rng.randrange(DAY_MS // 24, DAY_MS)

    def span(self, old, value):
        """Of the expiry that it may have."""
        now = int(time.time() * 1000)
        period = DAY_MS if old is control_history.ABSENT else value
        return now + period - 1000, now + period + 60_000

    def put(self, client, name, value, old):
        if old is not control_history.ABSENT:
            return good(client.call("RenewDelegationToken", 2, hmac=self.hmacs[name], renew_period_ms=value))["expiry_timestamp_ms"]
        answer = good(client.call("CreateDelegationToken", 3, owner_principal_type=None, owner_principal_name=None, max_lifetime_ms=-1,
                                  renewers=[{"principal_type": "User", "principal_name": name}]))
        self.hmacs[name] = answer["hmac"]
        return answer["expiry_timestamp_ms"]

    def delete(self, client, name, _old):
        good(client.call("ExpireDelegationToken", 2, hmac=self.hmacs[name], expiry_time_period_ms=-1))

    def seen(self, client):
        tokens = good(client.call("DescribeDelegationToken", 3, owners=None))["tokens"]
        self.hmacs = {one["renewers"][0]["principal_name"]: one["hmac"] for one in tokens}
        return {one["renewers"][0]["principal_name"]: one["expiry_timestamp"] for one in tokens}


def password_of(iterations):
    return f"password-{iterations}"


class Administrator(threading.Thread):
    """Its history is its own: nobody else touches its names."""

    def __init__(self, run, kind, number):
        super().__init__(daemon=True)
        self.run_, self.kind, self.what = run, kind, run.kinds[kind]
        self.names = [f"{kind}-{number}-" + "x" * (1 + i) for i in range(NAMES)]
        self.rng = random.Random(run.rng.random())
        self.is_unanswered, self.count, self.lies_left = False, 0, 4
        self.trouble = None  # (rule, what): nothing but the cut may end it.

    def run(self):
        try:
            with Connection(self.run_.broker.address) as client:
                while True:
                    self.one(client)
        except (OSError, protocol.Closed, InDoubt) as why:
            if not self.run_.is_cut:
                self.trouble = "in doubt" if isinstance(why, InDoubt) else "broke off", repr(why)
        except Exception as why:  # noqa: BLE001: whatever it was is a finding.
            self.trouble = "refused", repr(why)

    def one(self, client):
        history, name = self.run_.history, self.rng.choice(self.names)
        key = (self.kind, name)
        old = history.now(key)
        value = control_history.ABSENT
        if old is control_history.ABSENT or (self.kind != "acl" and self.rng.random() < 0.5):
            value = self.what.value(self.rng)
        self.count += 1
        lie = self.run_.lie(old, value) if self.count % 5 == 0 and self.lies_left else None
        self.lies_left -= lie is not None
        if lie == "create_unlogged":
            self.what.put(client, name + "-unlogged" + str(self.count), value, old)
            self.run_.lied.add(self.kind)
            return
        span = value if value is control_history.ABSENT or self.kind != "token" else self.what.span(old, value)
        if not lie:
            history.ask(key, span)
        self.is_unanswered = True
        answered = None
        if not lie:
            answered = self.what.delete(client, name, old) if value is control_history.ABSENT else self.what.put(client, name, value, old)
        self.is_unanswered = False
        history.answer(key, span if answered is None else answered)
        if lie:
            self.names.remove(name)  # What follows would be refused.
            self.run_.lied.add(self.kind)


class Run:
    def __init__(self, options, folder, data, environment=None, lie=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.rng = random.Random(options.seed)
        self.environment, self.asked_lie = environment or {}, lie
        self.broker = load.Broker(options.leat, data, SETTINGS, folder / "broker.log")
        self.history = control_history.History()
        self.lied = set()  # Kinds of which a wrong line is written down.
        self.kinds = {"acl": Acls(), "user": Users(), "quota": Quotas(), "token": Tokens()}
        self.administrators = []
        self.is_cut = False  # From here on the broker may fail whoever asks it.

    def lie(self, old, value):
        absent = control_history.ABSENT
        kind = "create" if old is absent else "delete" if value is absent else "change"
        return self.asked_lie if self.asked_lie and self.asked_lie.startswith(kind) else None

    def start(self):
        if not self.broker.start(self.environment):
            raise load.Broken(f"leat serve does not start, see {self.broker.log}")

    def work(self):
        """Until there are enough acknowledgements; the administrators go on."""
        self.administrators = [Administrator(self, kind, number) for kind in KINDS for number in range(ADMINISTRATORS)]
        self.is_cut = False
        wanted = self.history.acknowledged + ACKNOWLEDGED_MIN
        for one in self.administrators:
            one.start()
        what = f"{ACKNOWLEDGED_MIN} acknowledgements" + (", and a lie of each kind" if self.asked_lie else "")
        load.wait_for(what, lambda: self.is_enough(wanted) or self.has_trouble(), 60, load.Stuck)
        time.sleep(self.rng.uniform(0, 0.05))
        if self.has_trouble():
            for one in self.administrators:
                self.tell(one)
            self.broker.check()
            raise load.Broken(f"before the cut, {max(wanted - self.history.acknowledged, 0)} acknowledgements short of {ACKNOWLEDGED_MIN}")

    def is_enough(self, wanted):
        kinds = set(LIES[self.asked_lie][1]) if self.asked_lie else set()
        return self.history.acknowledged >= wanted and kinds <= self.lied

    def has_trouble(self):
        return not self.broker.is_running() or any(one.trouble for one in self.administrators)

    def tell(self, one):
        if one.trouble:
            rule, what = one.trouble
            self.history.findings[rule].append(f"{one.kind}: {what}")

    def gone(self):
        """The broker is: whether requests were in flight."""
        for one in self.administrators:
            one.join(30)
            if one.is_alive():
                raise load.Broken("a client does not see that the broker is gone")
            self.tell(one)
        return any(one.is_unanswered for one in self.administrators)

    def look(self):
        try:
            with Connection(self.broker.address) as client:
                self.history.look({(kind, name): value for kind, what in self.kinds.items() for name, value in what.seen(client).items()})
            users = sorted((name, value[0]) for (kind, name), value in self.history.possible.items() if kind == "user" and value[0])
            for name, iterations in self.rng.sample(users, min(3, len(users))):
                self.log_in(name, iterations)
        except (OSError, protocol.Closed, InDoubt, Refused) as why:
            self.history.findings["not readable"].append(repr(why))

    def log_in(self, name, iterations):
        try:
            Connection(self.broker.address, name, password_of(iterations)).socket.close()
        except Refused as why:
            self.history.findings["login"].append(f"{name}: {why}")

    def end(self):
        self.is_cut = True
        self.broker.kill()
        for one in self.administrators:
            one.join(30)
        self.history.findings.update(self.broker.fallen())


def through(run, cycles, progress, cut):
    """Returns (counted cycles, history, findings): `cut()` ends the broker and gives back its disk."""
    counted = 0
    history = run.history
    try:
        run.start()
        tried = 0
        while counted < cycles and not history.findings and tried < 5 * cycles:
            tried += 1
            run.work()
            run.is_cut = True
            cut(tried)
            counted += run.gone()
            run.start()
            run.look()
            progress.at(counted, f" cuts, {history.acknowledged} acknowledged")
        if counted < cycles and not history.findings:
            history.findings["broken"].append(f"{counted} of {tried} cuts had requests in flight")
    except load.Broken as why:
        history.findings[load.rule_of(why)].append(str(why))
    finally:
        run.end()
    return counted, history, dict(history.findings)


def kills(options, cycles, environment=None, lie=None):
    folder = options.folder / f"control-{len(list(options.folder.iterdir()))}"
    run = Run(options, folder, folder / "data", environment, lie)
    return through(run, cycles, options.progress("control plane, kill -9", cycles), lambda _: run.broker.kill())


def power_cuts(options, kind, cycles, environment=None):
    """Every other one stops the process first; in the rest it lives on over a file system that has given up."""
    folder = options.folder / f"control-{kind}-{len(list(options.folder.iterdir()))}"
    folder.mkdir()
    disk = power.LoopDisk(kind, folder)
    disk.mount()
    run = Run(options, folder, disk.mount_point / "data", environment)

    def cut(number):
        if number % 2:
            run.broker.process.send_signal(signal.SIGSTOP)
            disk.cut()
        else:
            disk.cut()
            time.sleep(run.rng.uniform(0.005, 0.05))
        run.broker.kill()
        disk.unmount()
        disk.mount()

    try:
        return through(run, cycles, options.progress(f"control plane, power cuts, {kind}", cycles), cut)
    finally:
        disk.close()


def lies_found(lie, findings):
    """By its rule alone, of each kind that can have it."""
    rule, kinds = LIES[lie]
    return set(findings) == {rule} and {text.split()[0] for text in findings[rule]} == set(kinds)
