# SPDX-License-Identifier: Apache-2.0
"""What a process used, what the machine is, and the preparation before a run."""
import os
import pathlib
import subprocess

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of the whole process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def user_seconds(pid):
    """The part of cpu_seconds() that is no system call."""
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11]) / TICKS


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"no VmRSS of {pid}")


def folder_bytes(folder):
    """Allocated bytes of all files under a folder."""
    return sum(p.stat().st_blocks * 512 for p in pathlib.Path(folder).rglob("*") if p.is_file())


def meminfo(name):
    """Bytes, of a line of /proc/meminfo."""
    return next(int(l.split()[1]) * 1024 for l in pathlib.Path("/proc/meminfo").read_text().splitlines() if l.startswith(name + ":"))


class HeldMemory:
    """Memory that the host cannot take back: free memory, touched, goes to the page cache as pages of one file that is a single hole.

    A virtual machine's free memory may return to the host within seconds, and touching it again costs more than two brokers differ by.
    Pages of a file are not free, and what writes to the page cache takes them without touching anything for the first time.
    """

    ROOM = 2**30  # stays free

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / f"leat-bench-held-{os.getpid()}"

    def fill(self, gib):
        size, step, block = min(int(gib * 2**30), meminfo("MemTotal")), 2**28, bytearray(2**22)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(file, size)
            for start in range(0, size, step):
                if meminfo("MemFree") < self.ROOM + step:
                    return
                for at in range(start, start + step, len(block)):
                    os.preadv(file, [block], at)
        finally:
            os.close(file)

    def drop(self):
        self.path.unlink(missing_ok=True)


def drop_caches():
    os.sync()
    pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")


def describe():
    cpu = next((l.split(":")[1].strip() for l in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if l.startswith("model name")), "?")
    memory = meminfo("MemTotal") / 2**30
    return f"{os.cpu_count()} x {cpu}, {memory:.0f} GiB, Linux {os.uname().release}"


def commit(root):
    done = subprocess.run(["git", "-C", str(root), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    # Reports of the runs before it are no change of what is run.
    paths = [":/", ":(top,exclude)docs/proof"]
    dirty = subprocess.run(["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no", "--", *paths], capture_output=True, text=True)
    return (done.stdout.strip() or "unknown") + (" with changes" if dirty.stdout.strip() else "")
