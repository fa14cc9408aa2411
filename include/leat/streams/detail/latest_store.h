// SPDX-License-Identifier: Apache-2.0
//
// A store of one value for each key, with its history or without. Layer: streams SDK, not for
// users. Threading: as detail/node.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "leat/streams/detail/key_value_store.h"
#include "leat/streams/detail/state_store.h"
#include "leat/streams/detail/versioned_store.h"
#include "leat/streams/record.h"

namespace leat::streams::detail {

class LatestStore {
  public:
    /// Precondition: a key-value or a versioned store.
    void open(StateStore& store) {
        values_ = dynamic_cast<KeyValueStore*>(&store);
        versions_ = dynamic_cast<VersionedStore*>(&store);
    }
    [[nodiscard]] bool versioned() const noexcept { return versions_ != nullptr; }

    /// False when there is none.
    Result<bool> get(std::string_view key, Entry& out) {
        if (versions_ == nullptr) return values_->get(key, out);
        LEAT_TRY(const bool found, versions_->get(key, version_));
        out.value.swap(version_.value);
        out.timestamp = version_.from;
        return found;
    }
    /// `value` absent: deletes.
    Result<VersionedStore::Put> put(std::string_view key, std::optional<std::string_view> value,
                                    std::int64_t timestamp, const Headers* headers = nullptr) {
        if (versions_ != nullptr) return versions_->put(key, value, timestamp);
        LEAT_TRY_VOID(values_->put(key, value, timestamp, headers));
        return VersionedStore::Put{};
    }

  private:
    KeyValueStore* values_ = nullptr;
    VersionedStore* versions_ = nullptr;
    VersionedStore::Version version_;
};

}  // namespace leat::streams::detail
