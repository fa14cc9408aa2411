#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of tidy.py finds what it is there for, and leaves alone what is right. Works on small trees of its own."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tidy  # noqa: E402

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
HEAD = SPDX + "//\n// A thing. Layer: base (L0).\n#pragma once\n\n"
README = "| folder | holds |\n|---|---|\n| `src/base/` | b |\n| `src/rt/` | r |\n"
GOOD = {
    "src/layers.toml": "[base]\ndeps = []\n[rt]\ndeps = [\"base\"]\n",
    "src/base/README.md": "# base\n",
    "src/rt/README.md": "# rt\n",
    "src/base/thing.h": HEAD + "/// A thing. Threading: immutable.\nclass Thing {\n};\n",
    "src/base/thing.cc": SPDX + "// throw and new Thing in a comment, \"assert(x)\" in text\nstatic const char* kText = \"std::cout << 1\";\n"
                                "std::unique_ptr<Thing> out{new Thing{1}};\n",
    "README.md": README,
}


def rules(files):
    """The rules found in GOOD changed by `files` (None removes one)."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        subprocess.run(["git", "init", "-q", folder], check=True)
        for name, text in {**GOOD, **files}.items():
            if text is None:
                continue
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        before, tidy.ROOT = tidy.ROOT, root
        try:
            return sorted({rule for rule, *_ in tidy.Tidy().run()})
        finally:
            tidy.ROOT = before


class Rules(unittest.TestCase):
    def test_good_tree_has_no_findings(self):
        self.assertEqual(rules({}), [])

    def test_every_rule_is_named_and_tried_here(self):
        text = pathlib.Path(__file__).read_text()
        for rule in tidy.RULES:
            self.assertIn(f'["{rule}"]', text, f"no test here finds {rule}")

    def finds(self, files, expected):
        self.assertEqual(rules(files), expected)

    def test_long_header(self):
        self.finds({"src/base/long.h": HEAD + "int x;\n" * 200}, ["size"])

    def test_long_source(self):
        self.finds({"src/base/long.cc": SPDX + "int x;\n" * 500}, ["size"])
        self.finds({"src/base/long.cc": SPDX + "// tidy: long because it is a table\n" + "int x;\n" * 600}, [])
        self.finds({"src/base/long.cc": SPDX + "// tidy: long because it is a table\n" + "int x;\n" * 900}, ["size"])

    def test_long_script(self):
        self.finds({"src/base/long_test.py": "x = 1\n" * 800}, [])
        self.finds({"src/base/long_test.py": "x = 1\n" * 801}, ["size"])

    def test_big_file(self):
        self.finds({"docs.bin": "x" * (201 * 1024)}, ["big-file"])

    def test_missing_spdx_or_layer(self):
        self.finds({"src/base/a.cc": "int x;\n"}, ["header-block"])
        self.finds({"src/base/a.h": SPDX + "//\n// A thing.\n#pragma once\n"}, ["header-block"])

    def test_class_without_threading(self):
        self.finds({"src/base/a.h": HEAD + "/// A thing.\nclass Other final : public Thing {\n};\n"}, ["threading"])
        self.finds({"src/base/a.h": HEAD + "class Forward;\nenum class E { kA };\n"}, [])

    def test_test_without_outcome(self):
        self.finds({"src/base/a_test.cc": SPDX + "TEST(Thing, Works) {}\n"}, ["test-name"])
        self.finds({"src/base/a_test.cc": SPDX + "TEST(Thing, GrowsWhenFull) {}\n"}, [])

    def test_todo_without_issue(self):
        self.finds({"src/base/a.cc": SPDX + "// TODO later\n"}, ["todo"])
        self.finds({"src/base/a.cc": SPDX + "// TODO(#12): later\n"}, [])

    def test_each_banned_word(self):
        for word in ("std::thread t;", "std::chrono::system_clock::now();", "steady_clock::now();", "x = rand();", "std::mt19937 r;",
                     "std::cout << 1;", "a << std::endl;", "throw 1;", "auto* p = new Thing{};", "std::regex r;",
                     "std::this_thread::sleep_for(x);", "assert(x);", "using namespace std;", "catch (...) {}"):
            self.finds({"src/base/a.cc": SPDX + word + "\n"}, ["banned"])
        self.finds({"src/base/a.cc": SPDX + "throw 1;  // tidy: right here, it never runs.\n"}, [])
        self.finds({"src/rt/a.cc": SPDX + "std::thread t; system_clock::now();\n"}, [])

    def test_brace_in_await(self):
        self.finds({"src/base/a.cc": SPDX + "co_await send(Options{1, 2});\n"}, ["co-await-brace"])

    def test_dead_link(self):
        self.finds({"docs.md": "see [this](gone.md)\n"}, ["link"])
        self.finds({"docs.md": "see `src/base/gone.h`\n"}, ["link"])
        self.finds({"src/base/a.cc": SPDX + "// Spec: docs/gone.md\n"}, ["link"])
        self.finds({"src/base/a.cc": SPDX + "// Spec: docs/there.md, docs/*.md\n", "docs/there.md": "#\n",
                    "README.md": README + "| `docs/` | d |\n"}, [])
        self.finds({"docs.md": "see `base/thing.h`, `src/base/*.cc`\n```\n[x](gone.md)\n```\n"}, [])

    def test_path_of_a_machine(self):
        for folder in ("work", "root", "home/ann"):
            self.finds({"a.sh": f"cd /{folder}/leat\n"}, ["machine-path"])

    def test_fuzz_target_without_corpus(self):
        self.finds({"src/base/a_fuzz.cc": SPDX}, ["corpus"])

    def test_folder_without_readme(self):
        self.finds({"src/base/README.md": None}, ["module-readme"])

    def test_map_that_misses_or_invents(self):
        self.finds({"README.md": README + "| `src/gone/` | g |\n"}, ["link", "map"])
        self.finds({"tools/x.py": "#\n"}, ["map"])

    def test_decision_without_a_number_of_its_own(self):
        row = {"README.md": README + "| `docs/` | d |\n"}
        self.finds({**row, "docs/decisions/loop.md": "#\n"}, ["decision"])
        self.finds({**row, "docs/decisions/0001-a.md": "#\n", "docs/decisions/0001-b.md": "#\n"}, ["decision"])
        self.finds({**row, "docs/decisions/0001-a.md": "#\n", "docs/decisions/0002-b.md": "#\n"}, [])

    def test_decision_that_is_not_listed(self):
        row = {"README.md": README + "| `docs/` | d |\n", "docs/decisions/0001-a.md": "#\n"}
        self.finds({**row, "docs/decisions/README.md": "#\n"}, ["decision"])
        self.finds({**row, "docs/decisions/README.md": "[0001](0001-a.md)\n"}, [])

    def test_drawer(self):
        self.finds({"src/base/utils.h": HEAD}, ["drawer"])

    def test_field_of_settings_that_nobody_reads(self):
        tree = {"README.md": README + "| `src/config/` | c |\n", "src/config/README.md": "# config\n",
                "src/layers.toml": GOOD["src/layers.toml"] + "[config]\ndeps = []\n",
                "src/config/topic_config.h": HEAD + "/// Threading: immutable.\nstruct TopicConfig {\n    std::int32_t replicas = 1;\n};\n"}
        self.finds(tree, ["unread-setting"])
        self.finds({**tree, "src/config/topic_config.cc": SPDX + "int x = into<&TopicConfig::replicas>;\n"}, ["unread-setting"])
        self.finds({**tree, "src/base/use.cc": SPDX + "void f() { c.replicas = 1; }\n"}, ["unread-setting"])
        self.finds({**tree, "src/base/use_test.cc": SPDX + "int x = c.replicas;\n"}, ["unread-setting"])
        self.finds({**tree, "src/base/use.cc": SPDX + "int x = c->replicas;\n"}, [])


class Baseline(unittest.TestCase):
    def test_only_shrinks(self):
        with tempfile.TemporaryDirectory() as folder:
            before, tidy.BASELINE = tidy.BASELINE, pathlib.Path(folder, "b.txt")
            try:
                tidy.write_baseline({("size", "a.cc"): 2, ("todo", "b.cc"): 0})
                self.assertEqual(tidy.read_baseline(), {("size", "a.cc"): 2})
            finally:
                tidy.BASELINE = before


if __name__ == "__main__":
    unittest.main()
