// SPDX-License-Identifier: Apache-2.0
//
// The one table of the APIs that are served: key, handler, what it needs. Layer: broker (L6).
// To add one: its handler in handlers/, one line in apis.cc. Versions are those of schemas/.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "broker/answer.h"
#include "broker/request.h"
#include "rt/task.h"
#include "wire/api.h"
#include "wire/frame.h"
#include "wire/reader.h"

namespace leat::broker {

/// Begins and ends on the request's shard.
using Handle = rt::Task<Answer> (*)(Request*);

/// What a client must be allowed to do before the handler runs; finer rights (each topic, each
/// group) are the handler's to ask for.
enum class Rights : std::uint8_t {
    kNone,     ///< Anybody, before authentication too.
    kPerItem,  ///< The handler asks for each topic, group or transactional id.
    kCluster,  ///< An operation on the cluster.
};

enum class QuotaClass : std::uint8_t {
    kExempt,
    kProduce,   ///< Bytes in.
    kFetch,     ///< Bytes out.
    kRequest,   ///< Time of the handler.
    kMutation,  ///< Partitions made or deleted.
};

struct Api {
    wire::ApiKey key{};
    Handle handle = nullptr;
    Rights rights = Rights::kPerItem;
    QuotaClass quota = QuotaClass::kRequest;
    /// Begins before earlier ones of its connection are answered; answers stay in order.
    bool runs_ahead = false;
    bool asks_for_the_end = false;  ///< Whether the peer has ended is known when it begins.
};

/// All that are served, by key.
[[nodiscard]] std::span<const Api> apis() noexcept;

/// nullptr when `key` is not served.
[[nodiscard]] const Api* find_served(wire::ApiKey key) noexcept;

/// Bounds what collecting the answer may take of the arena: leat.response.max.bytes, as the answer.
/// What the request was decoded into is counted.
void limit_answer(Request& request);

/// The body as a message, with views into frame and arena. What the answer may take of the arena
/// counts from here. Errors: those of wire::Reader.
template <class Message>
[[nodiscard]] Result<Message> decode_body(Request& request) {
    wire::Reader in{request.body, request.arena};
    Message message;
    LEAT_TRY_VOID(decode(in, request.version(), message));
    limit_answer(request);
    return message;
}

/// Counts `code` among the errors that were answered; 0 is not counted.
void count_error(const Request& request, std::int16_t code);

/// Whether an answer of `size` may be made. An int32 bounds the whole; leat.response.max.bytes, and
/// what all requests have together, what of it takes memory. Records of a Fetch are lent.
[[nodiscard]] bool may_answer(const Request& request, wire::EncodedSize size);
/// Instead of an answer that may not be made: counted and logged, and the connection ends. There is
/// no error that every answer could carry, and one cut short would be believed.
[[nodiscard]] Answer refuse_answer(const Request& request);

namespace detail {
template <class Response>
Answer frame_of(const Request& request, const Response& response) {
    if (request.is_given_up()) return refuse_answer(request);
    const wire::EncodedSize size = wire::response_size(response, request.version());
    if (!may_answer(request, size)) return refuse_answer(request);
    return Answer::of(
        wire::response_frame(response, request.version(), request.header.correlation_id, size));
}
}  // namespace detail

/// The frame of `response` in the request's version, or the end of the connection when it is too
/// large. A top-level error is counted.
template <class Response>
[[nodiscard]] Answer answer_with(const Request& request, const Response& response) {
    if constexpr (requires { response.error_code; }) count_error(request, response.error_code);
    if constexpr (requires { response.throttle_time_ms; }) {
        if (request.throttle.count() > 0) {
            Response throttled = response;
            throttled.throttle_time_ms = static_cast<std::int32_t>(
                std::min<std::int64_t>(request.throttle.count(), INT32_MAX));
            return detail::frame_of(request, throttled);
        }
    }
    return detail::frame_of(request, response);
}

namespace detail {

template <class F>
struct HandlerTraits;
template <class Out, class In>
struct HandlerTraits<Out (*)(Request&, const In&)> {
    using Message = In;
    static constexpr bool kSuspends = false;
};
template <class Out, class In>
struct HandlerTraits<rt::Task<Out> (*)(Request*, const In*)> {
    using Message = In;
    static constexpr bool kSuspends = true;
};

template <class Response>
Answer to_answer(const Request& request, const Response& response) {
    return answer_with(request, response);
}
inline Answer to_answer(const Request& /*request*/, Answer answer) {
    return answer;
}

}  // namespace detail

/// A Handle from a function with typed messages, one of
///     rt::Task<XResponse> handle_x(Request*, const XRequest*)
///     XResponse handle_x(Request&, const XRequest&)
///     rt::Task<Answer> handle_x(Request*, const XRequest*)
/// Both parameters outlive what the handler returns: those that may suspend get them as pointers.
/// Views in the response must live as long as the request: put them into its arena. A body that
/// cannot be decoded closes the connection, as in Kafka.
template <auto Handler>
rt::Task<Answer> call(Request* request) {
    using Traits = detail::HandlerTraits<decltype(Handler)>;
    using Message = typename Traits::Message;
    const Result<Message> message = decode_body<Message>(*request);
    if (!message.has_value()) co_return Answer::close("malformed");
    if constexpr (Traits::kSuspends) {
        auto out = co_await Handler(request, &*message);
        co_return detail::to_answer(*request, std::move(out));
    } else {
        co_return detail::to_answer(*request, Handler(*request, *message));
    }
}

}  // namespace leat::broker
