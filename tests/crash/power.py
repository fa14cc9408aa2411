# SPDX-License-Identifier: Apache-2.0
"""A file system on a loop device whose power can be cut: the SHUTDOWN ioctl drops what was not synced, and the next mount replays the
journal as after a real cut. Needs root."""
import fcntl
import os
import pathlib
import struct
import subprocess
import time

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, XFS_IOC_GOINGDOWN
NO_LOG_FLUSH = 2
MAKE = {"ext4": ["mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0"], "xfs": ["mkfs.xfs", "-q", "-f"]}


class LoopDisk:
    def __init__(self, kind, folder, mib=1024, options=()):
        self.kind, self.options = kind, options
        self.image = pathlib.Path(folder) / f"{kind}.img"
        self.mount_point = pathlib.Path(folder) / kind
        self.mount_point.mkdir(parents=True, exist_ok=True)
        with open(self.image, "wb") as file:
            file.truncate(mib * 2**20)
        subprocess.run([*MAKE[kind], str(self.image)], check=True)
        self.mounted = False

    def mount(self):
        subprocess.run(["mount", "-o", ",".join(["loop", *self.options]), str(self.image), str(self.mount_point)], check=True)
        self.mounted = True

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.mount_point)], check=True)

    def fail(self):
        """The kernel finds an error, as far as ext4 knows."""
        found = subprocess.run(["findmnt", "-no", "SOURCE", str(self.mount_point)], check=True, capture_output=True, text=True)
        pathlib.Path("/sys/fs/ext4", pathlib.Path(found.stdout.strip()).name, "trigger_fs_error").write_text("crash run")

    def cut(self):
        """From here on nothing reaches the disk; open files answer EIO."""
        fd = os.open(self.mount_point, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(fd)

    def unmount(self):
        """The processes on it are gone; the kernel may need a moment to let go."""
        for _ in range(200):
            if subprocess.run(["umount", str(self.mount_point)], stderr=subprocess.DEVNULL).returncode == 0:
                self.mounted = False
                return
            time.sleep(0.02)
        raise RuntimeError(f"{self.mount_point} stays busy")

    def close(self):
        if self.mounted:
            self.unmount()
        self.image.unlink(missing_ok=True)
