// SPDX-License-Identifier: Apache-2.0
//
// State of session windows. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' session store: the key, the session's end and its start, 8 big-endian bytes
// each; the value has no timestamp, a session's is its end.
// Threading: a store belongs to its task.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "leat/streams/detail/store.h"
#include "leat/streams/windows.h"

namespace leat::streams::detail {

/// (key, end, start) to value, kept while the end is younger than the retention time.
class SessionStore final : public StateStore {
  public:
    using Visit = std::function<bool(Window session, std::string_view value)>;
    using VisitAll =
        std::function<bool(std::string_view key, Window session, std::string_view value)>;

    SessionStore(const StoreSpec& spec, WindowStore::MakeSegment make_segment);
    Result<void> open(Task& task) override;

    Result<bool> get(std::string_view key, Window session, std::string& out) const;
    /// Sessions of a key with end >= `end_from` and start <= `start_to`, by end and then by start.
    Result<void> find(std::string_view key, std::int64_t end_from, std::int64_t start_to,
                      const Visit& visit) const;
    /// Sessions of all keys with from <= end <= to, by end, start and key. Needs time_ordered.
    Result<void> find_ended(std::int64_t from, std::int64_t to, const VisitAll& visit) const;
    /// `value` absent: deletes. The changelog's record gets `timestamp`. False: the session ended
    /// too long ago, nothing was put.
    Result<bool> put(std::string_view key, Window session, std::optional<std::string_view> value,
                     std::int64_t timestamp);
    /// The oldest end that is found when sessions up to the end `newest` were put.
    [[nodiscard]] std::int64_t oldest_after(std::int64_t newest) const noexcept {
        return std::max(observed_, newest) - retention_ms_ + 1;
    }

  private:
    [[nodiscard]] std::int64_t oldest() const noexcept { return oldest_after(observed_); }
    [[nodiscard]] bool expired(std::int64_t end) const noexcept;
    [[nodiscard]] std::string row(std::string_view key, Window session) const;

    std::int64_t retention_ms_;
    std::int64_t segment_ms_;
    bool persistent_;
    bool time_ordered_;
    WindowStore::MakeSegment make_segment_;
    std::map<std::int64_t, std::unique_ptr<OrderedBytes>> segments_;
    std::optional<std::string> changelog_;
    Task* task_ = nullptr;
    std::int64_t observed_ = -1;  ///< Largest end that was put.
};

}  // namespace leat::streams::detail
