// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/key_value_store.h"

#include <utility>

#include "streams/state/ordered_bytes.h"
#include "streams/state/row_bytes.h"
#include "streams/state/store_meter.h"
#include "streams/state/use_order.h"

namespace leat::streams::detail {

KeyValueStore::KeyValueStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes)
    : StateStore(std::move(spec), std::move(bytes)),
      timestamped_(this->spec().kind == StoreSpec::Kind::kKeyValue) {
    if (this->spec().entries_max) uses_ = std::make_unique<UseOrder>(*this->spec().entries_max);
}

KeyValueStore::~KeyValueStore() = default;

Result<void> KeyValueStore::open(Task& task) {
    LEAT_TRY_VOID(StateStore::open(task));
    if (uses_ == nullptr) return {};
    uses_->clear();
    return bytes().scan({}, std::nullopt, Direction::kForward,
                        [&](std::string_view row, std::string_view) {
                            uses_->use(row);
                            return true;
                        });
}

Result<void> KeyValueStore::put_row(std::string_view row, std::optional<std::string_view> value) {
    LEAT_TRY_VOID(StateStore::put_row(row, value));
    if (uses_ == nullptr) return {};
    if (!value) {
        uses_->forget(row);
        return {};
    }
    uses_->use(row);
    while (const auto excess = uses_->take_excess()) {
        LEAT_TRY_VOID(StateStore::put_row(*excess, std::nullopt));
        // What is being restored has its deletions in the changelog.
        if (!restores_) LEAT_TRY_VOID(log(*excess, std::nullopt, now_));
    }
    return {};
}

std::string_view KeyValueStore::changelog_value(std::string_view value) const {
    return timestamped_ ? value.substr(kTimestampBytes) : value;
}

void KeyValueStore::decode(std::string& value, Entry& out) const {
    out.timestamp = -1;
    if (timestamped_ && value.size() >= kTimestampBytes) {
        out.timestamp = read_be<std::int64_t>(value);
        value.erase(0, kTimestampBytes);
    }
}

void KeyValueStore::read_entry(std::string_view value, Entry& out) const {
    out.value.assign(value);
    decode(out.value, out);
}

Result<void> KeyValueStore::restore(std::span<const ChangelogRecord> records) {
    restores_ = true;
    Result<void> done = take_in(records);
    restores_ = false;
    return done;
}

Result<void> KeyValueStore::take_in(std::span<const ChangelogRecord> records) {
    for (const auto& record : records) {
        if (record.value && timestamped_) {
            LEAT_TRY_VOID(put_row(record.key, with_timestamp(record.timestamp, *record.value)));
        } else {
            LEAT_TRY_VOID(put_row(record.key, record.value));
        }
    }
    return {};
}

Result<bool> KeyValueStore::get(std::string_view key, Entry& out) const {
    const CallTimer timer{bytes().meter, StoreCall::kGet};
    return find(key, out);
}

Result<bool> KeyValueStore::get_below_cache(std::string_view key, Entry& out) const {
    const CallTimer timer{bytes().meter, StoreCall::kGet};
    LEAT_TRY(const bool found, bytes().get(key, out.value));
    if (found) decode(out.value, out);
    return found;
}

Result<bool> KeyValueStore::find(std::string_view key, Entry& out) const {
    LEAT_TRY(const bool found, read(key, out.value));
    if (!found) return false;
    decode(out.value, out);
    if (uses_ != nullptr) uses_->use(key);
    return true;
}

Result<void> KeyValueStore::put(std::string_view key, std::optional<std::string_view> value,
                                std::int64_t timestamp, const Headers* headers) {
    const CallTimer timer{bytes().meter, StoreCall::kPut};
    return set(key, value, timestamp, headers);
}

Result<bool> KeyValueStore::put_if_absent(std::string_view key, std::string_view value,
                                          std::int64_t timestamp, Entry& before,
                                          const Headers* headers) {
    const CallTimer timer{bytes().meter, StoreCall::kPutIfAbsent};
    LEAT_TRY(const bool found, find(key, before));
    if (!found) LEAT_TRY_VOID(set(key, value, timestamp, headers));
    return found;
}

Result<bool> KeyValueStore::erase(std::string_view key, std::int64_t timestamp, Entry* before,
                                  const Headers* headers) {
    const CallTimer timer{bytes().meter, StoreCall::kDelete};
    bool found = false;
    if (before != nullptr) {
        LEAT_TRY(found, find(key, *before));
    }
    LEAT_TRY_VOID(set(key, std::nullopt, timestamp, headers));
    return found;
}

Result<void> KeyValueStore::erase_told(std::string_view key, std::int64_t timestamp) {
    const CallTimer timer{bytes().meter, StoreCall::kPut};
    return write({.row = key, .timestamp = timestamp, .after_output = true});
}

Result<void> KeyValueStore::set(std::string_view key, std::optional<std::string_view> value,
                                std::int64_t timestamp, const Headers* headers) {
    now_ = timestamp;
    RowChange change{.row = key, .value = value, .timestamp = timestamp, .headers = headers};
    if (value && timestamped_) {
        scratch_.clear();
        append_be(scratch_, timestamp);
        scratch_.append(*value);
        change.value = scratch_;
    }
    return write(change);
}

Result<void> KeyValueStore::range(std::string_view from, std::optional<std::string_view> to,
                                  const Visit& visit, Direction direction) const {
    const CallTimer timer{bytes().meter, from.empty() && !to ? StoreCall::kAll : StoreCall::kRange};
    Entry entry;
    return scan(from, to, direction, [&](std::string_view key, std::string_view value) {
        entry.value.assign(value);
        decode(entry.value, entry);
        return visit(key, entry);
    });
}

Result<void> KeyValueStore::prefix(std::string_view prefix, const Visit& visit,
                                   Direction direction) const {
    const auto end = after_prefix(prefix);
    return range(prefix, end ? std::optional<std::string_view>{*end} : std::nullopt, visit,
                 direction);
}

namespace {

/// Kafka's list of byte arrays: 1 (each entry has its length in front), the count, then the
/// entries.
constexpr char kVariableSize = 1;
constexpr std::size_t kListHead = 5;

/// Calls `visit` for each entry. Errors: kMalformed.
Result<bool> each_entry(std::string_view list,
                        const std::function<bool(std::string_view value)>& visit) {
    const auto broken = [] { return Error{Errc::kMalformed, "a list of values is cut off"}; };
    if (list.size() < kListHead || list[0] != kVariableSize) return broken();
    const auto count = read_be<std::uint32_t>(list.substr(1));
    list.remove_prefix(kListHead);
    for (std::uint32_t i = 0; i < count; ++i) {
        if (list.size() < 4) return broken();
        const auto size = read_be<std::uint32_t>(list);
        list.remove_prefix(4);
        if (list.size() < size) return broken();
        if (!visit(list.substr(0, size))) return false;
        list.remove_prefix(size);
    }
    if (!list.empty()) return broken();
    return true;
}

}  // namespace

ListStore::ListStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes)
    : StateStore(std::move(spec), std::move(bytes)) {}

Result<void> ListStore::restore(std::span<const ChangelogRecord> records) {
    for (const auto& record : records) {
        if (record.value) {
            LEAT_TRY_VOID(each_entry(*record.value, [](std::string_view) { return true; }));
        }
        LEAT_TRY_VOID(put_row(record.key, record.value));
    }
    return {};
}

Result<void> ListStore::append(std::string_view key, std::string_view value,
                               std::int64_t timestamp) {
    const CallTimer timer{bytes().meter, StoreCall::kPut};
    LEAT_TRY(const bool known, read(key, scratch_));
    if (known && scratch_.size() < kListHead)
        return Error{Errc::kMalformed, "a list of values is cut off"};
    if (!known) scratch_.assign({kVariableSize, 0, 0, 0, 0});
    std::string count;
    append_be(count, read_be<std::uint32_t>(std::string_view{scratch_}.substr(1)) + 1);
    scratch_.replace(1, count.size(), count);
    append_be(scratch_, static_cast<std::uint32_t>(value.size()));
    scratch_.append(value);
    return write({.row = key, .value = scratch_, .timestamp = timestamp});
}

Result<void> ListStore::erase(std::string_view key, std::int64_t timestamp) {
    const CallTimer timer{bytes().meter, StoreCall::kPut};
    return write({.row = key, .timestamp = timestamp});
}

Result<void> ListStore::erase_told(std::string_view key, std::int64_t timestamp) {
    const CallTimer timer{bytes().meter, StoreCall::kPut};
    return write({.row = key, .timestamp = timestamp, .after_output = true});
}

Result<void> ListStore::range(std::string_view from, std::optional<std::string_view> to,
                              const Visit& visit) const {
    const CallTimer timer{bytes().meter, from.empty() && !to ? StoreCall::kAll : StoreCall::kRange};
    Result<bool> parsed = true;
    LEAT_TRY_VOID(
        scan(from, to, Direction::kForward, [&](std::string_view key, std::string_view list) {
            parsed = each_entry(list, [&](std::string_view value) { return visit(key, value); });
            return parsed && *parsed;
        }));
    if (!parsed) return std::move(parsed).error();
    return {};
}

}  // namespace leat::streams::detail
