// SPDX-License-Identifier: Apache-2.0
//
// The text of a topology, as it comes from a file or another member. Properties: no crash; what was
// read, written and read again is the same; a drawing never fails.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "leat/streams/topology_description.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace streams = leat::streams;
    const auto read = streams::parse_topology({reinterpret_cast<const char*>(data), size});
    if (!read) return 0;
    const std::string text = streams::text_of(*read);
    const auto again = streams::parse_topology(text);
    if (!again || streams::text_of(*again) != text) std::abort();
    if (streams::mermaid(*read).empty()) std::abort();
    return 0;
}
