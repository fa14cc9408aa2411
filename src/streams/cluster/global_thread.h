// SPDX-License-Identifier: Apache-2.0
//
// Brings the global stores of a process up to their topics, and keeps them there. Layer: streams
// (L6).
// Spec:  Kafka Streams' GlobalStreamThread: tasks start when the stores are as the topics were at
//        the start.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "client/admin.h"
#include "client/partition_reader.h"
#include "leat/streams/restore_listener.h"
#include "rt/clock.h"
#include "rt/named_thread.h"
#include "streams/cluster/global_state.h"
#include "streams/cluster/trouble.h"
#include "streams/settings.h"

namespace leat::streams {

struct GlobalEvents {
    std::function<void()> on_ready;                ///< Once: the stores are complete.
    std::function<void(const Error&)> on_failure;  ///< Nothing is kept current any more.
};

/// Threading: start() and stop() by others than its own.
class GlobalThread {
  public:
    struct Environment {
        const Settings* settings = nullptr;
        const rt::Clock* clock = nullptr;
        GlobalState* state = nullptr;
        detail::StateHome* states = nullptr;
        RestoreListener* listener = nullptr;  ///< May be null.
    };
    GlobalThread(const Environment& environment, GlobalEvents events);
    GlobalThread(const GlobalThread&) = delete;
    GlobalThread& operator=(const GlobalThread&) = delete;
    /// Joins.
    ~GlobalThread();

    void start();
    void stop();

  private:
    Result<void> run();
    /// `call`, again while it may pass and until stop().
    Result<void> insist(const std::function<Result<void>()>& call);
    Result<void> connect();
    /// Begins to read partitions that are not read yet.
    Result<void> look_for_partitions();
    Result<void> turn();
    /// What has come, and keeps it when that is due.
    Result<void> take_in(bool& any);
    /// Damage was met, by `call` or by who reads the stores: they are restored from their topics.
    /// Tasks wait until all is there.
    Result<void> heal(const Result<void>& call);
    /// What one partition has; `any`: there was something.
    Result<void> read(const client::TopicPartition& where, bool& any);
    /// The stores are out of the topics as they are now.
    Result<void> bind_stores();
    Result<void> keep();

    struct Place {
        std::int64_t next = 0;
        std::int64_t end = 0;       ///< When it was found; beyond it the store is current.
        std::int64_t restored = 0;  ///< Records until then.
        bool is_told = false;       ///< Its begin was told, and its end is to be.
    };
    /// Places of partitions that were not read yet; a store that does not fit its topic is emptied.
    Result<void> find_places(const std::vector<client::TopicPartition>& fresh,
                             std::map<client::TopicPartition, Place>& out);
    [[nodiscard]] RestoringStore told_of(const client::TopicPartition& where) const;
    void tell_progress(const client::TopicPartition& where, Place& place, std::int64_t records);

    const Settings& settings_;
    const rt::Clock& clock_;
    GlobalState& state_;
    detail::StateHome* states_;
    RestoreListener* listener_;
    GlobalEvents events_;
    std::unique_ptr<client::PartitionReader> reader_;
    std::unique_ptr<client::Admin> admin_;
    std::map<client::TopicPartition, Place> places_;
    bool is_ready_ = false;     ///< It was told.
    bool is_complete_ = false;  ///< As the topics were when their partitions were found.
    int damages_ = 0;           ///< Since the stores were complete and kept.
    bool is_changed_ = false;   ///< Since the last keep().
    Instant look_at_{};
    Instant keep_at_{};

    std::mutex mutex_;
    std::condition_variable stopped_;
    client::PartitionReader* waker_ = nullptr;  ///< As long as there is a reader.
    std::atomic<bool> stopping_ = false;
    rt::NamedThread thread_;
};

}  // namespace leat::streams
