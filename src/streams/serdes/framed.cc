// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/framed.h"

#include <cstddef>

#include "leat/streams/detail/big_endian.h"
#include "streams/serdes/varint_text.h"

namespace leat::streams {

namespace {

constexpr char kMagic = 0;
constexpr std::size_t kHead = 1 + sizeof(std::int32_t);

/// Takes the way to a message off the front; empty when it is cut off.
std::vector<std::int32_t> take_message(std::string_view& bytes) {
    const auto count = take_varint(bytes);
    if (!count || *count < 0 || static_cast<std::size_t>(*count) > bytes.size()) return {};
    if (*count == 0) return {0};
    std::vector<std::int32_t> message;
    message.reserve(static_cast<std::size_t>(*count));
    for (std::int32_t i = 0; i < *count; ++i) {
        const auto index = take_varint(bytes);
        if (!index || *index < 0) return {};
        message.push_back(*index);
    }
    return message;
}

}  // namespace

void append_schema_frame(std::string& out, std::int32_t schema_id,
                         const std::vector<std::int32_t>* message) {
    out.push_back(kMagic);
    detail::append_be(out, schema_id);
    if (message == nullptr) return;
    if (message->size() == 1 && message->front() == 0) return append_varint(out, 0);
    append_varint(out, static_cast<std::int32_t>(message->size()));
    for (const std::int32_t index : *message) append_varint(out, index);
}

Result<SchemaFrame> parse_schema_frame(std::string_view bytes, bool with_message) {
    if (bytes.size() < kHead || bytes.front() != kMagic)
        return Error{Errc::kInvalidRecord, "a value without the frame of a schema registry"};
    SchemaFrame frame{.schema_id = detail::read_be<std::int32_t>(bytes, 1)};
    bytes.remove_prefix(kHead);
    if (with_message) {
        frame.message = take_message(bytes);
        if (frame.message.empty())
            return Error{Errc::kInvalidRecord, "the place of a message in its schema is cut off"};
    }
    frame.value = bytes;
    return frame;
}

}  // namespace leat::streams
