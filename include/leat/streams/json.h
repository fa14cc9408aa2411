// SPDX-License-Identifier: Apache-2.0
//
// JSON documents as values of your own structs. Layer: streams SDK.
//
// Describe a struct once (members.h) and it has a serde: of its members, each a truth value, a
// number, text, a UUID, a std::optional (null), a std::vector, a map with text for keys, an
// enumeration with named values or again such a struct. Errors name the place: "$.items[2].cents:
// expected a number, found text".
// Threading: as serde.h.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "leat/streams/detail/json_form.h"
#include "leat/streams/members.h"
#include "leat/streams/serde.h"

namespace leat::streams {

/// How documents are read and written.
struct JsonOptions {
    /// A member that the struct has not is an error, else ignored; one that is there twice is too,
    /// else the last counts.
    bool refuse_unknown = false;
    bool omit_nulls = false;     ///< Members that are null are not written.
    std::size_t depth_max = 64;  ///< Arrays and objects in each other; deeper is an error.
};

namespace detail {

template <class T>
class JsonCodec final : public Codec<T> {
  public:
    explicit JsonCodec(JsonOptions options) : options_(options) {}
    Result<void> encode(std::string_view /*topic*/, const T& value,
                        std::string& out) const override {
        if (auto done = JsonForm<T>::write(value, {options_.omit_nulls}, out); !done)
            return Error{Errc::kInvalidRecord, "$" + std::string{done.error().detail()}};
        return {};
    }
    Result<T> decode(std::string_view /*topic*/, std::string_view bytes) const override {
        auto document = JsonDocument::parse(bytes, options_.depth_max);
        auto value = document ? JsonForm<T>::read(document->root(), {options_.refuse_unknown})
                              : Result<T>{std::move(document).error()};
        if (!value) return Error{Errc::kInvalidRecord, "$" + std::string{value.error().detail()}};
        return value;
    }

  private:
    JsonOptions options_;
};

}  // namespace detail

template <class T>
Serde<T> json(JsonOptions options = {}) {
    return std::make_shared<detail::JsonCodec<T>>(options);
}

/// A described struct is JSON unless another serde is given.
template <Described T>
struct SerdeFor<T> {
    static Serde<T> get() { return json<T>(); }
};

}  // namespace leat::streams
