// SPDX-License-Identifier: Apache-2.0
//
// Properties: no input crashes the parser; it never takes more than it is offered; and the requests
// are the same whether the bytes come at once or cut. The first byte is the size of a cut.
#include "http/request_parser.h"

#include <cstdint>
#include <span>
#include <string>

#include "base/check.h"

namespace {

/// What was understood, ending in the error if there was one. A cut may let the header limit strike
/// earlier or later inside a doomed request, so only the requests before the error are compared.
std::string parse(leat::Bytes bytes, std::size_t step) {
    leat::http::RequestParser parser{{.header_bytes_max = 512, .body_bytes_max = 256}};
    std::string out;
    while (!bytes.empty()) {
        const leat::Bytes piece = bytes.first(std::min(step, bytes.size()));
        const leat::Result<std::size_t> taken = parser.feed(piece);
        if (!taken) break;
        LEAT_CHECK(*taken <= piece.size());
        LEAT_CHECK(*taken == piece.size() || parser.is_done());
        bytes = bytes.subspan(*taken);
        if (!parser.is_done()) continue;
        const leat::http::Request request = parser.take();
        LEAT_CHECK(request.body.size() <= 256);
        out +=
            request.method + " " + request.path + "?" + request.query + "\n" + request.body + "\n";
        for (const auto& [name, value] : request.headers) out += name + "=" + value + "\n";
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const leat::Bytes bytes = std::as_bytes(std::span{data + 1, size - 1});
    LEAT_CHECK(parse(bytes, bytes.size() + 1) == parse(bytes, std::size_t{data[0]} + 1));
    return 0;
}
