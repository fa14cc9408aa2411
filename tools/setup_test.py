#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the scripts of a make target call is what tools/setup installs for that target: on a minimal Debian nothing else is there.

Method: from the scripts that the Makefile and add_test() name, and all that they import, every program that is called by its name;
in the pages that a test runs, every command. A program stands in PROGRAMS with the package that brings it, and a script that calls one that does
not is found too.
"""
import ast
import functools
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
#: In every Debian, whatever was installed.
ALWAYS = {"awk", "bash", "chmod", "chown", "chroot", "dpkg", "dpkg-query", "env", "find", "getent", "ldd", "ln", "rm", "sh", "stat"}
PROGRAMS = {
    "clang++-19": "clang-19", "clang-format-19": "clang-format-19", "clang-tidy-19": "clang-tidy-19", "cmake": "cmake", "cpack": "cmake",
    "ctest": "cmake", "curl": "curl", "dpkg-architecture": "dpkg-dev", "dpkg-deb": "dpkg", "findmnt": "util-linux", "g++-12": "g++-12", "git": "git",
    "java": "openjdk-17-jdk-headless", "javac": "openjdk-17-jdk-headless", "kadmin.local": "krb5-admin-server", "kcat": "kcat", "kdb5_util": "krb5-kdc",
    "kdestroy": "krb5-user", "kinit": "krb5-user", "krb5kdc": "krb5-kdc", "make": "make", "mkfs.ext4": "e2fsprogs", "mkfs.xfs": "xfsprogs",
    "mount": "mount", "mvn": "maven", "ninja": "ninja-build", "node": "nodejs", "npm": "npm", "objdump": "binutils", "openssl": "openssl",
    "pkg-config": "pkg-config", "prometheus": "prometheus", "python3": "python3", "setpriv": "util-linux", "ss": "iproute2",
    "strip": "binutils", "systemd-analyze": "systemd", "umount": "mount", "unshare": "util-linux", "valgrind": "valgrind",
} | dict.fromkeys(ALWAYS, "")
#: In scripts of that target, but not called by it, and why.
BEYOND = {
    "test": {"java": "beside Apache Kafka only", "javac": "beside Apache Kafka only", "mvn": "beside Apache Kafka only",
             "node": "another client's", "npm": "another client's", "mkfs.xfs": "the short form of the crash harness has ext4 alone",
             "modprobe": "asked for first", "ctest": "on_kafka.py runs beside Apache Kafka",
             "clang-format-19": "lint_test.py starts neither", "clang-tidy-19": "lint_test.py starts neither",
             "valgrind": "a cell of the bench, whose tests start none"},
    "interop": {"modprobe": "asked for first"},
    "bench": dict.fromkeys(("kadmin.local", "kdb5_util", "kinit", "krb5kdc"), "its logins are those of SCRAM"),
    "scale": {"java": "beside Apache Kafka only", "mvn": "beside Apache Kafka only"},
}
#: Functions of ours that take a program's words.
RUNNERS = {"run", "command", "output", "openssl", "run_in", "which", "_need", "execvp"}
TARGETS = ("test", "demo", "lint", "fuzz", "crash", "interop", "security", "scale", "bench")


def script_of(path):
    """The Python file that this one is, or hands over to; None for neither."""
    if path.suffix == ".py":
        return path
    named = re.search(r'exec python3 -B "\$\(dirname "\$0"\)/([\w/]+\.py)"', path.read_text())
    return path.parent / named.group(1) if named else None


def scripts_of_make(target):
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n|ifndef.*\n|endif\n)+)", (ROOT / "Makefile").read_text(), re.M).group(1)
    names = re.findall(r"(?<![\w/.])((?:tests|tools|bench|examples)/(?:[\w/]+\.py|(?:[\w/]+/)?run))\b", recipe)
    return {script_of(ROOT / name) for name in names} - {None}


def scripts_of_ctest():
    out = set()
    for listed in [ROOT / "CMakeLists.txt", *(ROOT / "cmake").glob("*.cmake"),
                   *(path for top in ("src", "tests", "bench", "examples") for path in (ROOT / top).rglob("CMakeLists.txt"))]:
        for where, name in re.findall(r'"\$\{(PROJECT_SOURCE_DIR|CMAKE_CURRENT_SOURCE_DIR)\}/([\w/${}]+\.py|run)"', listed.read_text()):
            top = ROOT if where == "PROJECT_SOURCE_DIR" else listed.parent
            out |= {script_of(path) for path in top.glob(re.sub(r"\$\{\w+\}", "*", name))}
    return out - {None}


@functools.cache
def tree_of(path):
    return ast.parse(path.read_text(), str(path))


@functools.cache
def folders():
    return [ROOT / "tools", ROOT / "bench", ROOT / "examples/demo", *(path for path in (ROOT / "tests").rglob("*") if path.is_dir())]


@functools.cache
def imports(path):
    """Files of ours, the importing one's own folder first; and those that it starts, whose names stand in it."""
    out = []
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"(?:tests|tools|bench|examples)/[\w/]+\.py", node.value):
            out += [ROOT / node.value] if (ROOT / node.value).is_file() else []
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module] if isinstance(node, ast.ImportFrom) else []
        for name in filter(None, names):
            found = [folder / f"{name}.py" for folder in (path.parent, *folders()) if (folder / f"{name}.py").is_file()]
            out += found[:1]
    return out


def with_imports(paths):
    seen, left = set(), list(paths)
    while left:
        path = left.pop()
        if path not in seen:
            seen.add(path)
            left += imports(path)
    return seen


def first_text(node):
    """Of a list or a word; None unless it is written there."""
    if isinstance(node, ast.List) and node.elts:
        node = node.elts[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@functools.cache
def calls(path):
    """{(program, whether it is one without doubt)} of all that a script may call."""
    out = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.List):
            out.add((first_text(node), False))
        if not isinstance(node, ast.Call) or not node.args:
            continue
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == "subprocess":
            out.add((first_text(node.args[0]), True))
        elif (name := getattr(node.func, "attr", getattr(node.func, "id", ""))) in RUNNERS:
            out |= {(first_text(word), name == "output" and not at) for at, word in enumerate(node.args[:2])}
    return out


def pages(path):
    """Pages that a script names."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[\w/-]+\.md", node.value):
            yield from (page for page in (ROOT / "docs/how-to" / node.value, ROOT / node.value) if page.is_file())


def commands(page):
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.S):
        yield from re.findall(r"(?:^|[|;&(]) *([\w.+-]+)", block, re.M)


def programs(paths, with_pages=False):
    """{program: a file that calls it}; unknown ones are there when they are programs without doubt."""
    out = {}
    for path in sorted(with_imports(paths)):
        for word, is_program in calls(path):
            if word and (word in PROGRAMS or is_program):
                out.setdefault(word, path.relative_to(ROOT))
        for page in pages(path) if with_pages else ():
            for word in commands(page):
                if word in PROGRAMS:
                    out.setdefault(word, page.relative_to(ROOT))
    return out


def installed_for(target):
    return set(subprocess.run([ROOT / "tools/setup", "--list", target], check=True, capture_output=True, text=True).stdout.split())


class Setup(unittest.TestCase):
    def test_every_program_of_a_target_comes_with_it(self):
        for target in TARGETS:
            found = programs(scripts_of_make(target) | (scripts_of_ctest() if target == "test" else set()), target == "test")
            has = installed_for(target)
            self.assertTrue(found, target)
            for program, where in found.items():
                if program in BEYOND.get(target, {}) or program in ALWAYS or PROGRAMS.get(program) == "dpkg":
                    continue
                with self.subTest(target, program=program):
                    self.assertIn(program, PROGRAMS, f"{where} calls {program}: name the package that brings it in PROGRAMS")
                    self.assertIn(PROGRAMS[program], has, f"{where} calls {program}, which `tools/setup {target}` does not install")

    def test_what_is_called_is_found(self):
        found = programs(scripts_of_ctest(), True)
        for program in ("ss", "mkfs.ext4", "umount", "krb5kdc", "prometheus", "kcat", "openssl", "g++-12", "unshare", "dpkg-deb"):
            self.assertIn(program, found)
        self.assertIn("npm", programs(scripts_of_make("demo")))
        for program in ("mvn", "strip"):
            self.assertIn(program, programs(scripts_of_make("bench")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
