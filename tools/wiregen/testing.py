# SPDX-License-Identifier: Apache-2.0
"""Writes the test-only C++: printers of all messages, and the catalog that finds them by name."""
from cpp import banner, condition, includes
from schema import snake


def source(api):
    out = [banner(api, f"Printing the {api.name} messages, for tests.")]
    out += includes(api)
    out.append('#include "wire/testing/dump.h"\n\nnamespace leat::wire::testing {\nnamespace {\n')
    for message in api.messages:
        for struct in message.structs + [message.root]:
            printer(out, struct, message.name if struct is message.root else f"{message.name}::{struct.name}")
    out.append("}  // namespace\n")
    for message in api.messages:
        entry(out, message)
    out.append("}  // namespace leat::wire::testing\n")
    return "\n".join(out)


def printer(out, struct, name):
    out.append(f"void print(Dump& out, [[maybe_unused]] std::int16_t version, const {name}& message) {{")
    out.append("    out.open('{');")
    for entry in struct.fields:
        test = condition(entry.versions, struct.versions)
        out.append(f"    if ({test or 'true'}) {{")
        out.append(f'        out.name("{entry.name}");')
        value(out, entry, f"message.{entry.name}")
        out.append("    }")
    out.append("    out.close('}');\n}\n")


def value(out, entry, value):
    if not entry.struct:
        out.append(f"        out.value({value});")
    elif not entry.is_array:
        if entry.null:
            out.append(f"        if ({value} == nullptr) out.null();")
            out.append(f"        if ({value} != nullptr) print(out, version, *{value});")
        else:
            out.append(f"        print(out, version, {value});")
    else:
        if entry.null:
            out.append(f"        if (!{value}) {{\n            out.null();\n        }} else {{")
        out.append("        out.open('[');")
        out.append(f"        for (const auto& item : {'*' if entry.null else ''}{value}) print(out, version, item);")
        out.append("        out.close(']');")
        if entry.null:
            out.append("        }")


def entry(out, message):
    stem = snake(message.name)
    out.append(f"RoundTrip {stem}(Bytes body, std::int16_t version) {{\n"
               f"    return round_trip<{message.name}>(body, version, print);\n}}\n")
    out.append(f"void {stem}_defaults(std::vector<std::string>& out) {{")
    out.append("    const auto add = [&out](std::string_view name, const auto& value) {\n        Dump dump;\n"
               "        dump.value(value);\n        out.push_back(std::string{name} + \" - \" + dump.take());\n    };")
    for struct in message.structs + [message.root]:
        full = message.name if struct is message.root else f"{message.name}::{struct.name}"
        shown = "" if struct is message.root else struct.name
        out.append(f"    [[maybe_unused]] const {full} {'of_' + snake(struct.name)}{{}};")
        for field in struct.fields:
            place = f"of_{snake(struct.name)}.{field.name}"
            label = f'"{shown}.{field.name}"'
            if field.struct and not field.is_array:
                if field.null:
                    out.append(f'    if ({place} == nullptr) out.push_back({label} " - null");')
            elif field.struct:
                # Only null or empty is possible before decoding, so the elements need no printer.
                empty = f'{place} ? "[]" : "null"' if field.null else '"[]"'
                out.append(f"    out.push_back(std::string{{{label} \" - \"}} + ({empty}));")
            else:
                out.append(f"    add({label}, {place});")
    out.append("}\n")


def catalog(apis):
    messages = [m for api in apis for m in api.messages]
    stems = [snake(m.name) for m in messages]
    out = ["// SPDX-License-Identifier: Apache-2.0\n//\n// The catalog of messages, for tests. Layer: wire (L2).\n"
           "// Written by tools/wiregen; the schemas are the source.\n", "#include <array>\n",
           '#include "wire/testing/catalog.h"\n', "namespace leat::wire::testing {\n"]
    out += [f"RoundTrip {stem}(Bytes body, std::int16_t version);\nvoid {stem}_defaults(std::vector<std::string>& out);" for stem in stems]
    out.append("\nstd::span<const Entry> catalog() {\n    static constexpr auto kEntries = std::to_array<Entry>({")
    for m, stem in zip(messages, stems):
        out.append(f'        Entry{{"{m.api.stem}", "{m.part}", '
                   f"{{{m.api.versions.lo}, {m.api.versions.hi}}}, &{stem}, &{stem}_defaults}},")
    out.append("    });\n    return kEntries;\n}\n\n}  // namespace leat::wire::testing\n")
    return "\n".join(out)
