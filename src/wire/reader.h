// SPDX-License-Identifier: Apache-2.0
//
// Reads the primitive types of Kafka's protocol out of one frame. Layer: wire (L2).
// Spec:  Kafka protocol guide, "Protocol Primitive Types"; KIP-482 (flexible versions).
#pragma once

#include <algorithm>

#include "base/arena.h"
#include "base/endian.h"
#include "wire/types.h"

namespace leat::wire {

/// The start of a tagged field.
struct TagMark {
    std::uint32_t number = 0;
    std::uint32_t size_bytes = 0;
};

/// Cursor over a frame. An error sticks: from then on every call gives zero, empty or null, and
/// finish() tells what happened, so that generated code need not test each field.
///
/// Invariant: never reads past the frame; never allocates for a length that the frame cannot hold.
/// Limits:    an array has at most kArrayMax elements, each of at least its least encoded size in
///            the bytes that remain; a tag section has at most kTagsMax fields; all arrays together
///            take at most memory_max() from the arena.
/// Memory:    strings and bytes are views into the frame, arrays lie in the arena: both must
///            outlive the decoded message.
/// Threading: not synchronised.
class Reader {
  public:
    static constexpr std::size_t kArrayMax = 1'000'000;
    static constexpr std::uint32_t kTagsMax = 10'000;
    /// What decoding a frame of this size may take from the arena: 16 times the frame, but at least
    /// 256 KiB, and past 64 MiB only twice the frame more. Honest requests take 1 to 10 times their
    /// frame; what takes more is elements of a byte or two. Large honest frames are record batches,
    /// which take nothing. With Kafka's 100 MiB a frame the worst is 2.6 times the frame.
    [[nodiscard]] static constexpr std::size_t memory_max(std::size_t frame_bytes) noexcept {
        constexpr std::size_t kKiB = 1024;
        return std::max(256 * kKiB, std::min(16 * frame_bytes, 64 * kKiB * kKiB + 2 * frame_bytes));
    }

    Reader(Bytes frame, Arena& arena) noexcept;

    [[nodiscard]] bool failed() const noexcept { return failure_ != nullptr; }
    [[nodiscard]] std::size_t remaining() const noexcept {
        return static_cast<std::size_t>(end_ - at_);
    }
    /// The first error, else success. Bytes after the message are left alone, as Kafka leaves them.
    /// Errors: kTruncated (the frame ends too early); kMalformed (null where none may be, a length
    ///         that cannot be); kLimitExceeded (see Limits).
    [[nodiscard]] Result<void> finish() const;

    bool boolean() { return number<std::uint8_t>() != 0; }
    std::int8_t i8() { return number<std::int8_t>(); }
    std::int16_t i16() { return number<std::int16_t>(); }
    std::uint16_t u16() { return number<std::uint16_t>(); }
    std::int32_t i32() { return number<std::int32_t>(); }
    std::int64_t i64() { return number<std::int64_t>(); }
    double f64();
    Uuid uuid();
    std::uint32_t uvarint();

    /// `flex` picks the compact form. `null_ok` false makes null an error; so do the calls without
    /// it.
    std::string_view string(bool flex);
    std::optional<std::string_view> nullable_string(bool flex, bool null_ok = true);
    Bytes bytes(bool flex);
    std::optional<Bytes> nullable_bytes(bool flex, bool null_ok = true);
    Records records(bool flex, bool null_ok);

    /// An array of default values for the caller to fill; `least` is the least size of an element.
    template <class T>
    std::span<T> array(bool flex, std::size_t least) {
        return make<T>(count(flex, false, least, sizeof(T)));
    }
    template <class T>
    std::optional<std::span<T>> nullable_array(bool flex, std::size_t least, bool null_ok = true) {
        const std::int64_t n = count(flex, null_ok, least, sizeof(T));
        if (n < 0) return std::nullopt;
        return make<T>(n);
    }
    /// The marker byte before a nullable struct.
    bool present() { return i8() >= 0 && !failed(); }
    /// The marker in front of one that is a tagged field.
    bool tagged_present() { return uvarint() > 0; }
    template <class T>
    T* one() {
        charge(sizeof(T));
        return make<T>(1).data();
    }

    /// The tag section: tag_count(), then for each field tag() and its value, or skip_tag(). As in
    /// Kafka, order does not matter, the last of several wins, and a known field ends where its
    /// value ends, whatever its size says.
    std::uint32_t tag_count();
    TagMark tag();
    void skip_tag(TagMark tag);
    void skip_tags();
    /// A tagged field that exists, but not in this version, is an error; unknown ones are skipped.
    void wrong_tag();

  private:
    template <class T>
    T number() {
        if (remaining() < sizeof(T)) [[unlikely]]
            return short_of_bytes(), T{};
        const T value = load_be<T>(at_);
        at_ += sizeof(T);
        return value;
    }
    template <class T>
    std::span<T> make(std::int64_t n) {
        return arena_->array<T>(n > 0 ? static_cast<std::size_t>(n) : 0);
    }
    Bytes take(std::size_t size);
    std::int64_t length(bool flex, bool is_string);
    std::int64_t count(bool flex, bool null_ok, std::size_t least, std::size_t element_bytes);
    void charge(std::size_t size);
    void short_of_bytes();
    void fail(Errc code, const char* why);

    const std::byte* begin_;
    const std::byte* at_;
    const std::byte* end_;
    Arena* arena_;
    std::size_t memory_left_;
    const char* failure_ = nullptr;
    Errc code_ = Errc::kNone;
    std::size_t failed_at_ = 0;
};

/// The error of a decode() whose version the message does not have.
[[nodiscard]] Error unsupported_version();

}  // namespace leat::wire
