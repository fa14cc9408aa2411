// SPDX-License-Identifier: Apache-2.0
//
// The memory of an application's state. Layer: streams (L6). RocksDB is seen by sources alone.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "streams/state/recent_rows.h"

namespace leat::streams::detail {

/// The memory of all databases of an application: block cache, write buffers and the rows that are
/// kept beside them share one budget. Threading: thread-safe.
class StateMemory final : public RowBudget {
  public:
    explicit StateMemory(std::size_t budget_bytes);
    ~StateMemory() override;
    /// Rows: half of the budget at most; the block cache becomes smaller by it.
    void join() noexcept override { ++row_holders_; }
    void leave() noexcept override { --row_holders_; }
    [[nodiscard]] bool take(std::size_t held, std::size_t bytes) override;
    void give_back(std::size_t bytes) noexcept override;
    /// Blocks, indexes, filters, write buffers and rows that are held now.
    [[nodiscard]] std::size_t used_bytes() const;
    [[nodiscard]] std::size_t budget_bytes() const noexcept { return budget_bytes_; }
    /// Rows: what each of those that joined may take.
    [[nodiscard]] std::size_t row_share() const noexcept;

    struct Parts;
    [[nodiscard]] const Parts& parts() const noexcept { return *parts_; }
    /// Databases that are open.
    [[nodiscard]] std::size_t users() const noexcept { return users_; }
    void add_user() noexcept { ++users_; }
    void remove_user() noexcept { --users_; }

  private:
    void resize_cache();

    std::atomic<std::size_t> users_ = 0;
    std::atomic<std::size_t> row_holders_ = 0;
    std::atomic<std::size_t> rows_bytes_ = 0;
    std::size_t budget_bytes_;
    std::unique_ptr<Parts> parts_;
};

}  // namespace leat::streams::detail
