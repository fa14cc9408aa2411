// SPDX-License-Identifier: Apache-2.0
//
// One connection to one broker: a request, its answer, in the highest version both sides know.
// Layer: client (L3).
// Spec:  KIP-35 (ApiVersions), KIP-511 (its fall-back to version 0).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "client/endpoint.h"
#include "client/security.h"
#include "client/socket.h"
#include "wire/frame.h"
#include "wire/reader.h"

namespace leat::client {

/// What the program says of itself in ApiVersions.
inline constexpr std::string_view kSoftwareVersion = "0.1.0";

struct ConnectionOptions {
    std::string client_id = "leat";
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds request_timeout{30'000};
    std::shared_ptr<const Security> security;  ///< Null: neither TLS nor SASL.
    std::size_t response_bytes_max = std::size_t{256} << 20U;
    int stop = -1;  ///< As Socket::connect()'s: whose calls end with kCancelled.
};

/// A decoded response with the memory it points into. Moving keeps every view valid.
template <class Message>
struct Answer {
    std::vector<std::byte> frame;
    Arena arena;
    Message message;
    std::int16_t version = 0;
};

/// Threading: not synchronised. After an error other than kUnsupportedVersion it is of no more use.
class Connection {
  public:
    /// Connects, asks which versions the broker has and logs in: connecting, with TLS, in
    /// `connect_timeout`, all of it until `deadline`.
    /// Errors: kNetworkException, kTimedOut, kUnsupportedVersion (a broker older than 0.10),
    ///         kMalformed, kClosed (the other end refused: it is no Kafka broker, wants TLS or has
    ///         none, or a certificate is not accepted), kUnsupportedSaslMechanism,
    ///         kSaslAuthenticationFailed, kInvalidSetting.
    static Result<std::unique_ptr<Connection>> open(const Endpoint& to, ConnectionOptions options,
                                                    Deadline deadline = Deadline::max());

    /// Sends `request` in the highest common version, from `version_min` to `version_max`, and
    /// waits for the answer. `records`: what its external records are, by their ids. Errors:
    /// kUnsupportedVersion (none in common), kNetworkException, kTimedOut, kMalformed; kClosed when
    /// the first one is not answered but the connection closed.
    template <class Response, class Request>
    Result<Answer<Response>> call(const Request& request, std::int16_t version_max = INT16_MAX,
                                  std::int16_t version_min = 0,
                                  std::span<const Bytes> records = {}) {
        LEAT_TRY(const std::int16_t version,
                 pick_version(Request::kKey, {std::max(Request::kVersions.min, version_min),
                                              std::min(Request::kVersions.max, version_max)}));
        Result<Answer<Response>> answer = call_in<Response>(request, version, records);
        is_served_ = is_served_ || answer.has_value();
        return answer;
    }

    /// As call(), of a request that is not answered.
    template <class Request>
    Result<void> tell(const Request& request, std::int16_t version_max = INT16_MAX,
                      std::span<const Bytes> records = {}) {
        LEAT_TRY(const std::int16_t version,
                 pick_version(Request::kKey, {Request::kVersions.min,
                                              std::min(Request::kVersions.max, version_max)}));
        const wire::Frame frame = frame_of(request, version, next_id_++);
        return send(frame, records, deadline());
    }
    /// No call waits longer, even if request_timeout has not passed.
    void set_deadline(Deadline deadline) noexcept { deadline_ = deadline; }

    void set_request_timeout(std::chrono::milliseconds timeout) noexcept {
        options_.request_timeout = timeout;
    }

    [[nodiscard]] const Endpoint& endpoint() const noexcept { return endpoint_; }
    /// Versions the broker has of each API, by key.
    [[nodiscard]] const std::map<std::int16_t, wire::VersionRange>& versions() const noexcept {
        return versions_;
    }

  private:
    Connection(Endpoint endpoint, ConnectionOptions options, Socket socket);
    /// As wire::request_frame(), also of a message with external records.
    template <class Request>
    [[nodiscard]] wire::Frame frame_of(const Request& request, std::int16_t version,
                                       std::int32_t id) const {
        const wire::RequestHeader header{.api = &wire::api_info(Request::kKey),
                                         .version = version,
                                         .correlation_id = id,
                                         .client_id = options_.client_id};
        wire::EncodedSize size = encoded_size(request, version);
        size.inline_bytes += wire::encoded_size(header).inline_bytes;
        wire::Frame frame = wire::new_frame(size);
        wire::Writer out{MutableBytes{frame.data.get(), frame.size_bytes}.subspan(4)};
        encode(header, out);
        encode(request, version, out);
        frame.splices = out.take_splices();
        for (wire::Splice& splice : frame.splices) splice.position += 4;
        return frame;
    }
    template <class Response, class Request>
    Result<Answer<Response>> call_in(const Request& request, std::int16_t version,
                                     std::span<const Bytes> records = {}) {
        const std::int32_t id = next_id_++;
        const wire::Frame frame = frame_of(request, version, id);
        Answer<Response> out;
        out.version = version;
        LEAT_TRY(out.frame, exchange(frame, records));
        wire::Reader in{out.frame, out.arena};
        LEAT_TRY(const std::int32_t answered,
                 wire::decode_response_header(wire::api_info(Request::kKey), version, in));
        LEAT_TRY_VOID(check_order(id, answered));
        LEAT_TRY_VOID(decode(in, body_version<Response>(out, in), out.message));
        LEAT_TRY_VOID(in.finish());
        return out;
    }
    /// A broker that does not know our ApiVersions says so in version 0, whatever was asked.
    template <class Response>
    std::int16_t body_version(Answer<Response>& out, const wire::Reader& in) {
        if (Response::kKey == wire::ApiKey::kApiVersions && is_refusal(out.frame, in.remaining()))
            out.version = 0;
        return out.version;
    }
    static bool is_refusal(Bytes frame, std::size_t body_bytes);
    Result<std::vector<std::byte>> exchange(const wire::Frame& request,
                                            std::span<const Bytes> records);
    Result<void> send(const wire::Frame& request, std::span<const Bytes> records,
                      Deadline deadline);
    [[nodiscard]] Deadline deadline() const;
    static Result<void> check_order(std::int32_t asked, std::int32_t answered);
    Result<void> learn_versions();
    Result<void> authenticate();
    [[nodiscard]] Result<std::int16_t> pick_version(wire::ApiKey key,
                                                    wire::VersionRange ours) const;

    Endpoint endpoint_;
    ConnectionOptions options_;
    Socket socket_;
    std::int32_t next_id_ = 1;
    Deadline deadline_ = Deadline::max();
    bool is_served_ = false;  ///< Something was answered that not everybody may ask.
    std::map<std::int16_t, wire::VersionRange> versions_;
};

}  // namespace leat::client
