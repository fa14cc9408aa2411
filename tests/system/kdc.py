# SPDX-License-Identifier: Apache-2.0
"""A Kerberos KDC of our own with the service kafka/localhost and the users alice and bob/admin, for tests on this machine."""
import os
import pathlib
import socket
import subprocess
import time

REALM = "TEST.LEAT"
# Name of a principal, and of its key table.
PRINCIPALS = (("kafka/localhost", "server"), ("alice", "alice"), ("bob/admin", "bob"))


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Kdc:
    """`environment` is what a process needs to be of its realm; alice has a ticket. Key tables: table("alice")."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).absolute()
        self.port = _free_port()
        self.config = self.folder / "krb5.conf"
        self.environment = {"KRB5_CONFIG": str(self.config), "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf"),
                            "KRB5CCNAME": f"FILE:{self.folder}/ccache", "PATH": os.environ["PATH"] + ":/usr/sbin"}

    def table(self, name):
        return str(self.folder / f"{name}.keytab")

    def run(self, *command, good=True):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, env=os.environ | self.environment)
        if good and done.returncode != 0:
            raise RuntimeError(f"{command}: {done.returncode} {done.stdout} {done.stderr}")
        return done

    def write_configuration(self):
        self.config.write_text(
            f"[libdefaults]\ndefault_realm = {REALM}\ndns_lookup_kdc = false\ndns_lookup_realm = false\nrdns = false\n"
            "dns_canonicalize_hostname = false\nudp_preference_limit = 1\n"
            f"[realms]\n{REALM} = {{\n kdc = 127.0.0.1:{self.port}\n}}\n[domain_realm]\nlocalhost = {REALM}\n")
        (self.folder / "kdc.conf").write_text(
            f"[kdcdefaults]\nkdc_listen = 127.0.0.1:{self.port}\nkdc_tcp_listen = 127.0.0.1:{self.port}\n"
            f"[realms]\n{REALM} = {{\n database_name = {self.folder}/principal\n key_stash_file = {self.folder}/stash\n"
            f" acl_file = {self.folder}/acl\n}}\n[logging]\nkdc = FILE:{self.folder}/kdc.log\n")

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write_configuration()
        self.run("kdb5_util", "create", "-s", "-r", REALM, "-P", "master")
        for name, table in PRINCIPALS:
            self.run("kadmin.local", "-q", f"addprinc -randkey {name}")
            self.run("kadmin.local", "-q", f"ktadd -k {self.table(table)} {name}")
        # Keys that alice had once: taking new ones made them void.
        self.run("kadmin.local", "-q", f"ktadd -k {self.table('stale')} alice")
        os.remove(self.table("alice"))
        self.run("kadmin.local", "-q", f"ktadd -k {self.table('alice')} alice")
        self.process = subprocess.Popen(["krb5kdc", "-n"], env=os.environ | self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            if self.run("kinit", "-kt", self.table("alice"), "alice", good=False).returncode == 0:
                return self
            time.sleep(0.1)
        self.stop()
        raise RuntimeError("the KDC gives no ticket")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
