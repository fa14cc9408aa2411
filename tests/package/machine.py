# SPDX-License-Identifier: Apache-2.0
"""A machine to install on: this one, copy on write, with its packages and its database of them, and without its network of services.

What is written goes to a tmpfs that ends with the process. Needs root, overlayfs and own_mounts() before.
"""
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENTERED = "LEAT_OWN_MOUNTS"
#: In place of systemctl: notes what it was asked; all units run, and those are enabled that have a link.
SYSTEMCTL = """#!/bin/sh
echo "$*" >> /systemctl.log
link=/etc/systemd/system/multi-user.target.wants/leat.service
case "$*" in
  *is-enabled*) if [ -L $link ]; then echo enabled; fi ;;
  *preset*) mkdir -p ${link%/*} && ln -s /lib/systemd/system/leat.service $link ;;
esac
"""


def may_unshare(propagation):
    return subprocess.run(["unshare", "--mount", "--propagation", propagation, "true"], capture_output=True).returncode == 0


def missing():
    """What a machine needs and this one has not, or None."""
    if os.geteuid() != 0:
        return "root, who may mount and chroot"
    if not may_unshare("unchanged"):
        return "the right to mount"
    known = lambda: "\toverlay\n" in pathlib.Path("/proc/filesystems").read_text()  # noqa: E731
    if not known() and shutil.which("modprobe"):
        subprocess.run(["modprobe", "overlay"], capture_output=True)
    return None if known() else "overlayfs in the kernel"


def own_mounts():
    """Goes on in a mount namespace of one's own: whatever happens, nothing stays mounted."""
    if os.environ.get(ENTERED) != str(os.getppid()) and missing() is None:
        os.environ[ENTERED] = str(os.getpid())
        # In a chroot / is no mount of its own that could be made private.
        propagation = "private" if may_unshare("private") else "unchanged"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", propagation, "--fork", "--kill-child", sys.executable, "-B", *sys.argv])


class Machine:
    def __init__(self):
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="leat-machine-"))
        self.mount("-t", "tmpfs", "-o", "size=4g,mode=755", "tmpfs", self.place)
        self.root = self.place / "root"
        for name in ("upper", "work", "root"):
            (self.place / name).mkdir()
        # What is mounted below / is not seen: /run and with it a systemd that runs here, and this machine's other disks.
        self.mount("-t", "overlay", "-o", f"lowerdir=/,upperdir={self.place}/upper,workdir={self.place}/work", "overlay", self.root)
        for name in ("proc", "dev"):
            self.mount("--rbind", f"/{name}", self.root / name)
        self.mount("-t", "tmpfs", "tmpfs", self.root / "run")
        self.mount("-t", "tmpfs", "tmpfs", self.root / "tmp")
        (self.root / "tmp").chmod(0o1777)
        (self.root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)  # tools/setup puts one there while it installs.
        self.run("dpkg", "--purge", "leat", "libleat-dev", may_fail=True)

    @staticmethod
    def mount(*words):
        subprocess.run(["mount", *map(str, words)], check=True, capture_output=True)

    def close(self):
        subprocess.run(["umount", "--recursive", "--lazy", self.place], check=True)
        self.place.rmdir()

    def command(self, *words):
        return ["chroot", self.root, "env", "-i", f"PATH={PATH}", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", *map(str, words)]

    def run(self, *words, text=None, may_fail=False):
        """What it printed, both streams; raises AssertionError when it fails."""
        done = subprocess.run(self.command(*words), input=text, stdin=None if text else subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=240)
        if done.returncode and not may_fail:
            raise AssertionError(f"{shlex.join(map(str, words))}: {done.returncode}\n{done.stdout[-3000:]}")
        return done.stdout

    def dpkg(self, *words, packages=()):
        """dpkg on packages of this machine's; a configuration that forbids documents, as containers have it, does not count."""
        names = []
        for package in packages:
            names.append(f"/tmp/{package.name}")
            (self.root / names[-1].lstrip("/")).write_bytes(package.read_bytes())
        return self.run("dpkg", "--force-unsafe-io", "--path-include=*", *words, *names)

    def begin_systemd(self):
        """As if systemd ran: the scripts ask systemctl, which notes what."""
        (self.root / "run/systemd/system").mkdir(parents=True)
        systemctl = self.root / "usr/bin/systemctl"
        systemctl.unlink(missing_ok=True)
        systemctl.write_text(SYSTEMCTL)
        systemctl.chmod(0o755)

    def asked_systemd(self):
        """What it was told to do with leat.service since the last time."""
        log = self.root / "systemctl.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        verbs = [next(word for word in line.split() if not word.startswith("-")) for line in lines if line.endswith(("leat.service", "daemon-reload"))]
        return [verb for verb in verbs if not verb.startswith("is-")]
