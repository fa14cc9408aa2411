// SPDX-License-Identifier: Apache-2.0
//
// A whole frame, ready to send: length, header and message. Layer: wire (L2).
// Spec:  Kafka protocol guide, "Request and Response Headers".
#pragma once

#include <memory>
#include <vector>

#include "wire/api.h"
#include "wire/writer.h"

namespace leat::wire {

/// Bytes to send, with external records to be sent in between (see Splice).
struct Frame {
    std::unique_ptr<std::byte[]> data;
    std::size_t size_bytes = 0;
    std::vector<Splice> splices;

    [[nodiscard]] Bytes bytes() const noexcept { return {data.get(), size_bytes}; }
};

/// A buffer of four bytes of length and `size`, with the length written. Precondition: it fits an
/// int32.
[[nodiscard]] Frame new_frame(EncodedSize size);

/// Of the response frame without its length; `version` is one of the message's own.
template <class Message>
[[nodiscard]] EncodedSize response_size(const Message& message, std::int16_t version) {
    static_assert(!Message::kIsRequest);
    EncodedSize size = encoded_size(message, version);
    size.inline_bytes += response_header_bytes(api_info(Message::kKey), version);
    return size;
}

/// The response frame of `message`, whose response_size() somebody has looked at before there is
/// memory for it. Precondition: it fits an int32.
template <class Message>
[[nodiscard]] Frame response_frame(const Message& message, std::int16_t version,
                                   std::int32_t correlation_id, EncodedSize size) {
    const ApiInfo& api = api_info(Message::kKey);
    Frame frame = new_frame(size);
    Writer out{MutableBytes{frame.data.get(), frame.size_bytes}.subspan(4)};
    encode_response_header(api, version, correlation_id, out);
    encode(message, version, out);
    LEAT_CHECK(out.written() + 4 == frame.size_bytes);
    frame.splices = out.take_splices();
    for (Splice& splice : frame.splices) splice.position += 4;
    return frame;
}
/// The same of a message whose size is known to be no matter.
template <class Message>
[[nodiscard]] Frame response_frame(const Message& message, std::int16_t version,
                                   std::int32_t correlation_id) {
    return response_frame(message, version, correlation_id, response_size(message, version));
}

/// The request frame of `message`; header.api is set here.
template <class Message>
[[nodiscard]] Frame request_frame(const Message& message, RequestHeader header) {
    static_assert(Message::kIsRequest);
    header.api = &api_info(Message::kKey);
    EncodedSize size = encoded_size(message, header.version);
    size.inline_bytes += encoded_size(header).inline_bytes;
    Frame frame = new_frame(size);
    Writer out{MutableBytes{frame.data.get(), frame.size_bytes}.subspan(4)};
    encode(header, out);
    encode(message, header.version, out);
    LEAT_CHECK(out.written() + 4 == frame.size_bytes);
    return frame;
}

}  // namespace leat::wire
