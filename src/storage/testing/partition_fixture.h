// SPDX-License-Identifier: Apache-2.0
//
// One partition over several lives of a process, on a simulated disk. Layer: test-only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "obs/metrics.h"
#include "rt/task.h"
#include "storage/data_directory.h"
#include "storage/directory_health.h"
#include "storage/durable_marks.h"
#include "storage/file_cache.h"
#include "storage/flusher.h"
#include "storage/metrics.h"
#include "storage/partition.h"
#include "storage/shard_context.h"
#include "storage/testing/log_fixture.h"
#include "testkit/sim_disk.h"
#include "testkit/sim_executor.h"

namespace leat::storage::testing {

/// Usage: change `topic`, `broker`, `faults`; open(); use `partition` through run(); then stop() or
///        crash(), and open() again.
class PartitionFixture {
  public:
    explicit PartitionFixture(std::uint64_t seed = 1, testkit::SimDiskModel model = {})
        : world(seed), disk(seed, model), executor(world.add_executor()), pool(world.add_pool()) {
        topic.retention_ms = -1;
        topic.index_interval_bytes = 200;
        broker.scrub_interval_ms = 0;
        broker.tail_buffer_bytes = 0;
    }
    ~PartitionFixture() { forget(); }
    PartitionFixture(const PartitionFixture&) = delete;
    PartitionFixture& operator=(const PartitionFixture&) = delete;

    static PartitionId id() { return {.topic = Uuid::from_random(7, 1), .index = 0}; }
    static std::string folder() { return "/data/t-0"; }

    Result<void> open() {
        registry = std::make_unique<obs::Registry>(1);
        metrics_ = std::make_unique<Metrics>(*registry);
        files_ = std::make_unique<FileCache>(disk, open_files_max);
        LEAT_TRY(directory_, DataDirectory::open(disk, "/data", 1));
        directory_->marks().start(executor, pool, std::chrono::milliseconds{100});
        flusher_ = std::make_unique<Flusher>(Flusher::Parts{.disk = &disk,
                                                            .executor = &executor,
                                                            .pool = &pool,
                                                            .marks = &directory_->marks(),
                                                            .health = &directory_->health(),
                                                            .metrics = metrics_.get(),
                                                            .data_directory = "/data"},
                                             Flusher::Options{.faults = faults});
        context_ = std::make_unique<ShardContext>(
            ShardContext{.disk = disk,
                         .executor = executor,
                         .pool = pool,
                         .files = *files_,
                         .flusher = *flusher_,
                         .marks = directory_->marks(),
                         .metrics = *metrics_,
                         .data_directory = "/data",
                         .broker = std::make_shared<config::BrokerConfig>(broker),
                         .was_clean = directory_->was_clean(),
                         .faults = faults});
        PartitionSpec spec{.topic = "t",
                           .id = id(),
                           .leader_epoch = leader_epoch,
                           .config = std::make_shared<config::TopicConfig>(topic)};
        LEAT_TRY(partition, Partition::open(*context_, std::move(spec)));
        world.settle();
        return {};
    }

    /// What `call` makes, run on the shard to its end.
    template <class T>
    T run(std::function<rt::Task<T>(Partition&)> call) {
        std::optional<T> out;
        executor.here([&] {
            rt::start(call(*partition), [&out](T value) { out.emplace(std::move(value)); });
        });
        LEAT_CHECK(world.run_until([&out] { return out.has_value(); }));
        return *std::move(out);
    }

    Appended append(const TestBatch& batch, std::int16_t acks = -1, TransactionGuard guard = {}) {
        auto bytes = batch.build();
        return run<Appended>(
            [&](Partition& p) { return p.append(bytes, Origin::kClient, acks, guard); });
    }
    /// One record of `bytes`.
    Appended append(std::size_t bytes = 10) {
        return append(TestBatch{
            .records = {{.timestamp = world.wall_now().value, .value = std::string(bytes, 'x')}}});
    }
    ReadResult read(std::int64_t from, Isolation isolation = Isolation::kReadUncommitted) {
        return run<ReadResult>([&](Partition& p) {
            return p.read({.from = Offset{from},
                           .bytes_max = 1 << 20,
                           .at_least_one = true,
                           .isolation = isolation});
        });
    }

    /// True: the next start has nothing to recover.
    bool stop() {
        executor.here([&] { partition->close(); });
        const auto done = run<Result<void>>([](Partition& p) { return p.shut_down(); });
        const bool is_clean = done.has_value() && directory_->mark_clean().has_value();
        forget();
        disk.restart_process();
        return is_clean;
    }
    void kill() {
        forget();
        disk.restart_process();
    }
    void cut_power(testkit::Survival survival = testkit::Survival::kNothing) {
        forget();
        disk.crash(survival);
    }

    [[nodiscard]] std::int64_t metric(std::string_view name) const {
        for (const obs::Metric& each : metrics_table())
            if (each.name == name) return registry->value(each);
        LEAT_CHECK(false);
    }
    ShardContext& context() { return *context_; }
    [[nodiscard]] bool has_failed_directory() const {
        return directory_ != nullptr && directory_->health().is_failed();
    }

    testkit::SimWorld world;
    testkit::SimDisk disk;
    testkit::SimExecutor& executor;
    testkit::SimPool& pool;
    config::TopicConfig topic;
    config::BrokerConfig broker;
    Faults faults;
    std::int32_t leader_epoch = 0;
    std::size_t open_files_max = 100;
    std::unique_ptr<obs::Registry> registry;
    std::shared_ptr<Partition> partition;

  private:
    void forget() {
        executor.here([&] { partition.reset(); });
        world.cut_power();
        context_.reset();
        flusher_.reset();
        directory_.reset();
        files_.reset();
        metrics_.reset();
    }

    std::unique_ptr<Metrics> metrics_;
    std::unique_ptr<FileCache> files_;
    std::unique_ptr<DataDirectory> directory_;
    std::unique_ptr<Flusher> flusher_;
    std::unique_ptr<ShardContext> context_;
};

}  // namespace leat::storage::testing
