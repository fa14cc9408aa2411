// SPDX-License-Identifier: Apache-2.0
//
// What lives under one group id: committed offsets, and members. Layer: groups (L5).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "groups/classic_group.h"
#include "groups/offset_table.h"
#include "groups/pending_offsets.h"

namespace leat::groups {

/// Offsets are shared by both protocols and know nothing of them.
///
/// Threading: not synchronised. Memory: does not move; its host outlives it.
class Group {
  public:
    Group(GroupHost& host, std::string id) : id_(std::move(id)), classic(host, *this) {}
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;
    ~Group() = default;

    [[nodiscard]] const std::string& id() const noexcept { return id_; }

  private:
    const std::string id_;

  public:
    OffsetTable offsets;
    PendingOffsets pending;  ///< Of transactions; in none of the answers.
    /// A record of the log, or one on its way, speaks of the group itself.
    bool is_recorded = false;
    std::size_t offsets_in_flight = 0;  ///< Being written.
    std::size_t writes_in_flight = 0;   ///< Kept by the host.
    ClassicGroup classic;

    [[nodiscard]] bool has_members() const { return classic.state() != GroupState::kEmpty; }
    /// Nobody is in it, nor about to come, and nothing of it is being written.
    [[nodiscard]] bool is_idle() const {
        return !has_members() && writes_in_flight == 0 && classic.pending_members() == 0;
    }
    [[nodiscard]] std::vector<std::pair<std::string, std::int32_t>> expired_offsets() const {
        auto out = classic.expired(offsets);
        // Those of an open transaction are about to get another value.
        std::erase_if(out,
                      [this](const auto& at) { return pending.contains(at.first, at.second); });
        return out;
    }
    /// All that the log has, committed or not, each once.
    [[nodiscard]] std::vector<std::pair<std::string, std::int32_t>> all_offsets(
        std::string_view topic = {}) const;
};

}  // namespace leat::groups
