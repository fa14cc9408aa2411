// SPDX-License-Identifier: Apache-2.0
//
// Properties: never crashes; a file written back with every byte escaped that needs it reads the
// same; no more properties than lines; lines grow.
#include "config/properties.h"

#include <cstddef>
#include <cstdint>

#include "base/check.h"

namespace {

std::string escaped(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\r') {
            out += "\\r";
        } else if (c == '\f') {
            out += "\\f";
        } else if (c == '\t') {
            out += "\\t";
        } else {
            if (std::string_view{" \\=:#!"}.contains(c)) out += '\\';
            out += c;
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto parsed = leat::config::parse_properties(text);
    if (!parsed.has_value()) return 0;
    LEAT_CHECK(parsed->size() <= size);
    std::string again;
    int last_line = 0;
    for (const auto& property : *parsed) {
        LEAT_CHECK(property.line > last_line);
        last_line = property.line;
        again += escaped(property.name) + "=" + escaped(property.value) + "\n";
    }
    const auto reread = leat::config::parse_properties(again);
    LEAT_CHECK(reread.has_value() && reread->size() == parsed->size());
    for (std::size_t i = 0; i < parsed->size(); ++i) {
        LEAT_CHECK((*reread)[i].name == (*parsed)[i].name);
        LEAT_CHECK((*reread)[i].value == (*parsed)[i].value);
    }
    return 0;
}
