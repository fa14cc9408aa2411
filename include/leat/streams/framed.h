// SPDX-License-Identifier: Apache-2.0
//
// Values whose schema is in a registry: Avro, Protobuf, JSON Schema. Layer: streams SDK.
// Spec:  the wire format of Confluent's serializers: a 0 byte, the schema's id in 4 big-endian
// bytes, of Protobuf the way to the message in its schema as zigzag varints (their number, then
// each; a lone 0 stands for the first message), then the value.
// Here is the frame; a SchemaCodec of yours makes what is in it, with the library of the format,
// and knows the registry.
// Threading: as serde.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leat/streams/serde.h"

namespace leat::streams {

/// What stands before a value, and the value's bytes, which point into those it was read from.
struct SchemaFrame {
    std::int32_t schema_id = 0;
    /// Of Protobuf: the message's place in its schema, then that of the message in it, and so on.
    std::vector<std::int32_t> message{};
    std::string_view value{};
};

template <class T>
class SchemaCodec {
  public:
    SchemaCodec() = default;
    SchemaCodec(const SchemaCodec&) = delete;
    SchemaCodec& operator=(const SchemaCodec&) = delete;
    virtual ~SchemaCodec() = default;
    /// Of the schema that values of the topic are written with; asked for each value.
    virtual Result<std::int32_t> schema_id(std::string_view topic) const = 0;
    /// Of Protobuf; the first message unless it says otherwise.
    [[nodiscard]] virtual std::vector<std::int32_t> message() const { return {0}; }
    /// Appends the value alone to `out`.
    virtual Result<void> write(const T& value, std::string& out) const = 0;
    /// `frame.schema_id` is the writer's schema.
    virtual Result<T> read(std::string_view topic, const SchemaFrame& frame) const = 0;
};

/// Appends all but the value; `message` is left out where it is not given.
void append_schema_frame(std::string& out, std::int32_t schema_id,
                         const std::vector<std::int32_t>* message = nullptr);
/// Errors: kInvalidRecord (another format, cut off).
Result<SchemaFrame> parse_schema_frame(std::string_view bytes, bool with_message);

namespace detail {

template <class T>
class FramedCodec final : public Codec<T> {
  public:
    FramedCodec(std::shared_ptr<const SchemaCodec<T>> inner, bool with_message)
        : inner_(std::move(inner)), with_message_(with_message) {}
    Result<void> encode(std::string_view topic, const T& value, std::string& out) const override {
        LEAT_TRY(const std::int32_t id, inner_->schema_id(topic));
        if (with_message_) {
            const auto message = inner_->message();
            append_schema_frame(out, id, &message);
        } else {
            append_schema_frame(out, id);
        }
        return inner_->write(value, out);
    }
    Result<T> decode(std::string_view topic, std::string_view bytes) const override {
        LEAT_TRY(const SchemaFrame frame, parse_schema_frame(bytes, with_message_));
        return inner_->read(topic, frame);
    }

  private:
    std::shared_ptr<const SchemaCodec<T>> inner_;
    bool with_message_;
};

}  // namespace detail

template <class T>
Serde<T> avro(std::shared_ptr<const SchemaCodec<T>> codec) {
    return std::make_shared<detail::FramedCodec<T>>(std::move(codec), false);
}
template <class T>
Serde<T> json_schema(std::shared_ptr<const SchemaCodec<T>> codec) {
    return std::make_shared<detail::FramedCodec<T>>(std::move(codec), false);
}
template <class T>
Serde<T> protobuf(std::shared_ptr<const SchemaCodec<T>> codec) {
    return std::make_shared<detail::FramedCodec<T>>(std::move(codec), true);
}

}  // namespace leat::streams
