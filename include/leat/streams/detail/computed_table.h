// SPDX-License-Identifier: Apache-2.0
//
// Tables that are in no store of their own. Layer: streams SDK, not for users.
// Threading: as table.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "leat/streams/detail/table.h"

namespace leat::streams::detail {

/// A table whose values are computed from another's when they are asked for. `F` maps
/// (key, value) to an optional of the value here.
template <class K, class V, class V2, class F>
class ComputedTable final : public Table<K, V2> {
  public:
    ComputedTable(std::shared_ptr<Table<K, V>> parent, F compute)
        : parent_(std::move(parent)), compute_(std::move(compute)) {}
    void need() override { parent_->need(); }
    [[nodiscard]] std::vector<std::string> stores() const override { return parent_->stores(); }
    [[nodiscard]] bool versioned() const override { return parent_->versioned(); }
    [[nodiscard]] std::unique_ptr<View<K, V2>> view() const override {
        return std::make_unique<Computed>(parent_->view(), compute_);
    }

  private:
    class Computed final : public View<K, V2> {
      public:
        Computed(std::unique_ptr<View<K, V>> parent, F compute)
            : parent_(std::move(parent)), compute_(std::move(compute)) {}
        Result<void> open(Task& task) override { return parent_->open(task); }
        Result<Found<V2>> get(const K& key) override { return from(key, parent_->get(key)); }
        Result<Found<V2>> get(const K& key, std::int64_t as_of) override {
            return from(key, parent_->get(key, as_of));
        }
        [[nodiscard]] bool versioned() const override { return parent_->versioned(); }

      private:
        Result<Found<V2>> from(const K& key, Result<Found<V>> found) {
            if (!found) return std::move(found).error();
            std::optional<V2> value = compute_(key, value_of(*found));
            if (!value) return Found<V2>{};
            return Found<V2>{{*std::move(value), *found ? (*found)->timestamp : -1}};
        }
        std::unique_ptr<View<K, V>> parent_;
        F compute_;
    };

    std::shared_ptr<Table<K, V>> parent_;
    F compute_;
};

}  // namespace leat::streams::detail
