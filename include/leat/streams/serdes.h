// SPDX-License-Identifier: Apache-2.0
//
// Serdes of truth values, UUIDs, lists and of what is always null. Layer: streams SDK.
// Spec:  the serializers of Kafka's Java client: Boolean, UUID (its text), Void, ListSerializer.
// Threading: as serde.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "leat/streams/serde.h"

namespace leat::streams {

/// The type of keys or values that are null in every record: to encode one is an error.
struct Void {
    friend bool operator==(const Void&, const Void&) = default;
};

namespace detail {

class BooleanCodec final : public Codec<bool> {
  public:
    Result<void> encode(std::string_view topic, const bool& value, std::string& out) const override;
    /// Errors: kInvalidRecord for all but one byte of 0 or 1.
    Result<bool> decode(std::string_view topic, std::string_view bytes) const override;
};

class VoidCodec final : public Codec<Void> {
  public:
    Result<void> encode(std::string_view topic, const Void& value, std::string& out) const override;
    /// Errors: kInvalidRecord, always.
    Result<Void> decode(std::string_view topic, std::string_view bytes) const override;
};

/// 36 characters in lower case; upper case is read as well.
class UuidCodec final : public Codec<Uuid> {
  public:
    Result<void> encode(std::string_view topic, const Uuid& value, std::string& out) const override;
    Result<Uuid> decode(std::string_view topic, std::string_view bytes) const override;
    [[nodiscard]] std::optional<std::size_t> fixed_bytes() const override;
};

/// The entries of a list as bytes, nothing for null. `fixed`: what the entries' codec says.
using ListEntries = std::vector<std::optional<std::string_view>>;
/// Errors: kInvalidRecord.
Result<ListEntries> split_list(std::string_view bytes, std::optional<std::size_t> fixed);
/// What stands before the entries. `nulls`: where entries are null, ascending; written when entries
/// are of one size.
void append_list_head(std::string& out, bool fixed, const std::vector<std::int32_t>& nulls,
                      std::size_t count);
/// The size of the entry that was appended behind `at`, where 4 bytes are kept for it; or that it
/// is null.
void fill_entry_size(std::string& out, std::size_t at, bool null);
Error null_entry(std::size_t index);

/// What an entry of a vector is: a T, or a T or null.
template <class E>
struct ListEntry {
    using Type = E;
    static constexpr bool kNullable = false;
};
template <class T>
struct ListEntry<std::optional<T>> {
    using Type = T;
    static constexpr bool kNullable = true;
};

template <class E>
class ListCodec final : public Codec<std::vector<E>> {
  public:
    using T = typename ListEntry<E>::Type;
    explicit ListCodec(Serde<T> inner) : inner_(std::move(inner)) {}

    Result<void> encode(std::string_view topic, const std::vector<E>& list,
                        std::string& out) const override {
        const bool fixed = inner_->fixed_bytes().has_value();
        std::vector<std::int32_t> nulls;
        if constexpr (ListEntry<E>::kNullable) {
            for (std::size_t i = 0; fixed && i < list.size(); ++i)
                if (!list[i]) nulls.push_back(static_cast<std::int32_t>(i));
        }
        append_list_head(out, fixed, nulls, list.size());
        for (const E& entry : list) {
            const std::size_t at = out.size();
            bool null = false;
            if (!fixed) out.append(sizeof(std::int32_t), '\0');
            if constexpr (ListEntry<E>::kNullable) {
                null = !entry.has_value();
                if (!null) LEAT_TRY_VOID(inner_->encode(topic, *entry, out));
            } else {
                LEAT_TRY_VOID(inner_->encode(topic, entry, out));
            }
            if (!fixed) fill_entry_size(out, at, null);
        }
        return {};
    }
    Result<std::vector<E>> decode(std::string_view topic, std::string_view bytes) const override {
        LEAT_TRY(const ListEntries entries, split_list(bytes, inner_->fixed_bytes()));
        std::vector<E> list;
        list.reserve(entries.size());
        for (const auto& entry : entries) {
            if (entry) {
                LEAT_TRY(T one, inner_->decode(topic, *entry));
                list.emplace_back(std::move(one));
            } else if constexpr (ListEntry<E>::kNullable) {
                list.emplace_back();
            } else {
                return null_entry(list.size());
            }
        }
        return list;
    }

  private:
    Serde<T> inner_;
};

}  // namespace detail

/// Lists of T; E = std::optional<T> admits nulls among the entries.
template <class E>
Serde<std::vector<E>> list_of(Serde<typename detail::ListEntry<E>::Type> inner =
                                  serde_for<typename detail::ListEntry<E>::Type>()) {
    return std::make_shared<detail::ListCodec<E>>(std::move(inner));
}

template <>
struct SerdeFor<bool> {
    static Serde<bool> get() { return std::make_shared<detail::BooleanCodec>(); }
};
template <>
struct SerdeFor<Void> {
    static Serde<Void> get() { return std::make_shared<detail::VoidCodec>(); }
};
template <>
struct SerdeFor<Uuid> {
    static Serde<Uuid> get() { return std::make_shared<detail::UuidCodec>(); }
};
template <class E>
    requires HasSerde<typename detail::ListEntry<E>::Type>
struct SerdeFor<std::vector<E>> {
    static Serde<std::vector<E>> get() { return list_of<E>(); }
};

/// "0123abcd-4567-89ab-cdef-0123456789ab"; Uuid::text() is another form.
[[nodiscard]] std::string uuid_text(const Uuid& id);
/// Errors: kInvalidRecord.
Result<Uuid> parse_uuid_text(std::string_view text);

}  // namespace leat::streams
