#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian packages: what is in them, and what becomes of a machine on which they are installed, upgraded, removed and purged.

usage: deb_test.py BUILD [--packages FOLDER] [TEST...]

BUILD is a build folder whose targets leat and leat_sdk are there. The packages are those in FOLDER, as `make package` has just made them,
or made from BUILD. Needs dpkg-dev, file, binutils and pkg-config; to install also root and overlayfs (machine.py says how), to verify the unit
also systemd-analyze. What is not there is told as skipped, and counted; then it ends with exit code 3, which is not 0: nothing was proved.
"""
import argparse
import contextlib
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))
import machine  # noqa: E402
from package_test import block  # noqa: E402

OPTIONS = None
DOCS = "usr/share/doc/leat"
UNIT = "usr/lib/systemd/system/leat.service"
CONFIG = "etc/leat/leat.properties"
LINKED = "etc/systemd/system/multi-user.target.wants/leat.service"
#: Files of leat beside its documents.
FILES = {"usr/bin/leat", UNIT, "usr/lib/sysusers.d/leat.conf", CONFIG, "usr/share/bash-completion/completions/leat",
         "usr/share/zsh/vendor-completions/_leat", "usr/share/fish/vendor_completions.d/leat.fish"}
#: What the scripts run; all else on which leat depends is a library that it links to.
RUN_BY_SCRIPTS = {"adduser"}
#: What systemd gives a unit's exposure, ten times: a rule that is lost shows.
EXPOSURE_MAX = 20
PATIENCE_SECONDS = 60


def output(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def owner(path):
    """The Debian package that brings a file. /lib and /usr/lib are one folder, and dpkg knows either name."""
    # A link first, as the one to link to is of the -dev package and the library itself is not.
    names = [other for name in (str(path), os.path.realpath(path)) for other in (name, name.removeprefix("/usr"), f"/usr{name}")]
    for name in names:
        done = subprocess.run(["dpkg-query", "--search", name], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.split(":")[0]
    raise AssertionError(f"no package has {names}")


def package_names(relation):
    """The packages that answer a Depends field here: a name may be one that another package provides."""
    names = {re.match(r"[\w.+-]+", one.strip()).group() for one in relation.split(",") if one.strip()}
    rows = [line.split("|") for line in output("dpkg-query", "--showformat=${Package}|${db:Status-Status}|${Provides}\n", "--show").splitlines()]
    installed = {package for package, status, _ in rows if status == "installed"}
    providers = {re.match(r"[\w.+-]+", one.strip()).group(): package for package, status, provides in rows if status == "installed"
                 for one in provides.split(",") if one.strip()}
    return {name if name in installed else providers.get(name, f"{name}, which is not here") for name in names}


class Packages:
    """leat and libleat-dev, and what is in them."""

    def __init__(self, folder):
        found = {package.name.split("_")[0]: package for package in folder.glob("*.deb")}
        if found.keys() != {"leat", "libleat-dev"}:
            raise SystemExit(f"deb_test: in {folder} are {sorted(found)}, not leat and libleat-dev, each once")
        self.leat, self.dev = found["leat"], found["libleat-dev"]
        self.all = [self.leat, self.dev]
        self.trees = {}

    @staticmethod
    def field(package, name):
        return output("dpkg-deb", "--field", package, name).strip()

    def tree(self, package):
        if package not in self.trees:
            self.trees[package] = OPTIONS.place / f"{package.name}-files"
            output("dpkg-deb", "--extract", package, self.trees[package])
        return self.trees[package]

    def files(self, package):
        root = self.tree(package)
        return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir() or path.is_symlink()}

    def older(self, version, config):
        """leat as an earlier version might have been: with its own number and its own settings."""
        folder = OPTIONS.place / f"leat-{version}"
        output("dpkg-deb", "--raw-extract", self.leat, folder)
        control = folder / "DEBIAN/control"
        control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", control.read_text(), flags=re.M))
        (folder / CONFIG).write_text(config)
        package = OPTIONS.place / f"leat_{version}_older.deb"
        output("dpkg-deb", "--build", "-Znone", "--root-owner-group", folder, package)
        shutil.rmtree(folder)
        return package


def make_packages(build, folder):
    """Uncompressed, which saves a minute."""
    output("cpack", "--config", pathlib.Path(build) / "CPackConfig.cmake", "-G", "DEB", "-B", folder, "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=none")
    shutil.rmtree(folder / "_CPack_Packages")
    return Packages(folder)


class Contents(unittest.TestCase):
    def test_files_are_at_their_places(self):
        files = OPTIONS.packages.files(OPTIONS.packages.leat)
        self.assertEqual({name for name in files if not name.startswith(f"{DOCS}/")}, FILES)
        self.assertLess({f"{DOCS}/copyright", f"{DOCS}/README.md", f"{DOCS}/docs/how-to/run-as-a-service.md"}, files)
        dev = OPTIONS.packages.files(OPTIONS.packages.dev)
        self.assertEqual(files & dev, set())
        libraries = f"usr/lib/{output('dpkg-architecture', '-qDEB_HOST_MULTIARCH').strip()}"
        headers = {name for name in dev if name.startswith("usr/include/leat/")}
        self.assertGreater(len(headers), 50)
        self.assertEqual(dev - headers, {
            f"{libraries}/libleat-streams.a", f"{libraries}/pkgconfig/leat-streams.pc", f"{libraries}/cmake/leat/leat-config.cmake",
            f"{libraries}/cmake/leat/leat-config-version.cmake", "usr/share/doc/libleat-dev/copyright"})

    def test_all_belongs_to_root_and_nobody_else_writes(self):
        for package in OPTIONS.packages.all:
            for line in output("dpkg-deb", "--contents", package).splitlines():
                mode, who, *_, name = line.split()
                self.assertEqual(who, "root/root", line)
                executable = mode[0] == "d" or name == "./usr/bin/leat"
                self.assertEqual(mode[1:], "rwxr-xr-x" if executable else "rw-r--r--", line)

    def test_fields_say_what_it_is(self):
        version = output(OPTIONS.leat, "version").split()[1]
        for package, name, section in zip(OPTIONS.packages.all, ("leat", "libleat-dev"), ("net", "libdevel")):
            field = lambda one: OPTIONS.packages.field(package, one)  # noqa: E731
            self.assertEqual((field("Package"), field("Version"), field("Section"), field("Priority")), (name, version, section, "optional"))
            self.assertEqual(field("Architecture"), output("dpkg", "--print-architecture").strip())
            self.assertGreater(len(field("Description").splitlines()), 3)
            self.assertGreater(int(field("Installed-Size")), 1000)
            if not os.environ.get("DEBEMAIL"):  # Else it is whoever builds it.
                self.assertEqual(field("Maintainer"), "The Leat authors")

    def test_settings_are_known_as_the_operators(self):
        control = OPTIONS.place / "control"
        output("dpkg-deb", "--control", OPTIONS.packages.leat, control)
        in_etc = sorted(f"/{name}" for name in OPTIONS.packages.files(OPTIONS.packages.leat) if name.startswith("etc/"))
        self.assertEqual((control / "conffiles").read_text().split(), in_etc)
        for script in ("postinst", "prerm", "postrm"):
            self.assertEqual(stat.S_IMODE((control / script).stat().st_mode), 0o755)
            output("sh", "-n", control / script)

    def test_leat_depends_on_what_it_links_to(self):
        program = OPTIONS.packages.tree(OPTIONS.packages.leat) / "usr/bin/leat"
        needed = re.findall(r"^\s*NEEDED\s+(\S+)", output("objdump", "-p", program), re.M)
        self.assertGreater(len(needed), 5)
        where = dict(re.findall(r"^\s*(\S+) => (/\S+)", output("ldd", program), re.M))
        owners = {owner(where[name]) for name in needed if name in where}
        # The loader, ld-linux, is named by its path and is the C library's.
        self.assertLessEqual({name for name in needed if name not in where}, {name for name in needed if name.startswith("ld-linux")})
        self.assertEqual(package_names(OPTIONS.packages.field(OPTIONS.packages.leat, "Depends")) - RUN_BY_SCRIPTS, owners)

    def test_libleat_dev_depends_on_what_its_users_link_to(self):
        tree = OPTIONS.packages.tree(OPTIONS.packages.dev)
        page = next(tree.rglob("leat-streams.pc")).read_text()
        modules = re.search(r"^Requires: (.*)$", page, re.M).group(1).split()
        folders = output("pkg-config", "--variable=pc_path", "pkg-config").strip().split(":")
        brought = {owner(next(path for path in (pathlib.Path(folder, f"{module}.pc") for folder in folders) if path.exists()))
                   for module in modules}
        libraries = [name for name in re.findall(r"\s-l(\S+)", page) if name != "leat-streams"]
        self.assertTrue(libraries)
        folder = pathlib.Path("/usr/lib", output("dpkg-architecture", "-qDEB_HOST_MULTIARCH").strip())
        brought |= {owner(folder / f"lib{name}.so") for name in libraries}
        depends = package_names(OPTIONS.packages.field(OPTIONS.packages.dev, "Depends"))
        behind = set().union(*(package_names(output("dpkg-query", "--showformat=${Depends}", "--show", name)) for name in depends))
        self.assertLessEqual(brought, depends | behind)
        self.assertEqual(depends - brought, {"pkg-config"})

    def test_links_of_documents_lead_to_documents(self):
        docs = OPTIONS.packages.tree(OPTIONS.packages.leat) / DOCS
        pages, links = list(docs.rglob("*.md")), 0
        self.assertGreater(len(pages), 80)
        for page in pages:
            text = re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.S | re.M)
            for target in re.findall(r"\]\(([^()\s]+)\)", text):
                path = target.partition("#")[0]
                if path and not re.match(r"[a-z]+:", path):
                    links += 1
                    there = (page.parent / path).resolve()
                    self.assertTrue(there.exists() and docs in there.parents, f"{page.relative_to(docs)} links to {target}")
        self.assertGreater(links, 150)


@unittest.skipIf(machine.missing(), f"nothing is installed: it needs {machine.missing()}")
class Installed(unittest.TestCase):
    def setUp(self):
        self.on = machine.Machine()
        self.addCleanup(self.on.close)

    def install(self, *packages, options=()):
        return self.on.dpkg("--install", *options, packages=packages or OPTIONS.packages.all)

    def at(self, path):
        return self.on.root / path

    def user(self):
        return self.on.run("getent", "passwd", "leat").strip().split(":")

    def test_an_installed_machine_has_user_data_folder_and_service(self):
        self.install()
        for name in ("leat", "libleat-dev"):
            self.assertEqual(self.on.run("dpkg-query", "--showformat=${Status}", "--show", name), "install ok installed")
            self.assertEqual(self.on.run("dpkg", "--verify", name), "")
        _, _, uid, _, _, home, shell = self.user()
        self.assertLess(int(uid), 1000)
        self.assertEqual((home, shell), ("/var/lib/leat", "/usr/sbin/nologin"))
        self.assertEqual(self.on.run("stat", "--format=%U:%G %a", "/var/lib/leat").strip(), "leat:leat 750")
        self.assertEqual(list(self.at("var/lib/leat").iterdir()), [])
        self.assertTrue(os.path.lexists(self.at(LINKED)))
        self.assertEqual(self.on.run("leat", "version"), output(OPTIONS.leat, "version"))
        # systemd would make the same user; it finds it made.
        self.assertIn(f'u leat - "{self.user()[4].split(",")[0]}" {home}', self.at("usr/lib/sysusers.d/leat.conf").read_text())

    @unittest.skipUnless(shutil.which("systemd-analyze"), "the unit is not verified: there is no systemd-analyze (package systemd)")
    def test_systemd_takes_the_unit(self):
        self.install(OPTIONS.packages.leat)
        said = self.on.run("systemd-analyze", "verify", "--man=no", f"/{UNIT}")
        self.assertEqual([line for line in said.splitlines() if "leat" in line], [])
        self.on.run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", "--no-pager", f"/{UNIT}")
        # Its page is there, and the check above does find mistakes.
        page = re.search(r"^Documentation=file://(\S+)$", self.at(UNIT).read_text(), re.M).group(1)
        self.assertTrue(self.at(page.lstrip("/")).exists())
        self.at(UNIT).write_text(self.at(UNIT).read_text().replace("/usr/bin/leat", "/usr/bin/leet"))
        self.assertIn("leet", self.on.run("systemd-analyze", "verify", "--man=no", f"/{UNIT}", may_fail=True))

    @contextlib.contextmanager
    def served(self):
        """The command of the unit, as its user; gives the address."""
        command = re.search(r"^ExecStart=(.*)$", self.at(UNIT).read_text(), re.M).group(1).split()
        log = OPTIONS.place / "service.log"
        with log.open("wb") as sink:
            service = subprocess.Popen(self.on.command("setpriv", "--reuid=leat", "--regid=leat", "--init-groups", "--no-new-privs", *command),
                                       stdout=subprocess.PIPE, stderr=sink, stdin=subprocess.DEVNULL, text=True)
        try:
            line = service.stdout.readline()
            found = re.search(r"127\.0\.0\.1:\d+", line)
            self.assertTrue(found, f"{line}{log.read_text()}")
            yield found.group()
        finally:
            service.terminate()
            code = service.wait(PATIENCE_SECONDS)
            service.stdout.close()
        self.assertEqual(code, 0, log.read_text())

    def read(self, address):
        return self.on.run("sh", "-c", f"leat consume kept --from beginning --until-end --format '%v\\n' -b {address} 2>/dev/null")

    def test_settings_and_data_outlive_upgrade_removal_and_purge(self):
        shipped = (OPTIONS.packages.tree(OPTIONS.packages.leat) / CONFIG).read_text()
        mine = "listeners=PLAINTEXT://127.0.0.1:0\nleat.http.listen=\n"
        self.install(OPTIONS.packages.older("0.0.1", "# settings of 0.0.1\n"))
        self.at(CONFIG).write_text(mine)
        with self.served() as address:
            self.on.run("leat", "produce", "kept", "-b", address, text="one\ntwo\n")
        held = self.on.run("find", "/var/lib/leat", "-type", "f", "-printf", "%p %s %U\n")
        self.assertIn(f" {self.user()[2]}\n", held)

        # Both have changed the file: the operator's stays and the new one lies beside it.
        self.install(options=["--force-confdef", "--force-confold"])
        self.assertEqual(self.at(CONFIG).read_text(), mine)
        self.assertEqual(self.at(f"{CONFIG}.dpkg-dist").read_text(), shipped)
        self.assertEqual(self.on.run("find", "/var/lib/leat", "-type", "f", "-printf", "%p %s %U\n"), held)
        with self.served() as address:
            self.assertEqual(self.read(address), "one\ntwo\n")
            self.on.run("leat", "produce", "kept", "-b", address, text="three\n")

        self.on.run("dpkg", "--remove", "leat")
        self.assertFalse(self.at("usr/bin/leat").exists())
        self.assertEqual(self.at(CONFIG).read_text(), mine)
        said = self.on.run("dpkg", "--purge", "leat")
        self.assertIn("/var/lib/leat and the user leat were kept", said)
        self.assertFalse(self.at(CONFIG).exists())
        self.assertFalse(os.path.lexists(self.at(LINKED)))
        self.assertEqual(self.user()[0], "leat")

        self.install(OPTIONS.packages.leat)
        self.at(CONFIG).write_text(mine)
        with self.served() as address:
            self.assertEqual(self.read(address), "one\ntwo\nthree\n")

    def test_settings_that_nobody_changed_follow_the_package(self):
        self.install(OPTIONS.packages.older("0.0.2", "# settings of 0.0.2\n"))
        self.assertEqual(self.at(CONFIG).read_text(), "# settings of 0.0.2\n")
        self.install(OPTIONS.packages.leat)
        self.assertEqual(self.at(CONFIG).read_text(), (OPTIONS.packages.tree(OPTIONS.packages.leat) / CONFIG).read_text())
        self.assertFalse(self.at(f"{CONFIG}.dpkg-dist").exists())

    def test_rights_that_an_operator_gave_the_settings_stay(self):
        self.install(OPTIONS.packages.older("0.0.3", "# settings of 0.0.3\n"))
        self.on.run("chown", "root:leat", f"/{CONFIG}")
        self.on.run("chmod", "640", f"/{CONFIG}")
        self.install(OPTIONS.packages.leat)
        self.assertEqual(self.on.run("stat", "--format=%U:%G %a", f"/{CONFIG}").strip(), "root:leat 640")

    def test_the_service_follows_the_package(self):
        self.on.begin_systemd()
        self.install(OPTIONS.packages.older("0.0.4", "# settings of 0.0.4\n"))
        self.assertEqual(self.on.asked_systemd(), ["preset", "daemon-reload", "start"])
        self.install(OPTIONS.packages.leat)
        self.assertEqual(self.on.asked_systemd(), ["daemon-reload", "restart"])
        # An operator who disabled it is not overruled by an upgrade.
        self.on.run("rm", f"/{LINKED}")
        self.install(OPTIONS.packages.leat)
        self.assertFalse(os.path.lexists(self.at(LINKED)))
        self.assertEqual(self.on.asked_systemd(), ["daemon-reload", "restart"])
        self.on.run("ln", "-s", f"/{UNIT}", f"/{LINKED}")
        # A removal that is given up, as for another package's sake, starts it again.
        self.on.run("sh", "/var/lib/dpkg/info/leat.prerm", "remove")
        self.on.run("sh", "/var/lib/dpkg/info/leat.postinst", "abort-remove")
        self.assertEqual(self.on.asked_systemd(), ["stop", "daemon-reload", "start"])
        self.on.run("dpkg", "--remove", "leat")
        self.assertEqual(self.on.asked_systemd(), ["stop", "daemon-reload"])

    def test_a_program_is_built_with_the_library(self):
        self.install(OPTIONS.packages.dev)
        folder = self.at("tmp/hello")
        folder.mkdir()
        (folder / "hello.cc").write_text(block("cpp"))
        (folder / "CMakeLists.txt").write_text(block("cmake"))
        shutil.copy(HERE / "Makefile", folder)
        self.on.run("make", "-C", "/tmp/hello", "hello", "CXX=clang++-19", "CXXFLAGS=-O0")
        self.assertTrue((folder / "hello").exists())
        said = self.on.run("env", "CXX=clang++-19", "cmake", "-S", "/tmp/hello", "-B", "/tmp/hello/build")
        self.assertIn("Generating done", said)


def main():
    global OPTIONS
    machine.own_mounts()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--packages", type=pathlib.Path)
    OPTIONS, rest = parser.parse_known_args()
    OPTIONS.leat = OPTIONS.build.resolve() / "bin/leat"
    with tempfile.TemporaryDirectory(prefix="leat-deb-") as place:
        OPTIONS.place = pathlib.Path(place)
        begun = time.monotonic()
        OPTIONS.packages = Packages(OPTIONS.packages) if OPTIONS.packages else make_packages(OPTIONS.build, OPTIONS.place / "made")
        print(f"deb_test: {', '.join(package.name for package in OPTIONS.packages.all)}, after {time.monotonic() - begun:.0f} s", file=sys.stderr)
        result = unittest.main(argv=[sys.argv[0], *rest], verbosity=2, exit=False).result
    if not result.wasSuccessful():
        return 1
    return 3 if result.skipped else 0


if __name__ == "__main__":
    sys.exit(main())
