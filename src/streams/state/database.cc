// SPDX-License-Identifier: Apache-2.0
#include "streams/state/database.h"

#include <rocksdb/env.h>

#include "streams/state/row_bytes.h"
#include "streams/state/rows_visit.h"

namespace leat::streams::detail {

namespace {

/// What an entry costs beyond its bytes, roughly.
constexpr std::size_t kEntryOverhead = 96;

using Rows = decltype(StoreRows::changed);

/// Before it is changed.
void note(const void* place, const Rows::value_type& row) {
    RowsVisit::note(place, row.first,
                    [&] { return RowsVisit::Before{.was_there = true, .value = row.second}; });
}

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
    ++stamp;
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
        RowsVisit::note(place(), key, [] { return RowsVisit::Before{}; });
        rows_->changed.emplace_hint(at, key, value);
        ++rows_->stamp;
        return {};
    }
    note(place(), *at);
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
    const auto last = rows_->changed.lower_bound(to);
    for (auto at = rows_->changed.lower_bound(from); at != last; at = rows_->changed.erase(at))
        note(place(), *at);
    ++rows_->stamp;
    rows_->dropped.emplace_back(from, to);
    return {};
}

/// What the database has. It does not change in a visit: all that is put waits in memory until the
/// record is done.
/// Threading: not synchronised.
class RocksRows::Stored {
  public:
    Stored(rocksdb::Iterator& at, const RowsVisit& during, std::size_t prefix)
        : at_(at), is_forward_(during.is_forward()), prefix_(prefix) {
        if (is_forward_)
            at_.SeekToFirst();
        else
            at_.SeekToLast();
    }
    [[nodiscard]] std::optional<std::string_view> key() const {
        if (!at_.Valid()) return std::nullopt;
        return view(at_.key()).substr(prefix_);
    }
    [[nodiscard]] std::string_view value() const { return view(at_.value()); }
    void step() {
        if (is_forward_)
            at_.Next();
        else
            at_.Prev();
    }

  private:
    rocksdb::Iterator& at_;
    bool is_forward_;
    std::size_t prefix_;
};

/// What is not in the database yet.
/// Threading: not synchronised.
class RocksRows::Changed {
  public:
    Changed(const StoreRows& rows, const RowsVisit& during, const RowRange& range)
        : rows_(rows), during_(during), range_(range), stamp_(rows.stamp) {
        seek();
    }
    void catch_up() {
        if (stamp_ == rows_.stamp) return;
        stamp_ = rows_.stamp;
        seek();
    }
    [[nodiscard]] std::optional<std::string_view> key() const {
        if (during_.is_forward())
            return at_ == last_ ? std::nullopt : std::optional<std::string_view>{at_->first};
        return at_ == first_ ? std::nullopt
                             : std::optional<std::string_view>{std::prev(at_)->first};
    }
    /// A copy: the visitor may change it.
    [[nodiscard]] std::optional<std::string_view> value() {
        const auto& value = during_.is_forward() ? at_->second : std::prev(at_)->second;
        if (!value) return std::nullopt;
        value_.assign(*value);
        return value_;
    }
    void pass(RowsVisit& during) const { during.pass(*key()); }
    void step() {
        if (during_.is_forward())
            ++at_;
        else
            --at_;
    }

  private:
    void seek() {
        const auto& all = rows_.changed;
        first_ = all.lower_bound(range_.from);
        last_ = range_.to ? all.lower_bound(*range_.to) : all.end();
        at_ = during_.is_forward() ? first_ : last_;
        const auto& at = during_.at();
        if (!at || *at < range_.from || (range_.to && *at >= *range_.to)) return;
        at_ = during_.is_forward() ? all.upper_bound(*at) : all.lower_bound(*at);
    }

    const StoreRows& rows_;
    const RowsVisit& during_;
    RowRange range_;
    std::uint64_t stamp_;
    Rows::const_iterator first_;
    Rows::const_iterator last_;
    Rows::const_iterator at_;
    std::string value_;
};

Result<void> RocksRows::scan_during(RowsVisit& during, const RowRange& range,
                                    const Visit& visit) const {
    if (range.to && *range.to <= range.from) return {};
    const std::string first = rows_->prefix + std::string{range.from};
    const std::string end =
        range.to ? rows_->prefix + std::string{*range.to} : *after_prefix(rows_->prefix);
    const rocksdb::Slice lower = first;
    const rocksdb::Slice upper = end;
    rocksdb::ReadOptions options;
    options.iterate_lower_bound = &lower;
    options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> at{database_->db->NewIterator(options)};
    Stored below{*at, during, rows_->prefix.size()};
    Changed above{*rows_, during, range};
    walk(during, range, below, above, visit);
    if (!at->status().ok()) return database_->error(at->status(), "reading");
    return {};
}

}  // namespace leat::streams::detail
