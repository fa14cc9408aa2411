// SPDX-License-Identifier: Apache-2.0
#include "stream_endpoint/http_peers.h"

#include <span>

#include "client/endpoint.h"
#include "client/socket.h"
#include "stream_endpoint/answer_head.h"

namespace leat::stream_endpoint {
namespace {

constexpr std::size_t kHeadBytesMax = std::size_t{16} << 10U;
constexpr std::string_view kEndOfHead = "\r\n\r\n";

/// Byte by byte, as what follows belongs to the body: a head is a few hundred of them.
Result<std::string> read_head(client::Socket& socket, client::Deadline deadline) {
    std::string out;
    while (!out.ends_with(kEndOfHead)) {
        if (out.size() == kHeadBytesMax)
            return Error{Errc::kLimitExceeded, "the head of the answer is too large"};
        char next = 0;
        LEAT_TRY_VOID(socket.read(std::as_writable_bytes(std::span{&next, 1}), deadline));
        out.push_back(next);
    }
    return out;
}

}  // namespace

Result<Fetched> HttpPeers::get(const std::string& address, const std::string& target) {
    const auto now = std::chrono::steady_clock::now();  // tidy: right here, it waits
    const client::Deadline deadline = now + options_.timeout;
    LEAT_TRY(const auto endpoints, client::parse_endpoints(address));
    LEAT_TRY(client::Socket socket, client::Socket::connect(endpoints.front(), deadline));
    if (options_.tls)
        LEAT_TRY_VOID(socket.start_tls(*options_.tls, endpoints.front().host, deadline));
    std::string request = "GET " + target + " HTTP/1.1\r\nHost: " + address + "\r\n" +
                          std::string{kForwardedHeader} + ": 1\r\nConnection: close\r\n";
    if (!options_.authorization.empty())
        request += "Authorization: " + options_.authorization + "\r\n";
    request += "\r\n";
    LEAT_TRY_VOID(socket.write(std::as_bytes(std::span{request}), deadline));
    LEAT_TRY(const std::string head_text, read_head(socket, deadline));
    LEAT_TRY(const AnswerHead head, parse_answer_head(head_text));
    if (head.body_bytes > options_.body_bytes_max)
        return Error{Errc::kLimitExceeded, "the answer has " + std::to_string(head.body_bytes) +
                                               " bytes, more than leat.endpoint.forward.max.bytes"};
    Fetched out{.status = head.status};
    out.body.resize(head.body_bytes);
    LEAT_TRY_VOID(socket.read(std::as_writable_bytes(std::span{out.body}), deadline));
    return out;
}

}  // namespace leat::stream_endpoint
