// SPDX-License-Identifier: Apache-2.0
#include "streams/state/own_rows.h"

#include <filesystem>
#include <span>
#include <system_error>

#include "base/check.h"
#include "leat/streams/detail/task.h"
#include "obs/log.h"
#include "streams/state/row_bytes.h"

namespace leat::streams::detail {

namespace {

namespace fs = std::filesystem;
using Kind = StoreSpec::Kind;
constexpr obs::Logger kLog{"streams"};
/// -1, which Kafka Streams shows where a store has forgotten the time.
constexpr std::string_view kNoTime{"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", kTimestampBytes};

/// Threading: as OwnRows.
class OwnKeyValueRows final : public OwnRows {
  public:
    using OwnRows::OwnRows;
    Result<bool> get(std::string_view key, std::string& out) const override {
        LEAT_TRY(auto found, ask([&] { return rows().get(key); }));
        if (!found) return false;
        std::string scratch;
        const std::string_view shown = with_time(*found, scratch);
        out = shown.data() == found->data() ? *std::move(found) : std::string{shown};
        return true;
    }
    Result<void> put(std::string_view key, std::string_view value) override {
        return set(key, value);
    }
    Result<void> erase(std::string_view key) override { return set(key, std::nullopt); }
    Result<void> scan_during(RowsVisit& during, const RowRange& range,
                             const Visit& visit) const override {
        if (range.to && *range.to <= range.from) return {};
        std::string scratch;
        const KeyValueBytesStore::Visit shown = [&](std::string_view key, std::string_view value) {
            return visit(key, with_time(value, scratch));
        };
        return ask([&] { return rows().range(range.from, range.to, shown, !during.is_forward()); });
    }
    Result<void> drop(std::string_view from, std::string_view to) override {
        std::vector<std::string> keys;
        LEAT_TRY_VOID(scan(from, to, Direction::kForward, [&](std::string_view key, auto) {
            keys.emplace_back(key);
            return true;
        }));
        for (const std::string& key : keys) LEAT_TRY_VOID(erase(key));
        return {};
    }

  private:
    [[nodiscard]] KeyValueBytesStore& rows() const {
        return static_cast<KeyValueBytesStore&>(*store());
    }
    Result<void> set(std::string_view key, std::optional<std::string_view> value) {
        const auto kept = without_time(value);
        return change(key, kept, [&] { return rows().put(key, kept); });
    }
    [[nodiscard]] std::unique_ptr<BytesStore> make() const override {
        return spec().own.as<KeyValueBytesStoreSupplier>()->get();
    }
    Result<void> take_in(const std::vector<HeldRow>& held) override {
        std::vector<KeyValueBytesStore::Change> changes;
        changes.reserve(held.size());
        for (const auto& [key, value] : held) changes.push_back({key, value});
        return ask([&] { return rows().restore(changes); });
    }
};

}  // namespace

OwnRows::OwnRows(const StoreSpec& spec, OwnPlace place)
    : spec_(spec),
      place_(std::move(place)),
      who_("the store " + spec.name),
      forgets_time_((spec.kind == Kind::kKeyValue || spec.kind == Kind::kWindow) &&
                    !spec.own.traits().has_timestamps()) {
    if (!place_.beside) place_.beside = std::make_unique<MemoryBytes>();
}

OwnRows::~OwnRows() {
    if (!store_) return;
    const Result<void> closed = ask([&] { return store_->close(); });
    if (!closed)
        kLog.warn("a store of the user's did not close", {{"why", closed.error().detail()}});
}

Result<void> OwnRows::prepare_folder() {
    if (place_.folder.empty()) return {};
    std::error_code failed;
    if (!place_.is_known) fs::remove_all(place_.folder, failed);
    if (!failed) fs::create_directories(place_.folder, failed);
    if (failed) return Error{Errc::kIoError, place_.folder + ": " + failed.message()};
    return {};
}

Result<void> OwnRows::open(Task& task) {
    if (store_) return {};
    LEAT_TRY_VOID(prepare_folder());
    const TaskIdentity& at = task.identity();
    StoreContext context{
        .application_id = at.application_id, .task_id = at.task_id, .state_dir = place_.folder};
    if (at.configs != nullptr) context.app_configs = *at.configs;
    return ask([&]() -> Result<void> {
        auto made = make();
        if (!made) return Error{Errc::kInvalidRequest, who_ + ": its supplier made none"};
        LEAT_TRY_VOID(made->init(context));
        store_ = std::move(made);
        return {};
    });
}

Result<void> OwnRows::clear() {
    is_changed_ = false;
    place_.is_known = false;
    held_.clear();
    if (auto* memory = dynamic_cast<MemoryBytes*>(place_.beside.get())) memory->clear();
    if (!store_) return {};
    const Result<void> closed = ask([&] { return store_->close(); });
    store_.reset();
    if (!closed) return Error{closed.error().code(), std::string{closed.error().detail()}};
    return prepare_folder();
}

Result<void> OwnRows::flush() {
    if (!store_) return {};
    return ask([&] { return store_->flush(); });
}

Result<void> OwnRows::restore(const std::function<Result<void>()>& apply) {
    is_restoring_ = true;
    Result<void> done = apply();
    if (done) done = let_out();
    is_restoring_ = false;
    held_.clear();
    return done;
}

Result<void> OwnRows::begin_change() {
    if (is_restoring_ || is_changed_) return {};
    if (before_change) LEAT_TRY_VOID(before_change());
    is_changed_ = true;
    return {};
}

Result<void> OwnRows::let_out() {
    if (held_.empty()) return {};
    LEAT_TRY_VOID(take_in(held_));
    held_.clear();
    return {};
}

OrderedBytes& OwnRows::beside() const {
    return *place_.beside;
}

std::optional<std::string_view> OwnRows::without_time(std::optional<std::string_view> value) const {
    if (!value || !forgets_time_) return value;
    return value->substr(std::min(kTimestampBytes, value->size()));
}

std::string_view OwnRows::with_time(std::string_view value, std::string& scratch) const {
    if (!forgets_time_) return value;
    scratch.assign(kNoTime).append(value);
    return scratch;
}

bool is_supplied_kind(const StoreSpec& spec) {
    switch (spec.kind) {
        case Kind::kKeyValue:
        case Kind::kPlainKeyValue:
        case Kind::kList:
            return spec.own.as<KeyValueBytesStoreSupplier>() != nullptr && !spec.entries_max;
        case Kind::kWindow:
        case Kind::kPlainWindow:
            return spec.own.as<WindowBytesStoreSupplier>() != nullptr;
        case Kind::kSession:
            return spec.own.as<SessionBytesStoreSupplier>() != nullptr;
        case Kind::kVersioned:
        case Kind::kSuppress:
            break;
    }
    return false;
}

std::unique_ptr<OwnRows> make_own_rows(const StoreSpec& spec, OwnPlace place) {
    LEAT_CHECK(is_supplied_kind(spec));
    if (spec.own.as<WindowBytesStoreSupplier>() != nullptr)
        return make_own_windows(spec, std::move(place));
    if (spec.own.as<SessionBytesStoreSupplier>() != nullptr)
        return make_own_sessions(spec, std::move(place));
    return std::make_unique<OwnKeyValueRows>(spec, std::move(place));
}

}  // namespace leat::streams::detail
