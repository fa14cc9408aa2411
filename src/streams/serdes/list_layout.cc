// SPDX-License-Identifier: Apache-2.0
//
// Lists in bytes, without what their entries are. Of entries of one size:
//
//     00 | number of nulls: 4 | their places: 4 each | number of entries: 4 | entries that are not
//     null
//
// and of others, where size -1 stands for null:
//
//     01 | number of entries: 4 | (size: 4 | entry) each
#include <algorithm>

#include "leat/streams/detail/big_endian.h"
#include "leat/streams/serdes.h"

namespace leat::streams::detail {

namespace {

constexpr char kFixed = 0;
constexpr char kSized = 1;
constexpr std::int32_t kNull = -1;
constexpr std::size_t kInt = sizeof(std::int32_t);

/// Numbers and entries off the front. Threading: not synchronised.
class Reader {
  public:
    explicit Reader(std::string_view bytes) : left_(bytes) {}
    [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }
    Result<std::string_view> take(std::size_t size) {
        if (left_.size() < size) return Error{Errc::kInvalidRecord, "a list is cut off"};
        const auto taken = left_.substr(0, size);
        left_.remove_prefix(size);
        return taken;
    }
    Result<std::int32_t> number() {
        LEAT_TRY(const std::string_view four, take(kInt));
        return read_be<std::int32_t>(four);
    }
    /// A number of things, each of which takes at least so many bytes.
    Result<std::size_t> count(std::size_t bytes_each, std::size_t more = 0) {
        LEAT_TRY(const std::int32_t number_of, number());
        if (number_of < 0 || static_cast<std::size_t>(number_of) > more + left() / bytes_each)
            return Error{Errc::kInvalidRecord, "a list tells of more entries than it has"};
        return static_cast<std::size_t>(number_of);
    }

  private:
    std::string_view left_;
};

/// Places beyond the list and repeated ones are ignored, as Kafka does.
Result<ListEntries> split_fixed(Reader& in, std::size_t size) {
    LEAT_TRY(const std::size_t null_count, in.count(kInt));
    std::vector<std::int32_t> nulls;
    nulls.reserve(null_count);
    for (std::size_t i = 0; i < null_count; ++i) {
        LEAT_TRY(const std::int32_t place, in.number());
        nulls.push_back(place);
    }
    std::ranges::sort(nulls);
    LEAT_TRY(const std::size_t count, in.count(size, nulls.size()));
    ListEntries entries;
    entries.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        if (std::ranges::binary_search(nulls, static_cast<std::int32_t>(i))) {
            entries.emplace_back();
            continue;
        }
        LEAT_TRY(const std::string_view entry, in.take(size));
        entries.emplace_back(entry);
    }
    return entries;
}

Result<ListEntries> split_sized(Reader& in) {
    LEAT_TRY(const std::size_t count, in.count(kInt));
    ListEntries entries;
    entries.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        LEAT_TRY(const std::int32_t size, in.number());
        if (size == kNull) {
            entries.emplace_back();
            continue;
        }
        if (size < 0) return Error{Errc::kInvalidRecord, "an entry of a list has a negative size"};
        LEAT_TRY(const std::string_view entry, in.take(static_cast<std::size_t>(size)));
        entries.emplace_back(entry);
    }
    return entries;
}

}  // namespace

Result<ListEntries> split_list(std::string_view bytes, std::optional<std::size_t> fixed) {
    Reader in{bytes};
    LEAT_TRY(const std::string_view form, in.take(1));
    if (form[0] == kSized) return split_sized(in);
    if (form[0] != kFixed) return Error{Errc::kInvalidRecord, "a list of an unknown form"};
    if (!fixed || *fixed == 0)
        return Error{Errc::kInvalidRecord, "a list of entries of one size, which these have not"};
    return split_fixed(in, *fixed);
}

void append_list_head(std::string& out, bool fixed, const std::vector<std::int32_t>& nulls,
                      std::size_t count) {
    out.push_back(fixed ? kFixed : kSized);
    if (fixed) {
        append_be(out, static_cast<std::int32_t>(nulls.size()));
        for (const std::int32_t place : nulls) append_be(out, place);
    }
    append_be(out, static_cast<std::int32_t>(count));
}

void fill_entry_size(std::string& out, std::size_t at, bool null) {
    std::string size;
    append_be(size, null ? kNull : static_cast<std::int32_t>(out.size() - at - kInt));
    out.replace(at, kInt, size);
}

Error null_entry(std::size_t index) {
    return Error{Errc::kInvalidRecord,
                 "entry " + std::to_string(index) + " of a list is null, which these cannot be"};
}

}  // namespace leat::streams::detail
