// SPDX-License-Identifier: Apache-2.0
#include "client/connection.h"

#include <algorithm>
#include <array>

#include "base/endian.h"
#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"
#include "wire/messages/sasl_authenticate_request.h"
#include "wire/messages/sasl_authenticate_response.h"
#include "wire/messages/sasl_handshake_request.h"
#include "wire/messages/sasl_handshake_response.h"

namespace leat::client {
namespace {

std::string text_of(wire::VersionRange range) {
    return std::to_string(range.min) + " to " + std::to_string(range.max);
}

}  // namespace

Connection::Connection(Endpoint endpoint, ConnectionOptions options, Socket socket)
    : endpoint_(std::move(endpoint)), options_(std::move(options)), socket_(std::move(socket)) {}

Result<std::unique_ptr<Connection>> Connection::open(const Endpoint& to, ConnectionOptions options,
                                                     Deadline deadline) {
    const Deadline connected =
        std::min(deadline, std::chrono::steady_clock::now() + options.connect_timeout);
    LEAT_TRY(Socket socket, Socket::connect(to, connected, options.stop));
    const Security* security = options.security.get();
    if (security != nullptr && security->tls != nullptr)
        if (const Result<void> done =
                socket.start_tls(*security->tls, security->checks_host ? to.host : "", connected);
            !done)
            return Error{done.error().code(),
                         to.text() + ": " + std::string{done.error().detail()}};
    std::unique_ptr<Connection> out{new Connection{to, std::move(options), std::move(socket)}};
    out->set_deadline(deadline);
    if (const Result<void> learnt = out->learn_versions(); !learnt)
        return Error{learnt.error().code(),
                     to.text() + ": asking for versions: " + std::string{learnt.error().detail()}};
    if (const Result<void> done = out->authenticate(); !done)
        return Error{done.error().code(),
                     to.text() + ": authenticating: " + std::string{done.error().detail()}};
    out->set_deadline(Deadline::max());
    return out;
}

Result<void> Connection::learn_versions() {
    const wire::ApiVersionsRequest request{.client_software_name = "leat",
                                           .client_software_version = kSoftwareVersion};
    LEAT_TRY(Answer<wire::ApiVersionsResponse> answer,
             call_in<wire::ApiVersionsResponse>(request, wire::ApiVersionsRequest::kVersions.max));
    if (errc_from_wire(answer.message.error_code) == Errc::kUnsupportedVersion) {
        LEAT_TRY(answer, call_in<wire::ApiVersionsResponse>(wire::ApiVersionsRequest{}, 0));
    }
    if (answer.message.error_code != 0) return Error{errc_from_wire(answer.message.error_code)};
    for (const auto& api : answer.message.api_keys)
        versions_[api.api_key] = {api.min_version, api.max_version};
    return {};
}

Result<void> Connection::authenticate() {
    if (options_.security == nullptr || options_.security->mechanism.empty()) return {};
    const std::string& mechanism = options_.security->mechanism;
    LEAT_TRY(const std::unique_ptr<auth::SaslClient> exchange,
             options_.security->begin(endpoint_.host));
    const wire::SaslHandshakeRequest chosen{.mechanism = mechanism};
    LEAT_TRY(const Answer<wire::SaslHandshakeResponse> offered,
             call<wire::SaslHandshakeResponse>(chosen));
    if (offered.message.error_code != 0) {
        std::string names;
        for (const std::string_view name : offered.message.mechanisms)
            names += (names.empty() ? "" : ", ") + std::string{name};
        return Error{errc_from_wire(offered.message.error_code),
                     mechanism + " is not offered" + (names.empty() ? "" : ", only " + names)};
    }
    std::string from_server;
    while (true) {
        LEAT_TRY(const std::optional<std::string> to_server, exchange->next(from_server));
        if (!to_server) return {};
        const wire::SaslAuthenticateRequest request{.auth_bytes =
                                                        std::as_bytes(std::span{*to_server})};
        LEAT_TRY(const Answer<wire::SaslAuthenticateResponse> answer,
                 call<wire::SaslAuthenticateResponse>(request));
        if (answer.message.error_code != 0)
            return Error{errc_from_wire(answer.message.error_code),
                         answer.message.error_message.value_or("")};
        const auto bytes = answer.message.auth_bytes;
        from_server.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());  // NOLINT
    }
}

bool Connection::is_refusal(Bytes frame, std::size_t body_bytes) {
    const Bytes body = frame.last(body_bytes);
    return body.size() >= 2 && load_be<std::int16_t>(body.data()) ==
                                   static_cast<std::int16_t>(Errc::kUnsupportedVersion);
}

Result<void> Connection::check_order(std::int32_t asked, std::int32_t answered) {
    if (asked == answered) return {};
    return Error{Errc::kMalformed, "answer number " + std::to_string(answered) +
                                       " came for request " + std::to_string(asked)};
}

Deadline Connection::deadline() const {
    return std::min(std::chrono::steady_clock::now() + options_.request_timeout, deadline_);
}

Result<void> Connection::send(const wire::Frame& request, std::span<const Bytes> records,
                              Deadline deadline) {
    if (request.splices.empty()) return socket_.write(request.bytes(), deadline);
    std::vector<Bytes> pieces;
    pieces.reserve(2 * request.splices.size() + 1);
    std::size_t at = 0;
    for (const wire::Splice& splice : request.splices) {
        pieces.push_back(request.bytes().subspan(at, splice.position - at));
        pieces.push_back(records[splice.id]);
        at = splice.position;
    }
    pieces.push_back(request.bytes().subspan(at));
    return socket_.write(pieces, deadline);
}

Result<std::vector<std::byte>> Connection::exchange(const wire::Frame& request,
                                                    std::span<const Bytes> records) {
    const Deadline deadline = this->deadline();
    std::array<std::byte, 4> length{};
    Result<void> answered = send(request, records, deadline);
    if (answered) answered = socket_.read(length, deadline);
    if (!answered && !is_served_ && answered.error().code() == Errc::kNetworkException)
        return Error{Errc::kClosed, answered.error().detail()};
    LEAT_TRY_VOID(std::move(answered));
    const auto size = load_be<std::int32_t>(length.data());
    if (size < 4 || static_cast<std::size_t>(size) > options_.response_bytes_max)
        return Error{is_served_ ? Errc::kMalformed : Errc::kClosed,
                     "an answer of " + std::to_string(size) +
                         " bytes: this is no Kafka broker, or not its plaintext port"};
    std::vector<std::byte> out(static_cast<std::size_t>(size));
    LEAT_TRY_VOID(socket_.read(out, deadline));
    return out;
}

Result<std::int16_t> Connection::pick_version(wire::ApiKey key, wire::VersionRange ours) const {
    const std::string_view name = wire::api_info(key).name;
    const auto theirs = versions_.find(static_cast<std::int16_t>(key));
    if (theirs == versions_.end())
        return Error{Errc::kUnsupportedVersion,
                     "the broker " + endpoint_.text() + " does not have " + std::string{name}};
    const std::int16_t version = std::min(ours.max, theirs->second.max);
    if (version < ours.min || version < theirs->second.min)
        return Error{Errc::kUnsupportedVersion,
                     "the broker " + endpoint_.text() + " has " + std::string{name} + " " +
                         text_of(theirs->second) + ", this program " + text_of(ours)};
    return version;
}

}  // namespace leat::client
