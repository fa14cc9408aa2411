// SPDX-License-Identifier: Apache-2.0
//
// Runs a topology on a cluster. Layer: streams SDK.
// Spec:  Kafka Streams' KafkaStreams: states, threads, choices after an error, closing.
//
//     auto app = Application::open(topology, {.application_id = "word-count",
//                                             .bootstrap_servers = "localhost:9092"});
//     if (!app) return report(app.error());
//     return (*app)->run_until_signal();
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/streams/detail/guarded.h"
#include "leat/streams/detail/raw_query.h"
#include "leat/streams/dsl_stores.h"
#include "leat/streams/handlers.h"
#include "leat/streams/metadata.h"
#include "leat/streams/metrics.h"
#include "leat/streams/partitioner.h"
#include "leat/streams/record.h"
#include "leat/streams/restore_listener.h"
#include "leat/streams/serde.h"
#include "leat/streams/serdes.h"
#include "leat/streams/topology.h"

namespace leat::streams {

/// kAtLeastOnce: nothing is lost, some is done again after a crash. kExactlyOnceV2: output, state
/// and positions are committed in one transaction.
enum class Guarantee : std::uint8_t { kAtLeastOnce, kExactlyOnceV2 };

enum class ApplicationState : std::uint8_t {
    kCreated,
    kRebalancing,  ///< The group is being laid out anew, or state is being restored.
    kRunning,
    kPendingShutdown,
    kNotRunning,
    kPendingError,
    kError,
};
/// Kafka Streams' name: "RUNNING".
[[nodiscard]] std::string name_of(ApplicationState state);

/// What happens when a thread ends by an error.
enum class UncaughtResponse : std::uint8_t {
    kReplaceThread,
    kShutdownClient,       ///< This instance closes.
    kShutdownApplication,  ///< All instances close.
};

struct EndpointSettings;

/// Threading: thread-safe; the listeners are called on threads of the application, changes of state
/// one after another in their order, and must not close or destroy it, nor remove threads.
class Application {
  public:
    struct Options {
        // Where one of the first four is given, the same setting in `properties` does not count.
        std::string application_id{};          ///< The group; in front of internal topics.
        std::string bootstrap_servers{};       ///< HOST:PORT, with commas between several.
        std::optional<Guarantee> guarantee{};  ///< At least once, unless set.
        std::optional<int> threads{};          ///< That process; 1, unless set.
        /// Settings under Kafka Streams' names; of clients with "consumer.", "producer.", "admin.",
        /// of internal topics with "topic." in front.
        std::map<std::string, std::string> properties{};
        /// Each that is given counts in place of its setting; the log says so when both are.
        ErrorHandlers handlers{};
        /// Asked when a thread has ended by an error; when the group cannot go on (a source topic
        /// is missing, topologies that do not fit, a right, another process under this
        /// group.instance.id), where kReplaceThread tries again a second later; and when global
        /// stores cannot, where that is kShutdownClient. Empty: kShutdownClient, as when it throws.
        std::function<UncaughtResponse(const Error& error)> on_uncaught{};
        std::function<void(ApplicationState now, ApplicationState before)> on_state{};
        std::shared_ptr<RestoreListener> restore_listener{};
        /// Says of each store of the DSL that leaves it open where it is to be. Empty: as
        /// dsl.store.suppliers.class or default.dsl.store in `properties` say.
        DslStores dsl_stores{};
    };

    /// Does not connect yet; takes the state's folder when a store is on disk. Errors:
    /// kInvalidSetting, kStreamsInvalidTopology (it reads nothing), kDataDirInUse (another instance
    /// has that folder), kIoError.
    static Result<std::unique_ptr<Application>> open(const Topology& topology,
                                                     const Options& options);
    /// The same of what build() answered. Errors: also that, which names the operator.
    static Result<std::unique_ptr<Application>> open(Result<Topology> built,
                                                     const Options& options);
    Application(const Application&) = delete;
    Application& operator=(const Application&) = delete;
    /// close(), and waits for as long as that takes.
    ~Application();

    /// Begins to run, and returns. Errors: kUsage (started before).
    Result<void> start();
    [[nodiscard]] ApplicationState state() const;
    /// What ended it; known before the state is kPendingError. Nothing: no error did.
    [[nodiscard]] std::optional<Error> failure() const;
    /// Waits until it is in that state or has ended, `at_most` below zero: as long as that takes;
    /// false when it has ended otherwise or the time was over first.
    bool wait_for(ApplicationState state, Duration at_most);
    /// Starts, runs until SIGINT or SIGTERM or until an error ends it, closes. A further one, a
    /// second later or more, does what it would do without us: it ends the program at once. To be
    /// called while there are no other threads. Errors: kUsage (started before), and failure().
    Result<void> run_until_signal();

    /// Finishes what is under way, commits, ends. `leave_group`: others take the tasks over at
    /// once; otherwise when session.timeout.ms is over, or never if it is back before (static
    /// members). Not given: dynamic members leave, static ones stay. `at_most` below zero: as long
    /// as that takes. Errors: kTimedOut (it goes on in the background).
    Result<void> close(Duration at_most = Duration{30'000},
                       std::optional<bool> leave_group = std::nullopt);

    /// Removes this application's state from the disk: it is restored from changelogs at the next
    /// start. Errors: kUsage (it runs), kDataDirInUse, kIoError.
    Result<void> clean_up();

    /// What is counted, as it is now.
    [[nodiscard]] std::vector<MetricValue> metrics() const;

    /// Of query() in query.h, which is what to call. Errors: kNotFound (there is no such store),
    /// kUsage (it does not run).
    [[nodiscard]] Result<std::vector<detail::RawAnswer>> ask(std::string_view store,
                                                             const detail::RawQuery& query,
                                                             const QueryOptions& options) const;

    /// Processing, restoring and copies stand still; membership, commits and heartbeats go on.
    void pause();
    void resume();
    [[nodiscard]] bool is_paused() const;

    /// The new thread's number. Errors: kUsage (not running).
    Result<int> add_thread();
    /// Ends a thread and waits until it has, negative: as long as that takes; not when the thread
    /// itself calls. After the last one the instance has no tasks, until one is added. Answers its
    /// number. Errors: kUsage (not running, no thread), kTimedOut (it ends in the background).
    Result<int> remove_thread(Duration at_most = Duration{-1});

    /// What the threads of this instance do.
    [[nodiscard]] std::vector<ThreadMetadata> thread_metadata() const;
    /// The instances that set application.server, this one included, as the group was last told.
    [[nodiscard]] std::vector<StreamsMetadata> all_metadata() const;
    /// Those of them that have the store, or follow it.
    [[nodiscard]] std::vector<StreamsMetadata> streams_metadata_for_store(
        std::string_view store) const;
    /// Who has a key, given as the store's topic has it, when records are partitioned by Kafka's
    /// default. Errors: kNotFound (no such store), kNotCoordinator (the group has not given its
    /// word yet).
    [[nodiscard]] Result<KeyQueryMetadata> query_metadata_for_bytes(std::string_view store,
                                                                    std::string_view key) const;
    /// Who has each partition of a store, in their order. Errors: as above.
    [[nodiscard]] Result<std::vector<KeyQueryMetadata>> query_metadata_for_store(
        std::string_view store) const;
    template <class K>
    [[nodiscard]] Result<KeyQueryMetadata> query_metadata_for_key(
        std::string_view store, const K& key, const Serde<K>& serde = serde_for<K>()) const {
        std::string bytes;
        LEAT_TRY_VOID(detail::guarded(store, [&] { return serde->encode(store, key, bytes); }));
        return query_metadata_for_bytes(store, bytes);
    }
    /// The same when records of the store's topic are partitioned by a function of one's own, which
    /// sees no values. Errors: also kInvalidRequest (it chooses several, none, or one that is not).
    template <class K>
    [[nodiscard]] Result<KeyQueryMetadata> query_metadata_for_key(
        std::string_view store, const K& key, const Partitioner<K, Void>& partitioner,
        const Serde<K>& serde = serde_for<K>()) const {
        LEAT_TRY(auto all, query_metadata_for_store(store));
        const auto count = static_cast<std::int32_t>(all.size());
        LEAT_TRY(const Partitions chosen, detail::guarded(store, [&]() -> Result<Partitions> {
                     return partitioner({.topic = store, .key = &key, .partitions = count});
                 }));
        if (!chosen) return query_metadata_for_key(store, key, serde);
        if (chosen->size() != 1 || chosen->front() < 0 || chosen->front() >= count)
            return Error{Errc::kInvalidRequest,
                         "the partitioner chose no partition of " + std::string{store}};
        return std::move(all[static_cast<std::size_t>(chosen->front())]);
    }
    /// By store and partition; asks the cluster. Errors: what it says.
    [[nodiscard]] Result<std::map<std::string, std::map<std::int32_t, LagInfo>>>
    all_local_store_partition_lags() const;

    /// Of leat/stream_endpoint/endpoint.h, which is what to open.
    [[nodiscard]] const EndpointSettings& endpoint_settings() const;

  private:
    class Impl;
    explicit Application(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace leat::streams
