// SPDX-License-Identifier: Apache-2.0
//
// A store's rows that somebody else holds too. Layer: streams (L6).
// Threading: not synchronised.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "streams/state/ordered_bytes.h"

namespace leat::streams::detail {

template <class Bytes>
class SharedRows final : public OrderedBytes {
  public:
    explicit SharedRows(std::shared_ptr<Bytes> rows) : rows_(std::move(rows)) {}
    Result<void> open(Task& task) override { return rows_->open(task); }
    [[nodiscard]] const BytesStore* own() const override { return rows_->own(); }
    Result<bool> get(std::string_view key, std::string& out) const override {
        return rows_->get(key, out);
    }
    Result<void> put(std::string_view key, std::string_view value) override {
        return rows_->put(key, value);
    }
    Result<void> erase(std::string_view key) override { return rows_->erase(key); }
    Result<void> scan_during(RowsVisit& during, const RowRange& range,
                             const Visit& visit) const override {
        return rows_->scan_during(during, range, visit);
    }
    [[nodiscard]] const void* place() const noexcept override { return rows_->place(); }
    Result<void> drop(std::string_view from, std::string_view to) override {
        return rows_->drop(from, to);
    }

  private:
    std::shared_ptr<Bytes> rows_;
};

}  // namespace leat::streams::detail
