// SPDX-License-Identifier: Apache-2.0
//
// Whether a data directory can still be trusted with writes. Layer: storage (L3).
// Spec:  docs/explanation/durability.md.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "rt/executor.h"

namespace leat::storage {

/// After one failed sync the kernel may have dropped what was not written, and a second sync would
/// succeed all the same. So a directory that failed once stays failed until the process restarts
/// and recovers from what is really there.
///
/// Threading: thread-safe.
class DirectoryHealth {
  public:
    struct Listener {
        rt::Executor& executor;
        std::function<void()> on_failed;  ///< Runs on `executor`, once.
    };

    /// The first call counts: it is logged and every listener is told.
    void fail(const Error& error);
    [[nodiscard]] bool is_failed() const noexcept {
        return failed_.load(std::memory_order_acquire);
    }
    /// What failed; "" while all is well.
    [[nodiscard]] std::string reason() const;

    /// Told at once when it has failed already. Dropping the pointer ends the listening.
    void listen(const std::shared_ptr<Listener>& listener);

  private:
    mutable std::mutex mutex_;
    std::atomic<bool> failed_{false};
    std::string reason_;
    std::vector<std::weak_ptr<Listener>> listeners_;
};

}  // namespace leat::storage
