// SPDX-License-Identifier: Apache-2.0
//
// When the windows that have closed are handed on. Layer: streams SDK, not for users.
// Spec:  Kafka Streams' EmitStrategy (KIP-825): at most one look an interval of wall time, only
// when the close line has moved; the line of the last look lives with the committed offsets.
// Threading: as detail/node.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "leat/streams/detail/task.h"
#include "leat/streams/windows.h"

namespace leat::streams::detail {

/// How an aggregate's node tells of changes.
struct Telling {
    Emit emit = Emit::kOnWindowUpdate;
    bool old_values = false;
};

class FinalEmitter {
  public:
    explicit FinalEmitter(Emit emit) : emit_(emit) {}

    void open(Task& task, const std::string& store) {
        task_ = &task;
        store_ = store;
        if (on_close()) last_close_ = task.remembered(store).value_or(-1);
    }
    [[nodiscard]] bool on_close() const noexcept { return emit_ == Emit::kOnWindowClose; }
    /// Whether to look for closed windows now that everything before `close` is closed.
    bool due(std::int64_t close) {
        if (!on_close()) return false;
        const std::int64_t now = task_->wall_time();
        if (now < next_look_ms_) return false;
        next_look_ms_ = now + task_->emit_interval_ms();
        return last_close_ == -1 || last_close_ < close;
    }
    void looked(std::int64_t close) {
        last_close_ = close;
        task_->remember(store_, close);
    }
    /// The close line of the last look; -1 before the first.
    [[nodiscard]] std::int64_t last_close() const noexcept { return last_close_; }

    /// Whether windows from `oldest` on are all that the store will find from here on, and some
    /// before it were not looked at. Kafka Streams loses these.
    [[nodiscard]] bool losing(std::int64_t from, std::int64_t oldest) const {
        return on_close() && !task_->loses_as_kafka() && from < oldest && saved_before_ < oldest;
    }
    void saved(std::int64_t oldest) { saved_before_ = oldest; }
    /// `from`, or behind what was saved: that may still be found when the record was not put.
    [[nodiscard]] std::int64_t untold(std::int64_t from) const noexcept {
        return std::max(from, saved_before_);
    }

  private:
    Emit emit_;
    Task* task_ = nullptr;
    std::string store_;
    std::int64_t next_look_ms_ = 0;
    std::int64_t last_close_ = -1;
    std::int64_t saved_before_ = 0;
};

}  // namespace leat::streams::detail
