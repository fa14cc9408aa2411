#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules that a script can check, on every file that git knows (or would take in).

    tools/tidy.py             prints findings, exit code 1 when there are any
    tools/tidy.py --shrink    lowers tools/tidy_baseline.txt to what is still found
    tools/tidy.py --rules     prints the rules

Findings that stood when a rule came are counted in tools/tidy_baseline.txt. That list may only shrink.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASELINE = ROOT / "tools" / "tidy_baseline.txt"
HEADER_LINES_MAX = 200
SOURCE_LINES_SOFT = 500
SOURCE_LINES_MAX = 800
README_LINES_MAX = 60
FILE_BYTES_MAX = 200 * 1024
EXCUSE = "// tidy: long because "
WAIVER = "// tidy: right here, "

RULES = {
    "size": f"header <= {HEADER_LINES_MAX} lines, source <= {SOURCE_LINES_SOFT} (to {SOURCE_LINES_MAX} with '{EXCUSE}...'), "
            f"test and Python <= {SOURCE_LINES_MAX}",
    "big-file": f"no file over {FILE_BYTES_MAX // 1024} KiB",
    "header-block": "C++ starts with the SPDX line; a header says its purpose and 'Layer:' before #pragma once",
    "threading": "each class of a product header says 'Threading:' in the comment above it, or once at the top of the file",
    "test-name": "TEST(Thing, OutcomeUnderCondition): PascalCase, at least two words",
    "todo": "'TODO(#123): text' is the only form",
    "banned": f"words with a better replacement; a line may say '{WAIVER}why'",
    "co-await-brace": "arguments of a co_await are built in a named local first",
    "link": "links and paths in documents exist, and documents that code names",
    "machine-path": "no path of one machine",
    "corpus": "each fuzz target has a corpus in tests/corpus/<target>",
    "module-readme": f"each folder under src/ has a README.md of at most {README_LINES_MAX} lines",
    "decision": "docs/decisions/NNNN-title.md, each number once and listed in the README.md there",
    "map": "the map in README.md lists each folder, and no other",
    "drawer": "no folder or file called utils, common, misc or helpers",
    "unread-setting": "a field that settings fill is read somewhere; a setting that does nothing has none and says 'effective = false'",
}

# (pattern on code without comments and strings, replacement, folders under src/ where it is right)
BANNED = [
    (r"\bstd::j?thread\b", "rt::BlockingPool or a shard's Executor", {"rt"}),
    (r"\bsystem_clock::now\b", "rt::Executor::wall_now()", {"rt"}),
    (r"\bsteady_clock::now\b", "rt::Executor::now()", {"rt", "client"}),  # client blocks on its own sockets
    (r"(?<![\w:>.])s?rand\s*\(", "testkit::Random or rt::Executor::random()", set()),
    (r"\bstd::(random_device|mt19937\w*)\b", "testkit::Random or rt::Executor::random()", {"rt"}),
    (r"\bstd::(cout|cerr)\b", "apps::write_out(), apps::say() or a log line", set()),
    (r"\bstd::endl\b", "'\\n'", set()),
    (r"\bthrow\b", "Result<T> and Errc", set()),
    (r"(?<![\w.])new\s+[A-Za-z_:]", "std::make_unique", set()),
    (r"\bstd::regex\b", "a hand-written scan: std::regex recurses on the input's length", set()),
    (r"\b(this_thread::sleep_\w+|usleep|nanosleep)\b", "a timer of rt::Executor; a manual clock in tests", {"rt"}),
    (r"(?<![\w.])assert\s*\(", "LEAT_CHECK, which stays on in every build", set()),
    (r"\busing namespace (?!std::(chrono_)?literals|std::string_view_literals)", "qualified names", set()),
    (r"\bcatch\s*\(\s*\.\.\.\s*\)", "a named exception type at the wrapper that calls the thrower", set()),
]

# Programs and harnesses stand outside the product: they may read clocks and run threads.
PRODUCT = re.compile(r"src/(?!testkit/)")
MACHINE_PATH = re.compile(r"(?<![\w$}./-])/(work|root|home/\w+)/")
# Made at build time from schemas/, so a document may name them.
GENERATED = ("wire/messages/", "wire/records/")


# The structs that rows of settings fill.
SETTINGS = ("src/config/broker_config.h", "src/config/topic_config.h")
SETTINGS_FIELD = re.compile(r"^    [\w:]+(?:<[^;()]*>)? (\w+)(?: = [^;]*|\{[^;]*\})?;", re.M)


def tracked():
    done = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True,
                          check=True)
    names = sorted({os.fsdecode(name) for name in done.stdout.split(b"\0") if name})
    return [name for name in names if (ROOT / name).is_file() and not (ROOT / name).is_symlink()]


def code_of(text):
    """The text with comments and string contents blanked, line breaks kept."""
    def blank(match):
        found = match[0]
        if found[0] == "R":
            return "\n" * found.count("\n")
        if found[0] in "\"'":
            return found[0] + " " * (len(found) - 2) + found[-1]
        return re.sub(r"[^\n]", " ", found)
    return re.sub(r'R"(\w*)\((?:.|\n)*?\)\1"|//[^\n]*|/\*(?:.|\n)*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
                  blank, text)


class Tidy:
    def __init__(self):
        self.names = tracked()
        self.findings = []  # (rule, path, line, text)
        self.texts = {}

    def text(self, name):
        if name not in self.texts:
            self.texts[name] = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        return self.texts[name]

    def found(self, rule, name, line, text):
        self.findings.append((rule, name, line, text))

    def run(self):
        for name in self.names:
            self.check_file(name)
            if name.endswith((".h", ".cc")):
                self.check_cpp(name)
            if name.endswith(".py"):
                self.check_python_size(name)
            if name.endswith(".md"):
                self.check_document(name)
        self.check_folders()
        self.check_map()
        self.check_settings()
        return self.findings

    def check_file(self, name):
        size = (ROOT / name).stat().st_size
        if size > FILE_BYTES_MAX:
            self.found("big-file", name, 1, f"{size} bytes; generate it, shrink it, or split it by what it holds")
        if re.search(r"(^|/)(utils?|common|misc|helpers?)(/|\.|$)", name):
            self.found("drawer", name, 1, "name the idea, or put it beside its one user")
        if name.startswith(("tests/corpus/", "tests/fixtures/")) or size > FILE_BYTES_MAX:
            return
        for number, line in enumerate(self.text(name).splitlines(), 1):
            if MACHINE_PATH.search(line):
                self.found("machine-path", name, number, line.strip()[:100])
            if name.endswith((".h", ".cc", ".py", ".cmake", ".def", "CMakeLists.txt")) and name not in ("tools/tidy.py", "tools/tidy_test.py"):
                for page in re.findall(r"(?<![\w/])docs/[\w/-]+\.md", line):
                    if page not in self.names:
                        self.found("link", name, number, f"{page} does not exist")
                if re.search(r"\b(FIXME|XXX)\b", line) or re.search(r"\bTODO\b(?!\(#\d+\): \S)", line):
                    self.found("todo", name, number, line.strip()[:100])

    def check_cpp(self, name):
        text = self.text(name)
        lines = text.splitlines()
        if not lines or lines[0] != "// SPDX-License-Identifier: Apache-2.0":
            self.found("header-block", name, 1, "the first line is not '// SPDX-License-Identifier: Apache-2.0'")
        self.check_size(name, text, len(lines))
        code = code_of(text)
        if name.endswith(".h"):
            self.check_header(name, text, lines)
        if name.endswith("_test.cc"):
            self.check_test_names(name, code)
        self.check_banned(name, code)

    def check_size(self, name, text, count):
        is_test = name.endswith("_test.cc")
        if name.endswith(".h"):
            if count > HEADER_LINES_MAX and EXCUSE not in text:
                self.found("size", name, count, f"{count} lines; a header has at most {HEADER_LINES_MAX}")
        elif count > SOURCE_LINES_MAX:
            self.found("size", name, count, f"{count} lines, more than {SOURCE_LINES_MAX}; split it by the state it owns")
        elif count > SOURCE_LINES_SOFT and not is_test and EXCUSE not in text:
            self.found("size", name, count, f"{count} lines, more than {SOURCE_LINES_SOFT}; split it, or say '{EXCUSE}...'")

    def check_python_size(self, name):
        count = len(self.text(name).splitlines())
        if count > SOURCE_LINES_MAX:
            self.found("size", name, count, f"{count} lines, more than {SOURCE_LINES_MAX}; split it by theme")

    def check_header(self, name, text, lines):
        top = text.partition("#pragma once")[0]
        if "#pragma once" not in text:
            self.found("header-block", name, 1, "no #pragma once")
        if "Layer:" not in top and name.startswith("src/"):
            self.found("header-block", name, 1, "no 'Layer:' in the comment at the top")
        if len(re.findall(r"^// \S", top, re.M)) < 2:
            self.found("header-block", name, 1, "no sentence of purpose at the top")
        if not PRODUCT.match(name) or "/testing/" in name or "Threading:" in top:
            return
        for number, line in enumerate(lines):
            # A specialisation keeps the contract of its template.
            if not re.match(r"class (\[\[\w+\]\] )?[A-Z]\w*(?!<)\b[^;<]*$", line):
                continue
            above = number - 1
            while above >= 0 and re.match(r"\s*///|template|  +|requires", lines[above]):
                above -= 1
            if not any("Threading:" in row for row in lines[above + 1:number]):
                self.found("threading", name, number + 1, f"{line.strip()}: immutable, shard-local, thread-safe or not synchronised?")

    def check_test_names(self, name, code):
        for match in re.finditer(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", code, re.M):
            suite, case = match[1], match[2]
            words = re.findall(r"[A-Z][a-z0-9]*|[0-9]+", case)
            if not re.fullmatch(r"([A-Z][A-Za-z0-9]*)", suite) or not re.fullmatch(r"[A-Z][A-Za-z0-9]*", case) or len(words) < 2:
                line = code.count("\n", 0, match.start()) + 1
                self.found("test-name", name, line, f"{suite}.{case}: name the outcome and the condition")

    def check_banned(self, name, code):
        if not PRODUCT.match(name) or name.endswith(("_bench.cc", "_fuzz.cc")):
            return
        folder = name.split("/")[1]
        is_program = folder == "apps"
        lines = self.text(name).splitlines()
        for pattern, instead, allowed in BANNED:
            if folder in allowed or (is_program and "clock" in pattern):
                continue
            for match in re.finditer(pattern, code):
                number = code.count("\n", 0, match.start()) + 1
                # A constructor that only its factory may call is out of make_unique's reach.
                owned = re.search(r"\b(unique|shared)_ptr<[^;]*>\s*\w*\s*[({]\s*$", code[:match.start()]) and "make_unique" in instead
                if not owned and WAIVER not in lines[number - 1]:
                    self.found("banned", name, number, f"{match[0].strip()}: use {instead}")
        for match in re.finditer(r"\bco_await\b[^;]*?\(\s*[A-Za-z_:]*\{", code):
            self.found("co-await-brace", name, code.count("\n", 0, match.start()) + 1, "build the argument in a named local first")

    def check_document(self, name):
        folder = pathlib.PurePosixPath(name).parent
        fenced = False
        for number, line in enumerate(self.text(name).splitlines(), 1):
            if line.lstrip().startswith("```"):
                fenced = not fenced
            if fenced:
                continue
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                path = target.partition("#")[0]
                if path and "://" not in path and not (ROOT / folder / path).exists():
                    self.found("link", name, number, f"{target} does not exist")
            for path in re.findall(r"`([\w./*-]+)`", line):
                if self.is_path(path) and not self.exists(path, folder):
                    self.found("link", name, number, f"`{path}` does not exist")

    def is_path(self, path):
        """Does it name a file or folder of ours? Ours start with a folder of the root or of src/ and have an ending, or end in /."""
        head = path.split("/")[0]
        if "/" not in path or path.startswith(("/", "build/", *GENERATED)) or re.search(r"NNNN|\bx_|/x\.|<", path):
            return False
        known = (ROOT / head).is_dir() or (ROOT / "src" / head).is_dir()
        return known and (path.endswith("/") or re.search(r"\.(h|cc|md|py|toml|wire|cmake|def|json|inc|service|txt)$", path) is not None
                          or path.startswith(("src/", "docs/", "tests/", "tools/", "examples/", "bench/")))

    def exists(self, path, folder):
        for base in (ROOT, ROOT / "src", ROOT / folder):
            if any(base.glob(path.rstrip("/"))):
                return True
        return False

    def check_folders(self):
        for name in self.names:
            if name.startswith("src/") and name.endswith("_fuzz.cc"):
                corpus = ROOT / "tests" / "corpus" / pathlib.PurePosixPath(name).stem
                if not corpus.is_dir() or not any(corpus.iterdir()):
                    self.found("corpus", name, 1, f"tests/corpus/{corpus.name} is empty or missing")
        for folder in sorted({name.split("/")[1] for name in self.names if re.match(r"src/\w+/", name)}):
            readme = f"src/{folder}/README.md"
            if readme not in self.names:
                self.found("module-readme", readme, 1, "is missing: purpose, what is not here, main types, threads, admission")
            elif (count := len(self.text(readme).splitlines())) > README_LINES_MAX:
                self.found("module-readme", readme, count, f"{count} lines")

        index = "docs/decisions/README.md"
        listed = self.text(index) if index in self.names else None
        numbers = {}
        for name in (one for one in self.names if re.match(r"docs/decisions/(?!README)", one)):
            number = re.fullmatch(r"docs/decisions/(\d{4})-[a-z0-9-]+\.md", name)
            if not number or numbers.setdefault(number[1], name) != name:
                self.found("decision", name, 1, "no number of its own: take the next free one")
            elif listed is not None and f"({pathlib.PurePosixPath(name).name})" not in listed:
                self.found("decision", name, 1, f"{index} does not list it")

    def check_map(self):
        if "README.md" not in self.names:
            self.found("map", "README.md", 1, "is missing")
            return
        rows = re.findall(r"^\| `([\w./]+)/` \|", self.text("README.md"), re.M)
        tops = {name.split("/")[0] for name in self.names if "/" in name} - {".ci"}
        folders = tops - {"src"} | {f"src/{name}" for name in tomllib.loads(self.text("src/layers.toml"))}
        for row in sorted(set(rows) - folders):
            if not (ROOT / row).is_dir():
                self.found("map", "README.md", 1, f"the map lists `{row}/`, which does not exist")
        for folder in sorted(folders - set(rows)):
            if (ROOT / folder).is_dir():
                self.found("map", "README.md", 1, f"the map does not list `{folder}/`")

    def check_settings(self):
        read = set()
        for name in self.names:
            if not name.startswith("src/") or not name.endswith((".h", ".cc")):
                continue
            if "/testing/" not in name and not re.search(r"_(test|fuzz|bench)\.cc$", name):
                read.update(re.findall(r"(?:\.|->)(\w+)\b(?!\s*=[^=])", code_of(self.text(name))))
        for name in (one for one in SETTINGS if one in self.names):
            code = code_of(self.text(name))
            for field in SETTINGS_FIELD.finditer(code):
                if field[1] not in read:
                    self.found("unread-setting", name, code.count("\n", 0, field.start()) + 1, f"nobody reads {field[1]}: what it is set to does nothing")


def read_baseline():
    counts = collections.Counter()
    if BASELINE.exists():
        for line in BASELINE.read_text().splitlines():
            if line and not line.startswith("#"):
                rule, name, count = line.split()
                counts[rule, name] = int(count)
    return counts


def write_baseline(counts):
    head = ("# Findings of tools/tidy.py that stood when their rule came: rule, file, how many. May only shrink:\n"
            "# `tools/tidy.py --shrink` lowers it.\n")
    rows = [f"{rule} {name} {count}\n" for (rule, name), count in sorted(counts.items()) if count]
    BASELINE.write_text(head + "".join(rows))


def main(arguments):
    if arguments == ["--rules"]:
        for rule, text in RULES.items():
            print(f"{rule:<16} {text}")
        return 0
    if arguments not in ([], ["--shrink"]):
        print(__doc__, file=sys.stderr)
        return 2
    findings = Tidy().run()
    now = collections.Counter((rule, name) for rule, name, _, _ in findings)
    baseline = read_baseline()
    if arguments == ["--shrink"]:
        write_baseline({key: min(count, now[key]) for key, count in baseline.items()})
        return 0
    bad = 0
    for rule, name, line, text in findings:
        if now[rule, name] > baseline[rule, name]:
            print(f"{name}:{line}: {text} [{rule}]")
            bad += 1
    for (rule, name), count in sorted(baseline.items()):
        if now[rule, name] < count:
            print(f"tools/tidy_baseline.txt: {rule} {name} has {now[rule, name]} findings, not {count}: run tools/tidy.py --shrink")
            bad += 1
    print(f"tidy: {bad} findings" if bad else f"tidy ok: {len(RULES)} rules, {sum(baseline.values())} old findings in the baseline")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
