# SPDX-License-Identifier: Apache-2.0
"""Writes the C++ of the messages: one header a message, one source an API, the tables of APIs."""
import re

from schema import SCALARS, Range, is_flexible, min_wire_bytes, snake, span

CPP = {"bool": "bool", "int8": "std::int8_t", "int16": "std::int16_t", "uint16": "std::uint16_t",
       "int32": "std::int32_t", "int64": "std::int64_t", "float64": "double", "uuid": "Uuid",
       "string": "std::string_view", "bytes": "Bytes", "records": "Records"}
CALL = {"bool": "boolean", "int8": "i8", "int16": "i16", "uint16": "u16", "int32": "i32", "int64": "i64",
        "float64": "f64", "uuid": "uuid"}


def banner(api, what):
    path = f"schemas/{'records/' if api.kind == 'record' else ''}{api.path.name}"
    return (f"// SPDX-License-Identifier: Apache-2.0\n//\n// {what} Layer: wire (L2).\n"
            f"// Written by tools/wiregen from {path}; change that file instead.\n")


def element_type(entry, scope=""):
    return scope + entry.type if entry.struct else CPP[entry.type]


def cpp_type(entry):
    inner = element_type(entry)
    if entry.is_array:
        inner = f"std::span<{inner}>"
    elif entry.struct:
        return f"{inner}*" if entry.null else inner
    if entry.null and entry.type != "records" or entry.null and entry.is_array:
        return f"std::optional<{inner}>"
    return inner


def literal(entry):
    value, kind = entry.default, entry.type
    if kind == "int64" and value == str(-(2**63)):
        return "INT64_MIN"
    if kind == "int32" and value == str(-(2**31)):
        return "INT32_MIN"
    return value


def initializer(entry):
    if entry.default == "null":
        return "{nullptr}" if entry.struct and not entry.is_array else "{}"
    if entry.default is not None:
        return f" = {literal(entry)}"
    if entry.is_array:
        return "{std::in_place}" if entry.null else "{}"
    if entry.struct:
        return " = nullptr" if entry.null else "{}"
    if entry.null and entry.type != "records":
        return "{std::in_place}"
    if entry.type in SCALARS and entry.type != "uuid":
        return {"bool": " = false", "float64": " = 0.0"}.get(entry.type, " = 0")
    return "{}"


def describe(entry, struct):
    parts = []
    if entry.versions != struct.versions:
        lo, hi = entry.versions.lo, entry.versions.hi
        parts.append(f"versions {lo}+" if hi == struct.versions.hi else f"version {lo}" if lo == hi else f"versions {lo}-{hi}")
    if entry.null and entry.null != entry.versions:
        parts.append(f"null in {entry.null.lo}-{entry.null.hi}")
    if entry.tag is not None:
        parts.append(f"tag {entry.tag}")
    text = ", ".join(parts)
    if entry.doc:
        text = f"{entry.doc} ({text})" if text else entry.doc
    return f"  ///< {text[:1].upper() + text[1:]}" if text else ""


def struct_body(struct, indent):
    lines = []
    for entry in struct.fields:
        lines.append(f"{indent}{cpp_type(entry)} {entry.name}{initializer(entry)};{describe(entry, struct)}")
    return lines


def header(api, messages):
    keys = '#include "wire/api_keys.h"\n' if api.kind == "api" else ""
    out = [banner(api, f"{' and '.join(m.name for m in messages)}: {api.about}"), "#pragma once\n",
           f'{keys}#include "wire/types.h"\n', "namespace leat::wire {\n", "class Reader;", "class Writer;\n"]
    for message in messages:
        out += definition(message)
    return "\n".join([*out, "}  // namespace leat::wire\n"])


def definition(message):
    api, name = message.api, message.name
    out = [f"struct {name} {{"]
    if api.kind == "api":
        out += [f"    static constexpr ApiKey kKey = ApiKey::k{api.name};",
                f"    static constexpr bool kIsRequest = {'true' if message.part == 'request' else 'false'};"]
    elif message.part == "key":
        out.append(f"    static constexpr std::int16_t kType = {api.key};")
    out += [f"    static constexpr VersionRange kVersions{{{api.versions.lo}, {api.versions.hi}}};",
            f"    static constexpr std::int16_t kFlexibleFrom = {flexible_from(api)};\n"]
    for struct in message.structs:
        out += [f"    struct {struct.name} {{", *struct_body(struct, "        "), "    };\n"]
    out += [*struct_body(message.root, "    "), "};\n",
            f"Result<void> decode(Reader& in, std::int16_t version, {name}& out);",
            f"[[nodiscard]] EncodedSize encoded_size(const {name}& message, std::int16_t version);",
            f"void encode(const {name}& message, std::int16_t version, Writer& out);\n"]
    return out


def flexible_from(api):
    return "kNeverFlexible" if api.flexible is None else str(api.flexible)


def condition(inner, outer):
    """The C++ test for `version` in `inner`, given that it is in `outer`; empty when always true."""
    parts = []
    if inner.lo > outer.lo:
        parts.append(f"version >= {inner.lo}")
    if inner.hi < outer.hi:
        parts.append(f"version <= {inner.hi}")
    if inner.lo == inner.hi and parts:
        parts = [f"version == {inner.lo}"]
    return " && ".join(parts)


def includes(api):
    if api.kind == "record":
        return [f'#include "wire/records/{snake(api.name)}.h"']
    return [f'#include "wire/messages/{snake(message.name)}.h"' for message in api.messages]


class Source:
    """One .cc: decode, size and encode of the messages of a schema file."""

    def __init__(self, api):
        self.api = api
        self.out = [banner(api, f"Encoding of the {api.name} messages.")]
        self.out += includes(api)
        self.out.append('\n#include "wire/reader.h"\n#include "wire/writer.h"\n\nnamespace leat::wire {\nnamespace {\n')
        for message in api.messages:
            self.api = message.api
            for struct in message.structs + [message.root]:
                scope = f"{message.name}::"
                name = message.name if struct is message.root else scope + struct.name
                if any(f.struct is struct and f.tag is not None and not f.is_array and f.default is None for s in message.structs + [message.root] for f in s.fields):
                    self.is_default(struct, name)
                self.read(struct, name, scope)
                self.write(struct, name, scope)
        self.out.append("}  // namespace\n")
        for message in api.messages:
            self.entry_points(message)
        self.out.append("}  // namespace leat::wire\n")

    def text(self):
        return "\n".join(self.out)

    def emit(self, depth, text):
        self.out.append("    " * depth + text)

    def flex(self, struct, uses):
        """Declares `flex` when the body of a function uses it; a constant where all versions agree."""
        if not uses:
            return
        kinds = {is_flexible(self.api, v) for v in span(struct.versions)}
        if len(kinds) == 1:
            self.emit(1, f"constexpr bool flex = {'true' if kinds.pop() else 'false'};")
        else:
            self.emit(1, f"const bool flex = version >= {self.api.flexible};")

    # Reading -----------------------------------------------------------------------------------

    def read(self, struct, name, scope):
        self.emit(0, f"void read(Reader& in, [[maybe_unused]] std::int16_t version, {name}& out) {{")
        tagged = [f for f in struct.fields if f.tag is not None]
        sections = any(is_flexible(self.api, v) for v in span(struct.versions))
        self.flex(struct, any_flex(struct) or sections)
        for entry in struct.fields:
            if entry.tag is None:
                self.guarded(entry, struct.versions, self.read_field, scope)
        if sections:
            self.read_tags(struct, tagged, scope)
        self.emit(0, "}\n")

    def guarded(self, entry, outer, body, scope, depth=1):
        test = condition(entry.versions, outer)
        if test:
            self.emit(depth, f"if ({test}) {{")
            body(entry, scope, depth + 1)
            self.emit(depth, "}")
        else:
            body(entry, scope, depth)

    def nullable(self, entry):
        """The C++ expression for "null is legal here"."""
        test = condition(entry.null, entry.versions)
        return test or "true"

    def read_field(self, entry, scope, depth):
        to = f"out.{entry.name}"
        if entry.is_array:
            self.read_array(entry, scope, depth, to)
        elif entry.struct and entry.null:
            test = condition(entry.null, entry.versions)
            self.emit(depth, f"{to} = nullptr;")
            present = "in.present()" if entry.tag is None else "in.tagged_present()"
            self.emit(depth, f"if ({'!(' + test + ') || ' if test else ''}{present}) {{")
            self.emit(depth + 1, f"{to} = in.one<{scope}{entry.type}>();")
            self.emit(depth + 1, f"read(in, version, *{to});")
            self.emit(depth, "}")
        elif entry.struct:
            self.emit(depth, f"read(in, version, {to});")
        elif entry.type in SCALARS:
            self.emit(depth, f"{to} = in.{CALL[entry.type]}();")
        elif entry.type == "records":
            self.emit(depth, f"{to} = in.records(flex, {self.nullable(entry) if entry.null else 'false'});")
        elif entry.null:
            test = self.nullable(entry)
            tail = "" if test == "true" else f", {test}"
            self.emit(depth, f"{to} = in.nullable_{entry.type}(flex{tail});")
        else:
            self.emit(depth, f"{to} = in.{entry.type}(flex);")

    def read_array(self, entry, scope, depth, to):
        least = min_wire_bytes(entry, self.api)
        element = element_type(entry, scope if entry.struct else "")
        value = "item"
        if entry.null:
            test = self.nullable(entry)
            tail = "" if test == "true" else f", {test}"
            self.emit(depth, f"{to} = in.nullable_array<{element}>(flex, {least}{tail});")
            self.emit(depth, f"if ({to}) {{")
            self.emit(depth + 1, f"for (auto& {value} : *{to}) {{")
        else:
            self.emit(depth, f"{to} = in.array<{element}>(flex, {least});")
            self.emit(depth, f"for (auto& {value} : {to}) {{")
        inner = depth + (2 if entry.null else 1)
        if entry.struct:
            self.emit(inner, "if (in.failed()) return;")
            self.emit(inner, f"read(in, version, {value});")
        elif entry.type in SCALARS:
            self.emit(inner, f"{value} = in.{CALL[entry.type]}();")
        else:
            self.emit(inner, f"{value} = in.{entry.type}(flex);")
        if entry.null:
            self.emit(depth + 1, "}")
        self.emit(depth, "}")

    def read_tags(self, struct, tagged, scope):
        if not tagged:
            self.emit(1, "if (flex) in.skip_tags();")
            return
        self.emit(1, "if (!flex) return;")
        for entry in tagged:
            if self.is_absent_default(entry):  # Left out, it is not null but has the struct's defaults.
                self.emit(1, f"out.{entry.name} = in.one<{scope}{entry.type}>();")
        self.emit(1, "for (std::uint32_t left = in.tag_count(); left > 0 && !in.failed(); --left) {")
        self.emit(2, "const TagMark tag = in.tag();")
        self.emit(2, "switch (tag.number) {")
        for entry in tagged:
            test = condition(entry.versions, struct.versions)
            self.emit(3, f"case {entry.tag}:")
            if condition(entry.versions, self.flexible_range(struct)):
                self.emit(4, f"if (!({test})) return in.wrong_tag();")
            self.read_field(entry, scope, 4)
            self.emit(4, "break;")
        self.emit(3, "default:")
        self.emit(4, "in.skip_tag(tag);")
        self.emit(2, "}")
        self.emit(1, "}")

    def is_absent_default(self, entry):
        """A nullable tagged struct whose default is not null."""
        return entry.struct and entry.null and not entry.is_array and entry.default is None

    def flexible_range(self, struct):
        return Range(max(struct.versions.lo, self.api.flexible), struct.versions.hi)

    # Writing: the same code measures with a Sizer and writes with a Writer ------------------------

    def write(self, struct, name, scope):
        self.emit(0, "template <class Out>")
        self.emit(0, f"void write(Out& out, [[maybe_unused]] std::int16_t version, const {name}& message) {{")
        tagged = sorted((f for f in struct.fields if f.tag is not None), key=lambda f: f.tag)
        sections = any(is_flexible(self.api, v) for v in span(struct.versions))
        self.flex(struct, any_flex(struct) or sections)
        for entry in struct.fields:
            if entry.tag is None:
                self.guarded(entry, struct.versions, self.write_field, scope)
        if sections and not tagged:
            self.emit(1, "if (flex) out.uvarint(0);")
        elif sections:
            self.write_tags(struct, tagged, scope)
        self.emit(0, "}\n")

    def write_field(self, entry, scope, depth):
        value = f"message.{entry.name}"
        null = self.nullable(entry) if entry.null else "false"
        if entry.is_array:
            self.write_array(entry, depth, value, null)
        elif entry.struct and entry.null:
            test = condition(entry.null, entry.versions)
            present = "present" if entry.tag is None else "tagged_present"
            if test:  # Where null has no encoding, an absent struct is written with its defaults.
                self.emit(depth, f"if ({test}) out.{present}({value} != nullptr);")
                self.emit(depth, f"if ({value} != nullptr) write(out, version, *{value});")
                self.emit(depth, f"else if (!({test})) write(out, version, {scope}{entry.type}{{}});")
            else:
                self.emit(depth, f"out.{present}({value} != nullptr);")
                self.emit(depth, f"if ({value} != nullptr) write(out, version, *{value});")
        elif entry.struct:
            self.emit(depth, f"write(out, version, {value});")
        elif entry.type in SCALARS:
            self.emit(depth, f"out.{CALL[entry.type]}({value});")
        elif entry.type == "records":
            self.emit(depth, f"out.records({value}, flex, {null});")
        elif entry.null:
            tail = "" if null == "true" else f", {null}"
            self.emit(depth, f"out.nullable_{entry.type}({value}, flex{tail});")
        else:
            self.emit(depth, f"out.{entry.type}({value}, flex);")

    def write_array(self, entry, depth, value, null):
        if entry.null:
            self.emit(depth, f"if (!{value} && {null}) {{" if null != "true" else f"if (!{value}) {{")
            self.emit(depth + 1, "out.null_array(flex);")
            self.emit(depth, "} else {")
            items = f"{value}.value_or(std::span<{element_type(entry, scope_of(entry, self.api))}>{{}})"
            self.emit(depth + 1, f"const auto items = {items};")
            self.items(entry, depth + 1, "items")
            self.emit(depth, "}")
        else:
            self.items(entry, depth, value)

    def items(self, entry, depth, value):
        self.emit(depth, f"out.array(flex, {value}.size());")
        if entry.struct:
            self.emit(depth, f"for (const auto& item : {value}) write(out, version, item);")
        elif entry.type in SCALARS:
            self.emit(depth, f"for (const auto item : {value}) out.{CALL[entry.type]}(item);")
        else:
            self.emit(depth, f"for (const auto item : {value}) out.{entry.type}(item, flex);")

    def write_tags(self, struct, tagged, scope):
        self.emit(1, "if (!flex) return;")
        for entry in tagged:
            test = condition(entry.versions, self.flexible_range(struct))
            differs = self.differs(entry)
            self.emit(1, f"const bool has_{entry.name} = {test + ' && ' if test else ''}{differs};")
        count = " + ".join(f"std::uint32_t{{has_{entry.name}}}" for entry in tagged)
        self.emit(1, f"out.uvarint({count});")
        for entry in tagged:
            self.emit(1, f"if (has_{entry.name}) {{")
            self.emit(2, "Sizer payload;")
            mark = len(self.out)
            self.write_field(entry, scope, 2)
            body = self.out[mark:]
            self.out[mark:] = [sizing(line) for line in body]
            self.emit(2, f"out.tag({entry.tag}, payload.size().inline_bytes);")
            self.out += body
            self.emit(1, "}")

    def differs(self, entry):
        value = f"message.{entry.name}"
        if entry.is_array:
            return f"{value}.has_value()" if entry.default == "null" else f"(!{value} || !{value}->empty())" if entry.null else f"!{value}.empty()"
        if self.is_absent_default(entry):
            return f"({value} == nullptr || !is_default(*{value}))"
        if entry.struct:
            return f"{value} != nullptr" if entry.null else f"!is_default({value})"
        if entry.type == "uuid":
            return f"!{value}.is_zero()"
        if entry.type == "bool":
            return f"{value} != {entry.default or 'false'}"
        if entry.type in SCALARS:
            return f"{value} != {literal(entry) or 0}"
        if entry.type == "records":
            return f"!{value}.is_null()"
        if entry.default == "null":
            return f"{value}.has_value()"
        return f"(!{value} || !{value}->empty())" if entry.null else f"!{value}.empty()"

    def is_default(self, struct, name):
        test = " && ".join(f"!({self.differs(entry)})" for entry in struct.fields)
        self.emit(0, f"bool is_default(const {name}& message) {{")
        self.emit(1, f"return {test};")
        self.emit(0, "}\n")

    # The three functions that the header declares ---------------------------------------------------

    def entry_points(self, message):
        name = message.name
        self.out.append(f"""\
Result<void> decode(Reader& in, std::int16_t version, {name}& out) {{
    if (!{name}::kVersions.contains(version)) return unsupported_version();
    out = {{}};
    read(in, version, out);
    return in.finish();
}}

EncodedSize encoded_size(const {name}& message, std::int16_t version) {{
    LEAT_CHECK({name}::kVersions.contains(version));
    Sizer out;
    write(out, version, message);
    return out.size();
}}

void encode(const {name}& message, std::int16_t version, Writer& out) {{
    LEAT_CHECK({name}::kVersions.contains(version));
    write(out, version, message);
}}
""")


def sizing(line):
    """The line that measures into `payload` what `line` writes to `out`."""
    return re.sub(r"\bout\b(?=[.,])", "payload", line)


def scope_of(entry, api):
    if not entry.struct:
        return ""
    for message in api.messages:
        if any(entry in struct.fields for struct in message.structs + [message.root]):
            return f"{message.name}::"
    raise AssertionError(entry.where)


def any_flex(struct):
    return any(f.is_array or f.type in ("string", "bytes", "records") for f in struct.fields)


def api_keys(apis):
    rows = "\n".join(f"    k{api.name} = {api.key}," for api in apis)
    return ("// SPDX-License-Identifier: Apache-2.0\n//\n// The APIs that schemas/ describes. Layer: wire (L2).\n"
            "// Written by tools/wiregen; the schemas are the source.\n#pragma once\n\n#include <cstdint>\n\n"
            f"namespace leat::wire {{\n\nenum class ApiKey : std::int16_t {{\n{rows}\n}};\n\n}}  // namespace leat::wire\n")


def api_table(apis):
    rows = "\n".join(
        f'    ApiInfo{{ApiKey::k{api.name}, "{api.name}", {api.versions.lo}, {api.versions.hi}, {flexible_from(api)}}},'
        for api in apis)
    return ("// SPDX-License-Identifier: Apache-2.0\n//\n// Rows of kApis, by key; included by wire/api.h only.\n"
            f"// Written by tools/wiregen; the schemas are the source.\n{rows}\n")
