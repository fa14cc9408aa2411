// SPDX-License-Identifier: Apache-2.0
//
// What makes stores of one's own, for Materialized, StreamJoined and the stores of processors.
// Layer: streams SDK.
// Spec:  Kafka Streams' KeyValueBytesStoreSupplier, WindowBytesStoreSupplier and
// SessionBytesStoreSupplier.
// Threading: `get` is called on threads of the application, for each task that is opened and again
// when a store begins anew.
//
//     const KeyValueBytesStoreSupplier mine{
//         .name = "counts", .get = [] { return std::make_unique<MyStore>(); }};
//     stream.group_by_key().count(Materialized<std::string, std::int64_t>::as(mine));
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "leat/streams/bytes_stores.h"
#include "leat/streams/record.h"

namespace leat::streams {

/// What suppliers of all kinds say.
struct StoreTraits {
    /// It has a folder, and is restored from where its last commit was. Under exactly-once, where
    /// nothing can take back what is put, only after it was closed with nothing uncommitted; else
    /// its folder is emptied and it is restored whole. False: it begins empty.
    bool persistent = false;
    /// Of key-value and window stores: stored values have their time in front, 8 bytes, where the
    /// DSL keeps one. Not given: those that are not persistent have it. Without it the time is
    /// forgotten, and -1.
    std::optional<bool> timestamped{};
    std::string metrics_scope = "own";  ///< Begins the tag of its metrics: "own-state-id".
    [[nodiscard]] bool has_timestamps() const { return timestamped.value_or(!persistent); }
};

struct KeyValueBytesStoreSupplier {
    std::string name{};  ///< Of the store, and of its changelog behind the application's id.
    std::function<std::unique_ptr<KeyValueBytesStore>()> get{};
    StoreTraits traits{};
};

/// What is older than the retention is neither put nor read, whatever the store still has.
struct WindowBytesStoreSupplier {
    std::string name{};
    std::function<std::unique_ptr<WindowBytesStore>()> get{};
    Duration retention_period{};
    Duration window_size{};
    bool retain_duplicates = false;              ///< As the stores of joined streams must.
    std::optional<Duration> segment_interval{};  ///< expire() comes that often; as StoreOptions'.
    StoreTraits traits{};
};

struct SessionBytesStoreSupplier {
    std::string name{};
    std::function<std::unique_ptr<SessionBytesStore>()> get{};
    Duration retention_period{};
    std::optional<Duration> segment_interval{};
    StoreTraits traits{};
};

/// Any of them, or none.
class StoreSupplier {
  public:
    using Kinds = std::variant<KeyValueBytesStoreSupplier, WindowBytesStoreSupplier,
                               SessionBytesStoreSupplier>;
    StoreSupplier() = default;
    // NOLINTBEGIN(google-explicit-constructor): each stands for its supplier.
    StoreSupplier(KeyValueBytesStoreSupplier one)
        : kinds_(std::make_shared<const Kinds>(std::move(one))) {}
    StoreSupplier(WindowBytesStoreSupplier one)
        : kinds_(std::make_shared<const Kinds>(std::move(one))) {}
    StoreSupplier(SessionBytesStoreSupplier one)
        : kinds_(std::make_shared<const Kinds>(std::move(one))) {}
    // NOLINTEND(google-explicit-constructor)

    explicit operator bool() const noexcept { return kinds_ != nullptr; }
    /// Preconditions of the rest: there is one.
    template <class One>
    [[nodiscard]] const One* as() const noexcept {
        return std::get_if<One>(kinds_.get());
    }
    [[nodiscard]] const std::string& name() const {
        return std::visit([](const auto& one) -> const std::string& { return one.name; }, *kinds_);
    }
    [[nodiscard]] const StoreTraits& traits() const {
        return std::visit([](const auto& one) -> const StoreTraits& { return one.traits; },
                          *kinds_);
    }
    /// It can make a store.
    [[nodiscard]] bool is_complete() const {
        return std::visit([](const auto& one) { return bool{one.get}; }, *kinds_);
    }
    /// Copies of one supplier are equal.
    friend bool operator==(const StoreSupplier&, const StoreSupplier&) = default;

  private:
    std::shared_ptr<const Kinds> kinds_;
};

}  // namespace leat::streams
