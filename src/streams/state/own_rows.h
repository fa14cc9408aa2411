// SPDX-License-Identifier: Apache-2.0
//
// Rows that are in a store of the user's. Layer: streams (L6).
// Spec:  Kafka Streams' stores by suppliers. What it keeps over a restart is TaskState's affair.
// Threading: as OrderedBytes.
// Errors:    what the user's store answers or throws, with the store's name.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/bytes_stores.h"
#include "leat/streams/detail/guarded.h"
#include "leat/streams/detail/state_store.h"
#include "streams/state/ordered_bytes.h"

namespace leat::streams::detail {

/// Where a store of one's own lies.
struct OwnPlace {
    std::string folder{};   ///< Empty: it is in memory.
    bool is_known = false;  ///< Up to where the folder has the changelog is known.
    /// Rows of ours beside the user's, which are kept; null: they are in memory.
    std::unique_ptr<OrderedBytes> beside{};
};

class OwnRows : public OrderedBytes {
  public:
    OwnRows(const StoreSpec& spec, OwnPlace place);
    ~OwnRows() override;
    /// Makes the user's store, unless there is one.
    Result<void> open(Task& task) override;
    [[nodiscard]] const BytesStore* own() const override { return store_.get(); }
    [[nodiscard]] bool is_persistent() const noexcept { return !place_.folder.empty(); }
    /// It has no changelog.
    [[nodiscard]] bool is_alone() const noexcept { return !spec_.logging && !spec_.source_topic; }
    /// Lets go of the user's store and of its folder: the next open() begins empty. Errors:
    /// kIoError.
    Result<void> clear();
    Result<void> flush();
    /// What `apply` puts goes to the user's restore() at once, and is no change.
    Result<void> restore(const std::function<Result<void>()>& apply);
    /// Something was put since settle().
    [[nodiscard]] bool is_changed() const noexcept { return is_changed_; }
    void settle() noexcept { is_changed_ = false; }
    /// Called before the first change since settle(); its error ends the change.
    std::function<Result<void>()> before_change{};

  protected:
    using HeldRow = std::pair<std::string, std::optional<std::string>>;
    [[nodiscard]] virtual std::unique_ptr<BytesStore> make() const = 0;
    /// Into the user's restore().
    virtual Result<void> take_in(const std::vector<HeldRow>& rows) = 0;
    [[nodiscard]] OrderedBytes& beside() const;
    [[nodiscard]] const StoreSpec& spec() const noexcept { return spec_; }
    [[nodiscard]] BytesStore* store() const noexcept { return store_.get(); }
    /// A call of the user's.
    template <class Call>
    auto ask(const Call& call) const {
        return guarded(who_, call);
    }
    /// One that changes something: `call` puts the row. While restoring it is noted alone.
    template <class Call>
    Result<void> change(std::string_view row, std::optional<std::string_view> value,
                        const Call& call) {
        if (is_restoring_) {
            held_.emplace_back(row, value);
            return {};
        }
        LEAT_TRY_VOID(begin_change());
        return ask(call);
    }
    /// Before the user's store is changed in any way. While restoring it is no change.
    Result<void> begin_change();
    /// What was noted while restoring goes out, before something else.
    Result<void> let_out();
    /// A value as the user's store has it, and as ours.
    [[nodiscard]] std::optional<std::string_view> without_time(
        std::optional<std::string_view> value) const;
    [[nodiscard]] std::string_view with_time(std::string_view value, std::string& scratch) const;

  private:
    Result<void> prepare_folder();

    StoreSpec spec_;
    OwnPlace place_;
    std::string who_;
    bool forgets_time_;
    bool is_restoring_ = false;
    bool is_changed_ = false;
    std::vector<HeldRow> held_;
    std::unique_ptr<BytesStore> store_;
};

/// Precondition: the spec has a supplier, of its kind.
std::unique_ptr<OwnRows> make_own_rows(const StoreSpec& spec, OwnPlace place);
/// The supplier makes such stores.
[[nodiscard]] bool is_supplied_kind(const StoreSpec& spec);
/// Of windows and of sessions.
std::unique_ptr<OwnRows> make_own_windows(const StoreSpec& spec, OwnPlace place);
std::unique_ptr<OwnRows> make_own_sessions(const StoreSpec& spec, OwnPlace place);

}  // namespace leat::streams::detail
