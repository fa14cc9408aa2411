// SPDX-License-Identifier: Apache-2.0
//
// Acknowledgements a second of the group commit: writers that each append 1.1 KB and wait for its
// sync before the next, on real files and threads, with the requests' own cost left out.
// LEAT_BENCH_DIR names the folder; arguments: logs, writers, threshold, parallel, pool threads.
#include "storage/flusher.h"

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "obs/metrics.h"
#include "rt/event_loop.h"
#include "rt/posix_disk.h"
#include "rt/thread_pool.h"
#include "storage/directory_health.h"
#include "storage/durable_marks.h"
#include "storage/metrics.h"

namespace leat::storage {
namespace {

constexpr std::size_t kBatchBytes = 1'100;
constexpr std::chrono::seconds kRunTime{2};

/// A log of one file; its writers wait in `waiting`.
class BenchLog final : public SyncTarget {
  public:
    BenchLog(Flusher& flusher, std::int32_t index, std::string folder,
             std::shared_ptr<rt::File> file)
        : flusher_(flusher),
          id_{.topic = Uuid::from_random(1, 1), .index = index},
          folder_(std::move(folder)),
          file_(std::move(file)) {}

    void append() {
        const std::array<Bytes, 1> parts{Bytes{batch_}};
        LEAT_CHECK(file_->write_at(FilePos{at_}, parts).has_value());
        at_ += static_cast<std::int64_t>(kBatchBytes);
        ++end_.value;
        flusher_.request(*this);
    }
    std::optional<Log::Unsynced> take_unsynced() override {
        Log::Unsynced out;
        out.end = end_;
        out.files = {file_};
        return out;
    }
    void on_synced(Offset end) override {
        const auto acked = end.value - synced_.value;
        synced_ = end;
        acks += acked;
        if (stopping) return;
        for (std::int64_t i = 0; i < acked; ++i) append();
    }
    void on_sync_ended() override {}
    void on_directory_failed() override {}
    std::shared_ptr<void> hold() override { return nullptr; }
    [[nodiscard]] const PartitionId& id() const override { return id_; }
    [[nodiscard]] const std::string& folder() const override { return folder_; }

    std::int64_t acks = 0;
    bool stopping = false;

  private:
    Flusher& flusher_;
    PartitionId id_;
    std::string folder_;
    std::shared_ptr<rt::File> file_;
    std::vector<std::byte> batch_ = std::vector<std::byte>(kBatchBytes, std::byte{'x'});
    std::int64_t at_ = 0;
    Offset end_{0};
    Offset synced_{0};
};

void group_commit(benchmark::State& run) {
    const auto logs = static_cast<std::size_t>(run.range(0));
    const auto writers = static_cast<std::size_t>(run.range(1));
    const char* base = std::getenv("LEAT_BENCH_DIR");
    const auto folder =
        (std::filesystem::path{base != nullptr ? base : "."} / "bench-flusher").string();
    std::filesystem::create_directories(folder);
    rt::PosixDisk disk;
    rt::EventLoop loop;
    rt::ThreadPool pool{{.threads = static_cast<std::size_t>(run.range(4))}};
    DirectoryHealth health;
    auto marks = *DurableMarks::open(disk, folder, health);
    marks->start(loop, pool, std::chrono::milliseconds{100});
    obs::Registry registry{1};
    Metrics metrics{registry};
    Flusher flusher{{.disk = &disk,
                     .executor = &loop,
                     .pool = &pool,
                     .marks = marks.get(),
                     .health = &health,
                     .metrics = &metrics,
                     .data_directory = folder},
                    {.syncfs_threshold = static_cast<std::size_t>(run.range(2)),
                     .parallel_max = static_cast<std::size_t>(run.range(3)),
                     .short_sync = {}}};
    std::vector<std::unique_ptr<BenchLog>> all;
    for (std::size_t i = 0; i < logs; ++i) {
        auto file = *disk.open(folder + "/" + std::to_string(i) + ".log", rt::OpenMode::kCreate);
        LEAT_CHECK(file->truncate(FilePos{0}).has_value());
        LEAT_CHECK(file->sync().has_value());
        all.push_back(std::make_unique<BenchLog>(flusher, static_cast<std::int32_t>(i), folder,
                                                 std::move(file)));
        flusher.attach(*all.back());
    }
    for (auto _ : run) {
        loop.post([&] {
            for (auto& log : all) log->stopping = false;
            for (std::size_t i = 0; i < writers; ++i) all[i % logs]->append();
            loop.schedule(loop.now() + kRunTime, [&] {
                for (auto& log : all) log->stopping = true;
                loop.stop();
            });
        });
        loop.run();
        while (!flusher.is_idle()) loop.run_ready();
    }
    std::int64_t acks = 0;
    for (auto& log : all) acks += log->acks;
    run.SetItemsProcessed(acks);
    pool.stop();
    std::filesystem::remove_all(folder);
}
BENCHMARK(group_commit)
    ->ArgNames({"logs", "writers", "threshold", "parallel", "threads"})
    ->Iterations(1)
    ->UseRealTime()
    ->Args({1, 1, 4, 4, 4})
    ->Args({1, 16, 4, 4, 4})
    ->Args({4, 4, 2, 4, 4})
    ->Args({4, 4, 100, 4, 4})
    ->Args({8, 8, 4, 4, 4})
    ->Args({8, 8, 100, 4, 4})
    ->Args({8, 8, 100, 8, 8})
    ->Args({16, 16, 2, 2, 4})
    ->Args({16, 16, 4, 4, 4})
    ->Args({16, 16, 8, 4, 4})
    ->Args({16, 16, 100, 4, 4})
    ->Args({16, 16, 100, 16, 16})
    ->Args({100, 100, 2, 2, 4})
    ->Args({100, 100, 4, 4, 4})
    ->Args({100, 100, 16, 4, 4})
    ->Args({100, 100, 1000, 4, 4})
    ->Args({100, 100, 1000, 16, 16});

}  // namespace
}  // namespace leat::storage
