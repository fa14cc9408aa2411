// SPDX-License-Identifier: Apache-2.0
//
// Store of values under a key, with their history. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' VersionedKeyValueStore (KIP-889): a version is valid from its timestamp to
// that of the next one; history is kept for the spec's retention time.
// Threading: as state_store.h.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "leat/streams/detail/window_store.h"

namespace leat::streams::detail {

class VersionedStore final : public SegmentedStore {
  public:
    static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
    struct Version {
        std::int64_t from = -1;
        std::int64_t to = kNever;  ///< Timestamp of the next version; kNever: it is the latest.
        std::string value{};
    };
    /// What became of a put.
    struct Put {
        bool stored = true;        ///< False: older than the history.
        std::int64_t to = kNever;  ///< kNever: the version is the latest.
        [[nodiscard]] bool latest() const noexcept { return stored && to == kNever; }
    };
    using Visit = std::function<bool(const Version& version)>;
    using VisitLatest = std::function<bool(std::string_view key, const Version& version)>;

    VersionedStore(StoreSpec spec, std::unique_ptr<OrderedBytes> bytes);
    Result<void> restore(std::span<const ChangelogRecord> records) override;

    /// The latest version; false when there is none or it is a deletion.
    Result<bool> get(std::string_view key, Version& out) const;
    /// The version that was valid at `as_of`. False also when that is older than the history,
    /// unless the latest version was valid then.
    Result<bool> get(std::string_view key, std::int64_t as_of, Version& out) const;
    /// `value` absent: the key has no value from `timestamp` on. Logged even when not stored.
    Result<Put> put(std::string_view key, std::optional<std::string_view> value,
                    std::int64_t timestamp);
    /// Versions that were valid at some time in from..to, newest first unless `direction` is
    /// forward.
    Result<void> versions(std::string_view key, std::int64_t from, std::int64_t to,
                          const Visit& visit, Direction direction = Direction::kBackward) const;
    /// Latest versions of all keys, by key.
    Result<void> all(const VisitLatest& visit) const;

  private:
    /// A version as it is stored; `deleted` ones mark where a key's value ended.
    struct Stored {
        Version version;
        bool deleted = false;
    };
    Result<bool> read_latest(std::string_view key, Version& out) const;
    /// The older version that was valid at `time`, looked for in segments from `first` on.
    Result<bool> covering(std::string_view key, std::int64_t time, std::int64_t first,
                          Stored& out) const;
    /// When the next version after `time` begins; kNever when there is none.
    Result<std::int64_t> next_after(std::string_view key, std::int64_t time) const;
    Result<Put> insert(std::string_view key, std::optional<std::string_view> value,
                       std::int64_t timestamp);
    Result<void> put_latest(std::string_view key, std::optional<std::string_view> value,
                            std::int64_t timestamp);
    Result<void> keep(std::string_view key, const Stored& stored);
    Result<void> forget(std::string_view key, const Stored& stored);
};

}  // namespace leat::streams::detail
