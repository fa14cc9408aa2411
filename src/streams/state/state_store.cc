// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/detail/state_store.h"

#include <utility>

#include "leat/streams/detail/task.h"
#include "streams/state/ordered_bytes.h"

namespace leat::streams::detail {

StateStore::StateStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes)
    : spec_(std::move(spec)), bytes_(std::move(bytes)) {
    if (spec_.logging && !spec_.source_topic) changelog_ = spec_.name + "-changelog";
}

StateStore::~StateStore() = default;

Result<void> StateStore::open(Task& task) {
    task_ = &task;
    return {};
}

bool StateStore::forward_on_flush(OnFlush /*listener*/, bool /*old_values*/) {
    return false;
}

Result<void> StateStore::flush() {
    return {};
}

Result<bool> StateStore::read(std::string_view row, std::string& out) const {
    return bytes_->get(row, out);
}

Result<void> StateStore::write(const RowChange& change) {
    LEAT_TRY_VOID(put_row(change.row, change.value));
    if (!changelog_) return {};
    std::string scratch;
    std::optional<std::string_view> value;
    if (change.value) value = changelog_value(*change.value);
    return log(changelog_key(change.row, scratch), value, change.timestamp);
}

Result<void> StateStore::put_row(std::string_view row, std::optional<std::string_view> value) {
    return value ? bytes_->put(row, *value) : bytes_->erase(row);
}

std::string_view StateStore::changelog_key(std::string_view row, std::string& /*scratch*/) const {
    return row;
}

Result<void> StateStore::scan(std::string_view from, std::optional<std::string_view> to,
                              Direction direction, const VisitRow& visit) const {
    return bytes_->scan(from, to, direction, visit);
}

Result<void> StateStore::log(std::string_view key, std::optional<std::string_view> value,
                             std::int64_t timestamp, const Headers* headers) {
    if (!changelog_) return {};
    return task_->log_change({.topic = *changelog_,
                              .key = key,
                              .value = value,
                              .timestamp = timestamp,
                              .headers = headers});
}

}  // namespace leat::streams::detail
