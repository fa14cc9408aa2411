// SPDX-License-Identifier: Apache-2.0
#include "streams/state/ordered_bytes.h"

#include <utility>

#include "base/check.h"
#include "leat/streams/detail/store.h"
#include "streams/state/own_rows.h"
#include "streams/state/recent_rows.h"
#include "streams/state/record_cache.h"

namespace leat::streams::detail {

namespace {

/// Those behind where the visit is.
/// Threading: as MemoryRows.
class RowsToCome {
  public:
    RowsToCome(const MemoryRows& rows, const RowsVisit& during, const RowRange& range)
        : rows_(rows), during_(during), range_(range), stamp_(rows.stamp()) {
        seek();
    }
    void catch_up() {
        if (stamp_ == rows_.stamp()) return;
        stamp_ = rows_.stamp();
        seek();
    }
    [[nodiscard]] const std::optional<std::string_view>& key() const { return key_; }
    [[nodiscard]] std::string_view value() const { return rows_.value(at_); }
    void pass(RowsVisit& during) const { during.pass(*key_, rows_.address(at_)); }
    void step() {
        if (during_.is_forward()) rows_.next(at_);
        look();
    }

  private:
    void seek() {
        const auto& at = during_.at();
        if (!during_.is_forward()) {
            if (at && (!range_.to || *at < *range_.to))
                at_ = rows_.lower_bound(*at);
            else
                at_ = range_.to ? rows_.lower_bound(*range_.to) : rows_.end();
        } else if (at && *at >= range_.from) {
            at_ = rows_.lower_bound(*at);
            if (!MemoryRows::equal(at_, rows_.end()) && rows_.key(at_) == *at) rows_.next(at_);
        } else {
            at_ = rows_.lower_bound(range_.from);
        }
        look();
    }
    void look() {
        key_.reset();
        if (!during_.is_forward()) {
            if (MemoryRows::equal(at_, rows_.begin())) return;
            rows_.previous(at_);
        } else if (MemoryRows::equal(at_, rows_.end())) {
            return;
        }
        const std::string_view key = rows_.key(at_);
        if (during_.is_forward() ? !range_.to || key < *range_.to : key >= range_.from) key_ = key;
    }

    const MemoryRows& rows_;
    const RowsVisit& during_;
    RowRange range_;
    std::uint64_t stamp_;
    MemoryRows::Place at_;
    std::optional<std::string_view> key_;
};

}  // namespace

Result<bool> MemoryBytes::get(std::string_view key, std::string& out) const {
    const auto found = rows_.find(key);
    if (!found) return false;
    out = *found;
    return true;
}

Result<void> MemoryBytes::put(std::string_view key, std::string_view value) {
    rows_.put(key, value);
    return {};
}

Result<void> MemoryBytes::erase(std::string_view key) {
    rows_.erase(key);
    return {};
}

Result<void> MemoryBytes::scan_during(RowsVisit& during, const RowRange& range,
                                      const Visit& visit) const {
    if (range.to && *range.to <= range.from) return {};
    NoRows below;
    RowsToCome above{rows_, during, range};
    walk(during, range, below, above, visit);
    return {};
}

Result<void> MemoryBytes::drop(std::string_view from, std::string_view to) {
    rows_.erase(from, to);
    return {};
}

std::unique_ptr<OrderedBytes> MemoryBackend::rows(const StoreSpec& spec) {
    if (spec.own) return make_own_rows(spec, {});
    return std::make_unique<MemoryBytes>();
}

namespace {

std::unique_ptr<StateStore> make_window_store(const StoreSpec& spec,
                                              std::unique_ptr<OrderedBytes> rows,
                                              const std::shared_ptr<RowBudget>& budget) {
    auto store = std::make_unique<WindowStore>(spec, std::move(rows));
    if (budget && spec.persistent && spec.retain_duplicates && !spec.own)
        store->keep_recent(budget);
    return store;
}

std::unique_ptr<StateStore> make_plain(const StoreSpec& spec, std::unique_ptr<OrderedBytes> rows,
                                       const StateBackend& backend) {
    switch (spec.kind) {
        case StoreSpec::Kind::kKeyValue:
        case StoreSpec::Kind::kPlainKeyValue:
            return std::make_unique<KeyValueStore>(spec, std::move(rows));
        case StoreSpec::Kind::kWindow:
        case StoreSpec::Kind::kPlainWindow:
            return make_window_store(spec, std::move(rows), backend.row_budget);
        case StoreSpec::Kind::kSession:
            return std::make_unique<SessionStore>(spec, std::move(rows));
        case StoreSpec::Kind::kVersioned:
            return std::make_unique<VersionedStore>(spec, std::move(rows));
        case StoreSpec::Kind::kList:
            return std::make_unique<ListStore>(spec, std::move(rows));
        case StoreSpec::Kind::kSuppress:
            return std::make_unique<SuppressBuffer>(spec, std::move(rows));
    }
    LEAT_CHECK(false);
    return nullptr;
}

/// Versions, lists and duplicates are written at once, as by Kafka Streams; so are sessions that
/// are read by time.
bool may_hold_back(const StoreSpec& spec) {
    using Kind = StoreSpec::Kind;
    return spec.caching && !spec.retain_duplicates && spec.kind != Kind::kVersioned &&
           spec.kind != Kind::kList && spec.kind != Kind::kSuppress &&
           !(spec.kind == Kind::kSession && spec.time_ordered);
}

}  // namespace

std::unique_ptr<StateStore> make_store(const StoreSpec& spec, StateBackend& backend) {
    auto rows = backend.rows(spec);
    if (backend.meters) rows->meter = backend.meters(spec);
    auto store = make_plain(spec, std::move(rows), backend);
    if (backend.cache_budget && may_hold_back(spec)) store->hold_back(backend.cache_budget);
    return store;
}

}  // namespace leat::streams::detail
