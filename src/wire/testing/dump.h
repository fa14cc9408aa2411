// SPDX-License-Identifier: Apache-2.0
//
// Prints message fields as the corpus does. Layer: wire (L2), test-only.
#pragma once

#include "wire/reader.h"
#include "wire/testing/catalog.h"
#include "wire/writer.h"

namespace leat::wire::testing {

/// Collects text such as {name:"a",partitions:[1,2]}. Threading: not synchronised.
class Dump {
  public:
    [[nodiscard]] std::string take() { return std::move(text_); }

    void open(char bracket) { begin_value(), text_ += bracket, first_ = true; }
    void close(char bracket) { text_ += bracket, first_ = false; }
    void name(std::string_view name);

    template <std::integral T>
    void value(T number) {
        if constexpr (std::same_as<T, bool>) {
            boolean(number);
        } else {
            integer(number);
        }
    }
    void value(double value);
    void value(std::string_view value);
    void value(Bytes value);
    void value(const Records& value);
    void value(const Uuid& value);
    void null();
    template <class T>
    void value(const std::optional<T>& maybe) {
        if (maybe) {
            value(*maybe);
        } else {
            null();
        }
    }
    template <class T>
    void value(std::span<T> items) {
        open('[');
        for (const auto& item : items) value(item);
        close(']');
    }

  private:
    void begin_value();
    void boolean(bool value);
    void hex(std::uint8_t byte);
    void integer(std::int64_t value);

    std::string text_;
    bool first_ = true;
    bool named_ = false;
};

template <class Message>
RoundTrip round_trip(Bytes body, std::int16_t version,
                     void (*print)(Dump&, std::int16_t, const Message&)) {
    RoundTrip out;
    Arena arena;
    Reader in{body, arena};
    Message message;
    out.decoded = decode(in, version, message);
    out.memory_bytes = arena.capacity_bytes();
    if (!out.decoded) return out;
    out.left_over = in.remaining();
    Dump dump;
    print(dump, version, message);
    out.text = dump.take();
    out.measured = encoded_size(message, version).total();
    out.bytes.resize(out.measured);
    Writer writer{out.bytes};
    encode(message, version, writer);
    out.bytes.resize(writer.written());
    return out;
}

}  // namespace leat::wire::testing
