# SPDX-License-Identifier: Apache-2.0
"""Each mistake in a schema is refused with its file and line. Method: one good schema, one edit at a time."""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import schema

GOOD = """\
api Thing
  key 7
  versions 0-3
  flexible 2+
  about A thing.
request
  name string null 1+
  parts []Part 1+
    id int32 = -1 -- Its number
    extra string 3+ null tag 0 = null
response
  code int16
  one Shared
  two Shared 2+
  struct Shared
    ok bool = true
"""

RECORD = """\
record State
  type 3
  versions 0-2
  flexible 2+
  about The state of a thing.
key
  name string
value
  state int8
"""


def load(text, name="thing.wire", more=()):
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / name).write_text(text)
        for other, content in more:
            place = pathlib.Path(folder) / other
            place.parent.mkdir(exist_ok=True)
            place.write_text(content)
        return schema.load(folder)


class GoodSchema(unittest.TestCase):
    def test_versions_are_cut_to_the_struct_around(self):
        request, response = load(GOOD)[0][0].messages
        part = request.structs[0]
        self.assertEqual(part.versions, schema.Range(1, 3))
        self.assertEqual([f.versions for f in part.fields], [schema.Range(1, 3), schema.Range(3, 3)])
        self.assertEqual(part.fields[0].doc, "Its number")
        self.assertEqual(request.root.fields[0].null, schema.Range(1, 3))
        self.assertEqual(response.structs[0].versions, schema.Range(0, 3))

    def test_least_size_of_an_element_is_over_all_versions(self):
        api = load(GOOD)[0][0]
        parts = api.messages[0].root.fields[1]
        self.assertEqual(schema.min_wire_bytes(parts, api), 4)

    def test_key_of_a_record_keeps_version_zero(self):
        record = load(GOOD, more=[("records/state.wire", RECORD)])[1][0]
        key, value = record.messages
        self.assertEqual((record.stem, key.name, value.name), ("record_state", "StateKey", "StateValue"))
        self.assertEqual((key.api.versions, key.api.flexible), (schema.Range(0, 0), None))
        self.assertEqual((value.api.versions, value.api.flexible), (schema.Range(0, 2), 2))


class Mistakes(unittest.TestCase):
    def refused(self, old, new, line, words, **more):
        self.assertIn(old, GOOD)
        with self.assertRaises(schema.SchemaError) as caught:
            load(GOOD.replace(old, new, 1), **more)
        self.assertRegex(str(caught.exception), rf"\.wire:{line}: .*{words}")

    def test_file_name_must_fit(self):
        self.refused("api Thing", "api Other", 1, "belongs into other.wire")

    def test_tab(self):
        self.refused("  code int16", "\tcode int16", 12, "tab")

    def test_odd_indent(self):
        self.refused("  code int16", "   code int16", 12, "multiple of two")

    def test_indented_below_a_scalar(self):
        self.refused("  code int16", "  code int16\n    more int16", 13, "below nothing")

    def test_unknown_type(self):
        self.refused("code int16", "code int24", 12, "unknown type 'int24'")

    def test_bad_field_name(self):
        self.refused("code int16", "Code int16", 12, "not a field name")
        self.refused("code int16", "operator int16", 12, "not a field name")

    def test_unreadable_rest(self):
        self.refused("code int16", "code int16 tag 0 3+", 12, "cannot read '3\\+'")
        self.refused("code int16", "code int16 sometimes", 12, "cannot read 'sometimes'")

    def test_bad_range(self):
        self.refused("parts []Part 1+", "parts []Part 1-", 8, "not a range")
        self.refused("parts []Part 1+", "parts []Part 3-1", 8, "empty range")

    def test_field_in_no_version_of_its_struct(self):
        self.refused("id int32", "id int32 0", 9, "none of the versions of Part")

    def test_tag_before_flexible_versions(self):
        self.refused("extra string 3+", "extra string 1+", 10, "have no tags")

    def test_tag_twice(self):
        self.refused("tag 0 = null", "tag 0 = null\n    other int8 3+ tag 0", 11, "tag 0 is already at")

    def test_field_twice(self):
        self.refused("code int16", "code int16\n  code int16", 13, "already at")

    def test_null_scalar(self):
        self.refused("code int16", "code int16 null", 12, "cannot be null")

    def test_defaults(self):
        self.refused("= -1", "= 2147483648", 9, "not a value of int32")
        self.refused("= -1", "= null", 9, "never null")
        self.refused("= true", "= 1", 16, "true or false")
        self.refused("name string", "name string = x", 7, "cannot read|no default")

    def test_structs(self):
        self.refused("  struct Shared\n    ok bool = true\n", "", 13, "Shared has no fields")
        self.refused("  two Shared 2+", "  two Shared 2+\n    ok bool", 16, "already defined")
        self.refused("ok bool = true", "ok bool = true\n  struct Lonely\n    a int8", 17, "not used")
        self.refused("ok bool = true", "again Shared", 15, "contains itself")
        self.refused("one Shared", "one Reader", 13, "C\\+\\+ type of ours")

    def test_sections(self):
        self.refused("response\n", "answer\n", 11, "expected one")
        self.refused("  key 7\n", "", 1, "needs 'key'")
        self.refused("key 7", "key seven", 2, "malformed attribute")
        self.refused("  versions 0-3\n", "", 5, "no 'versions' yet")

    def test_records(self):
        def refused(old, new, words, place="records/state.wire"):
            with self.assertRaisesRegex(schema.SchemaError, rf"state\.wire:\d+: .*{words}"):
                load(GOOD, more=[(place, RECORD.replace(old, new, 1))])
        refused("  type 3\n", "", "both 'type' and 'key'")
        refused("value\n", "request\n", "expected one")
        refused("  type 3", "  key 3", "malformed attribute")
        refused("", "", "stand in schemas/", place="state.wire")

    def test_key_twice(self):
        again = GOOD.replace("api Thing", "api Zebra")
        self.refused("api Thing", "api Thing", 1, "key 7 is taken", more=[("zebra.wire", again)])


if __name__ == "__main__":
    unittest.main()
