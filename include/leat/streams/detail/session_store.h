// SPDX-License-Identifier: Apache-2.0
//
// Store of values under (key, first and last time of a session). Layer: streams SDK, not for users.
// Spec:  Kafka Streams' SessionStore.
// Threading: as state_store.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "leat/streams/detail/window_store.h"
#include "leat/streams/windows.h"

namespace leat::streams::detail {

class SessionStore final : public SegmentedStore {
  public:
    using Visit = std::function<bool(Window session, std::string_view value)>;
    using VisitAll =
        std::function<bool(std::string_view key, Window session, std::string_view value)>;

    SessionStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes);
    Result<void> restore(std::span<const ChangelogRecord> records) override;

    Result<bool> get(std::string_view key, Window session, std::string& out) const;
    /// `value` absent: removes the session. False: its end is older than the retention time,
    /// nothing was put (but logged, as Kafka Streams does). `timestamp`: of the record that is
    /// being processed.
    Result<bool> put(std::string_view key, Window session, std::optional<std::string_view> value,
                     std::int64_t timestamp, const Headers* headers = nullptr);
    /// Sessions of a key with end >= earliest_end and start <= latest_start, by end, then start.
    Result<void> find(std::string_view key, std::int64_t earliest_end, std::int64_t latest_start,
                      const Visit& visit, Direction direction = Direction::kForward) const;
    /// Sessions of all keys with earliest_end <= end <= latest_end, by end.
    Result<void> find_ended(std::int64_t earliest_end, std::int64_t latest_end,
                            const VisitAll& visit, Direction direction = Direction::kForward) const;

    /// The oldest end that find() finds, which queries of several keys keep to as well.
    [[nodiscard]] std::int64_t oldest_found() const noexcept { return oldest(); }
    /// The oldest end that find_ended() finds when sessions up to the end `newest` were put. On
    /// disk that is all that its segments still hold, unlike with find() and with windows of time.
    [[nodiscard]] std::int64_t oldest_ended_after(std::int64_t newest) const noexcept {
        return spec().persistent ? oldest_kept_after(newest) : oldest_after(newest);
    }

  private:
    Result<void> put_row(std::string_view row, std::optional<std::string_view> value) override;
    std::string_view changelog_key(std::string_view row, std::string& scratch) const override;
    void describe(std::string_view row, Flushed& out) const override;
    [[nodiscard]] std::string row(std::string_view key, Window session) const;
};

}  // namespace leat::streams::detail
