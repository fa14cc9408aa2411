// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/handlers.h"

#include <utility>

namespace leat::streams {

ErrorAnswer fail_on_error(const ErrorContext& /*context*/, const Error& /*error*/) {
    return {ErrorChoice::kFail, std::nullopt};
}

ErrorAnswer continue_on_error(const ErrorContext& /*context*/, const Error& /*error*/) {
    return {ErrorChoice::kContinue, std::nullopt};
}

DeadLetter dead_letter(const std::string& topic, const ErrorContext& context, const Error& error) {
    DeadLetter out{.topic = topic,
                   .key = context.key,
                   .value = context.value,
                   .headers = context.headers,
                   .timestamp = context.timestamp};
    const auto note = [&out](const char* what, std::string value) {
        out.headers.push_back({std::string{"__streams.errors."} + what, std::move(value)});
    };
    const RecordMetadata from = context.origin.value_or(RecordMetadata{});
    note("exception", std::string{info(error.code()).name});
    note("message", std::string{error.detail()});
    // Where Java puts its stack trace: the operator, which is what one looks for in that.
    note("stacktrace", context.node);
    note("topic", context.origin ? from.topic : "null");
    note("partition", std::to_string(from.partition));
    note("offset", std::to_string(from.offset));
    return out;
}

}  // namespace leat::streams
