// SPDX-License-Identifier: Apache-2.0
//
// Values to bytes and back. Layer: streams SDK.
// Spec:  the serializers of Kafka's Java client: text is UTF-8, numbers are big-endian. Here are
// those of numbers, text and bytes; more in serdes.h, JSON in json.h, schemas' frames in framed.h.
// Threading: codecs are shared by all tasks of an application and must be safe to use
// from several threads.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/big_endian.h"

namespace leat::streams {

/// How a T looks as bytes. `topic` is where the bytes go to or come from; a codec that asks a
/// schema registry needs it.
template <class T>
class Codec {
  public:
    Codec() = default;
    Codec(const Codec&) = delete;
    Codec& operator=(const Codec&) = delete;
    virtual ~Codec() = default;
    /// Appends to `out`. Errors: kInvalidRecord when the value has no such form.
    virtual Result<void> encode(std::string_view topic, const T& value, std::string& out) const = 0;
    /// Errors: kInvalidRecord for bytes that are no T.
    virtual Result<T> decode(std::string_view topic, std::string_view bytes) const = 0;
    /// The size of every T, when they are all of one. Lists of such leave the sizes out; Kafka's do
    /// so for numbers and UUIDs only.
    [[nodiscard]] virtual std::optional<std::size_t> fixed_bytes() const { return std::nullopt; }
    /// Whether no bytes at all, in a topic, stand for null; decode() does not see them then. So it
    /// is with Kafka's windowed keys.
    [[nodiscard]] virtual bool empty_is_null() const { return false; }
};

/// A codec as a value, cheap to copy. An empty one stands for "not given".
template <class T>
using Serde = std::shared_ptr<const Codec<T>>;

/// The serde of a type unless another is given. Specialise it for your own types:
///     template <> struct leat::streams::SerdeFor<Order> { static Serde<Order> get(); };
template <class T>
struct SerdeFor;

template <class T>
concept HasSerde = requires {
    { SerdeFor<T>::get() } -> std::convertible_to<Serde<T>>;
};

template <HasSerde T>
[[nodiscard]] const Serde<T>& serde_for() {
    static const Serde<T> one = SerdeFor<T>::get();
    return one;
}

namespace detail {

template <class T>
    requires std::integral<T> || std::floating_point<T>
class NumberCodec final : public Codec<T> {
  public:
    Result<void> encode(std::string_view /*topic*/, const T& value,
                        std::string& out) const override {
        if constexpr (std::same_as<T, double>) {
            // Java writes one NaN for all doubles, though not for floats.
            constexpr std::uint64_t kNan = std::uint64_t{0x7FF8} << 48U;
            append_be(out, value != value ? kNan : std::bit_cast<Bits>(value));
        } else {
            append_be(out, std::bit_cast<Bits>(value));
        }
        return {};
    }
    Result<T> decode(std::string_view /*topic*/, std::string_view bytes) const override {
        if (bytes.size() != sizeof(T))
            return Error{Errc::kInvalidRecord, "a number of another size"};
        return std::bit_cast<T>(read_be<Bits>(bytes));
    }
    [[nodiscard]] std::optional<std::size_t> fixed_bytes() const override { return sizeof(T); }

  private:
    using Bits =
        std::conditional_t<sizeof(T) == 8, std::uint64_t,
                           std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint16_t>>;
    static_assert(sizeof(Bits) == sizeof(T));
};

/// Takes the bytes as they are: std::string and vectors of bytes.
template <class T>
class BytesCodec final : public Codec<T> {
  public:
    Result<void> encode(std::string_view /*topic*/, const T& value,
                        std::string& out) const override {
        out.append(reinterpret_cast<const char*>(value.data()), value.size());
        return {};
    }
    Result<T> decode(std::string_view /*topic*/, std::string_view bytes) const override {
        const auto* first = reinterpret_cast<const typename T::value_type*>(bytes.data());
        return T(first, first + bytes.size());
    }
};

template <class T>
struct NumberSerde {
    static Serde<T> get() { return std::make_shared<NumberCodec<T>>(); }
};
template <class T>
struct BytesSerde {
    static Serde<T> get() { return std::make_shared<BytesCodec<T>>(); }
};

}  // namespace detail

template <>
struct SerdeFor<std::string> : detail::BytesSerde<std::string> {};
template <>
struct SerdeFor<std::vector<std::byte>> : detail::BytesSerde<std::vector<std::byte>> {};
template <>
struct SerdeFor<std::vector<std::uint8_t>> : detail::BytesSerde<std::vector<std::uint8_t>> {};
template <>
struct SerdeFor<std::int16_t> : detail::NumberSerde<std::int16_t> {};
template <>
struct SerdeFor<std::int32_t> : detail::NumberSerde<std::int32_t> {};
template <>
struct SerdeFor<std::int64_t> : detail::NumberSerde<std::int64_t> {};
template <>
struct SerdeFor<float> : detail::NumberSerde<float> {};
template <>
struct SerdeFor<double> : detail::NumberSerde<double> {};

}  // namespace leat::streams
