// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/join_buffer.h"

#include <algorithm>
#include <vector>

#include "leat/streams/detail/task.h"
#include "streams/state/row_bytes.h"

namespace leat::streams::detail {

namespace {

constexpr std::size_t kTimeAt = 1;
constexpr std::size_t kKeyAt = 9;
constexpr std::size_t kSequenceBytes = 4;
constexpr std::size_t kRowMin = kKeyAt + kSequenceBytes;

/// The first row of a time.
std::string first_row(std::int64_t time) {
    std::string row(1, '\0');
    append_be(row, time);
    return row;
}
std::string_view key_of(std::string_view row) {
    return row.substr(kKeyAt, row.size() - kRowMin);
}

}  // namespace

Result<void> JoinBuffer::open(Task& task) {
    store_ = &dynamic_cast<KeyValueStore&>(task.store(name_));
    return {};
}

Result<void> JoinBuffer::recover() {
    if (std::exchange(recovered_, true)) return {};
    return store_->all([this](std::string_view row, const Entry&) {
        if (row.size() < kRowMin) return true;
        observed_ = std::max(observed_, read_be<std::int64_t>(row.substr(kTimeAt)));
        sequence_ =
            std::max(sequence_, read_be<std::uint32_t>(row.substr(row.size() - kSequenceBytes)));
        return true;
    });
}

Result<bool> JoinBuffer::put(std::string_view key, const BufferedChange& record) {
    LEAT_TRY_VOID(recover());
    if (record.timestamp < observed_ - grace_ms_) return false;
    observed_ = std::max(observed_, record.timestamp);
    std::string row = first_row(record.timestamp);
    row += key;
    append_be(row, ++sequence_);
    // The time that closes a suppressed update is not used here: Kafka Streams leaves it 0.
    LEAT_TRY_VOID(store_->put(row, encode_buffered(record, 0), -1));
    return true;
}

Result<void> JoinBuffer::take_due(const Visit& visit) {
    LEAT_TRY_VOID(recover());
    const std::int64_t due = observed_ - grace_ms_;
    if (due < 0) return {};
    std::optional<std::string> end;
    if (due < std::numeric_limits<std::int64_t>::max()) end = first_row(due + 1);
    std::vector<std::pair<std::string, std::string>> rows;
    LEAT_TRY_VOID(store_->range({}, end, [&](std::string_view row, const Entry& entry) {
        rows.emplace_back(row, entry.value);
        return true;
    }));
    for (const auto& [row, value] : rows) {
        if (row.size() < kRowMin) return Error{Errc::kInvalidRecord, name_ + ": a row is cut off"};
        LEAT_TRY(const auto held, decode_buffered(value));
        LEAT_TRY_VOID(visit(key_of(row), held.second));
        LEAT_TRY_VOID(store_->erase_told(row, -1));
    }
    return {};
}

}  // namespace leat::streams::detail
