// SPDX-License-Identifier: Apache-2.0
//
// Writes the primitive types of Kafka's protocol; measures them first. Layer: wire (L2).
// Spec:  Kafka protocol guide, "Protocol Primitive Types"; KIP-482 (flexible versions).
#pragma once

#include <bit>
#include <vector>

#include "base/check.h"
#include "base/endian.h"
#include "wire/types.h"

namespace leat::wire {

/// The longest string that the protocol can carry; longer ones are cut here, since what is too long
/// is text for people that quotes a peer, and a peer must not be able to stop us with it.
inline constexpr std::size_t kStringBytesMax = INT16_MAX;

[[nodiscard]] constexpr std::size_t uvarint_bytes(std::uint32_t value) noexcept {
    return value == 0 ? 1 : (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7;
}

/// Has the calls of Writer and adds up what they would write. Threading: not synchronised.
class Sizer {
  public:
    [[nodiscard]] EncodedSize size() const noexcept { return size_; }

    void boolean(bool /*value*/) noexcept { size_.inline_bytes += 1; }
    void i8(std::int8_t /*value*/) noexcept { size_.inline_bytes += 1; }
    void i16(std::int16_t /*value*/) noexcept { size_.inline_bytes += 2; }
    void u16(std::uint16_t /*value*/) noexcept { size_.inline_bytes += 2; }
    void i32(std::int32_t /*value*/) noexcept { size_.inline_bytes += 4; }
    void i64(std::int64_t /*value*/) noexcept { size_.inline_bytes += 8; }
    void f64(double /*value*/) noexcept { size_.inline_bytes += 8; }
    void uuid(const Uuid& /*value*/) noexcept { size_.inline_bytes += 16; }
    void uvarint(std::uint32_t value) noexcept { size_.inline_bytes += uvarint_bytes(value); }
    void present(bool /*value*/) noexcept { size_.inline_bytes += 1; }
    void tagged_present(bool /*value*/) noexcept { size_.inline_bytes += 1; }

    void string(std::string_view value, bool flex) noexcept;
    void nullable_string(const std::optional<std::string_view>& value, bool flex,
                         bool null_ok = true) noexcept;
    void bytes(Bytes value, bool flex) noexcept;
    void nullable_bytes(const std::optional<Bytes>& value, bool flex, bool null_ok = true) noexcept;
    void records(const Records& value, bool flex, bool null_ok) noexcept;
    void array(bool flex, std::size_t count) noexcept;
    void null_array(bool flex) noexcept { size_.inline_bytes += flex ? 1 : 4; }
    /// Number and size of a tagged field; the payload follows.
    void tag(std::uint32_t number, std::size_t payload_bytes) noexcept;

  private:
    EncodedSize size_;
};

/// Fills one buffer of exactly the measured size; writing past its end aborts.
///
/// Null where the version knows no null is written as empty.
/// Threading: not synchronised.
class Writer {
  public:
    explicit Writer(MutableBytes out) noexcept
        : begin_(out.data()), at_(out.data()), end_(out.data() + out.size()) {}

    [[nodiscard]] std::size_t written() const noexcept {
        return static_cast<std::size_t>(at_ - begin_);
    }
    /// Where external records belong, in order.
    [[nodiscard]] const std::vector<Splice>& splices() const noexcept { return splices_; }
    [[nodiscard]] std::vector<Splice> take_splices() noexcept { return std::move(splices_); }

    void boolean(bool value) { number<std::uint8_t>(value ? 1 : 0); }
    void i8(std::int8_t value) { number(value); }
    void i16(std::int16_t value) { number(value); }
    void u16(std::uint16_t value) { number(value); }
    void i32(std::int32_t value) { number(value); }
    void i64(std::int64_t value) { number(value); }
    void f64(double value) { number(std::bit_cast<std::int64_t>(value)); }
    void uuid(const Uuid& value);
    void uvarint(std::uint32_t value);
    /// The marker in front of a nullable struct; in front of one that is a tagged field.
    void present(bool value) { number<std::int8_t>(value ? 1 : -1); }
    void tagged_present(bool value) { uvarint(value ? 1 : 0); }

    void string(std::string_view value, bool flex);
    void nullable_string(const std::optional<std::string_view>& value, bool flex,
                         bool null_ok = true);
    void bytes(Bytes value, bool flex);
    void nullable_bytes(const std::optional<Bytes>& value, bool flex, bool null_ok = true);
    void records(const Records& value, bool flex, bool null_ok);
    void array(bool flex, std::size_t count);
    void null_array(bool flex);
    void tag(std::uint32_t number, std::size_t payload_bytes);

  private:
    template <class T>
    void number(T value) {
        store_be(room(sizeof(T)), value);
    }
    std::byte* room(std::size_t size) {
        if (static_cast<std::size_t>(end_ - at_) < size) [[unlikely]]
            overflow();
        std::byte* out = at_;
        at_ += size;
        return out;
    }
    [[noreturn]] static void overflow();
    void raw(Bytes value);
    void length(bool flex, std::size_t size);

    std::byte* begin_;
    std::byte* at_;
    std::byte* end_;
    std::vector<Splice> splices_;
};

}  // namespace leat::wire
