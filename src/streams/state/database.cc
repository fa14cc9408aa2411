// SPDX-License-Identifier: Apache-2.0
#include "streams/state/database.h"

#include <rocksdb/env.h>

#include "streams/state/row_bytes.h"

namespace leat::streams::detail {

namespace {

/// What an entry costs beyond its bytes, roughly.
constexpr std::size_t kEntryOverhead = 96;

}  // namespace

Error Database::error(const rocksdb::Status& status, std::string_view what) const {
    const std::string text =
        std::string{what} + " the state in " + directory + ": " + status.ToString();
    if (status.IsNoSpace()) return Error{Errc::kNoSpace, text};
    if (!status.IsCorruption()) return Error{Errc::kIoError, text};
    damaged = true;
    auto marked = rocksdb::WriteStringToFile(rocksdb::Env::Default(), text, mark_path(), true);
    return Error{Errc::kMalformed,
                 text + (marked.ok() ? "; the state is damaged and restored when it is opened again"
                                     : "; the state is damaged, remove it so that it is restored")};
}

void StoreRows::clear() {
    changed.clear();
    dropped.clear();
    bytes = 0;
}

rocksdb::Status StoreRows::append_to(rocksdb::WriteBatch& batch) const {
    for (const auto& [from, to] : dropped) {
        if (auto s = batch.DeleteRange(prefix + from, prefix + to); !s.ok()) return s;
    }
    std::string key = prefix;
    for (const auto& [row, value] : changed) {
        key.replace(prefix.size(), std::string::npos, row);
        auto s = value ? batch.Put(key, *value) : batch.Delete(key);
        if (!s.ok()) return s;
    }
    return rocksdb::Status::OK();
}

Result<bool> RocksRows::get(std::string_view key, std::string& out) const {
    if (!rows_->changed.empty()) {
        const auto found = rows_->changed.find(key);
        if (found != rows_->changed.end()) {
            if (found->second) out = *found->second;
            return found->second.has_value();
        }
    }
    // Of its own each thread: all stream threads read global stores at once.
    thread_local std::string full_key;
    full_key.assign(rows_->prefix).append(key);
    const auto status = database_->db->Get({}, full_key, &out);
    if (status.IsNotFound()) return false;
    if (!status.ok()) return database_->error(status, "reading");
    return true;
}

Result<void> RocksRows::change(std::string_view key, std::optional<std::string_view> value) {
    if (rows_->gathers) {
        rows_->gathering->coming().add(rows_->prefix, key, value);
        return {};
    }
    if (rows_->direct != nullptr) {
        key_.assign(rows_->prefix).append(key);
        const auto status =
            value ? rows_->direct->Put(key_, slice(*value)) : rows_->direct->Delete(key_);
        if (!status.ok()) return database_->error(status, "restoring");
        return {};
    }
    const auto at = rows_->changed.lower_bound(key);
    if (at == rows_->changed.end() || at->first != key) {
        rows_->bytes += kEntryOverhead + key.size() + (value ? value->size() : 0);
        rows_->changed.emplace_hint(at, key, value);
        return {};
    }
    rows_->bytes -= at->second ? at->second->size() : 0;
    rows_->bytes += value ? value->size() : 0;
    if (value && at->second)
        at->second->assign(*value);
    else
        at->second = value;
    return {};
}

Result<void> RocksRows::put(std::string_view key, std::string_view value) {
    return change(key, value);
}

Result<void> RocksRows::erase(std::string_view key) {
    return change(key, std::nullopt);
}

Result<void> RocksRows::drop(std::string_view from, std::string_view to) {
    if (rows_->gathers) {
        rows_->gathering->coming().drop(rows_->prefix + std::string{from},
                                        rows_->prefix + std::string{to});
        return {};
    }
    if (rows_->direct != nullptr) {
        const auto status = rows_->direct->DeleteRange(rows_->prefix + std::string{from},
                                                       rows_->prefix + std::string{to});
        if (!status.ok()) return database_->error(status, "restoring");
        return {};
    }
    rows_->changed.erase(rows_->changed.lower_bound(from), rows_->changed.lower_bound(to));
    rows_->dropped.emplace_back(from, to);
    return {};
}

Result<void> RocksRows::scan(std::string_view from, std::optional<std::string_view> to,
                             Direction direction, const Visit& visit) const {
    if (to && *to <= from) return {};
    const std::string first = rows_->prefix + std::string{from};
    const std::string end = to ? rows_->prefix + std::string{*to} : *after_prefix(rows_->prefix);
    const rocksdb::Slice lower = first;
    const rocksdb::Slice upper = end;
    rocksdb::ReadOptions options;
    options.iterate_lower_bound = &lower;
    options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> stored{database_->db->NewIterator(options)};
    if (direction == Direction::kForward) {
        stored->Seek(lower);
        LEAT_TRY_VOID(scan_forward(*stored, from, to, visit));
    } else {
        stored->SeekToLast();
        LEAT_TRY_VOID(scan_backward(*stored, from, to, visit));
    }
    if (!stored->status().ok()) return database_->error(stored->status(), "reading");
    return {};
}

Result<void> RocksRows::scan_forward(rocksdb::Iterator& stored, std::string_view from,
                                     std::optional<std::string_view> to, const Visit& visit) const {
    auto changed = rows_->changed.lower_bound(from);
    const auto last = to ? rows_->changed.lower_bound(*to) : rows_->changed.end();
    const auto row = [&] { return view(stored.key()).substr(rows_->prefix.size()); };
    while (stored.Valid() || changed != last) {
        if (changed == last || (stored.Valid() && row() < changed->first)) {
            if (!visit(row(), view(stored.value()))) return {};
            stored.Next();
            continue;
        }
        if (stored.Valid() && row() == changed->first) stored.Next();
        if (changed->second && !visit(changed->first, *changed->second)) return {};
        ++changed;
    }
    return {};
}

Result<void> RocksRows::scan_backward(rocksdb::Iterator& stored, std::string_view from,
                                      std::optional<std::string_view> to,
                                      const Visit& visit) const {
    const auto first = rows_->changed.lower_bound(from);
    auto changed = to ? rows_->changed.lower_bound(*to) : rows_->changed.end();
    const auto row = [&] { return view(stored.key()).substr(rows_->prefix.size()); };
    while (stored.Valid() || changed != first) {
        if (changed == first || (stored.Valid() && row() > std::prev(changed)->first)) {
            if (!visit(row(), view(stored.value()))) return {};
            stored.Prev();
            continue;
        }
        --changed;
        if (stored.Valid() && row() == changed->first) stored.Prev();
        if (changed->second && !visit(changed->first, *changed->second)) return {};
    }
    return {};
}

}  // namespace leat::streams::detail
