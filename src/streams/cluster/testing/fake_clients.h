// SPDX-License-Identifier: Apache-2.0
//
// The clients of a StateUpdater over changelogs in memory, and a clock by hand. Layer: streams
// (L6), tests only.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "rt/clock.h"
#include "streams/cluster/restore_clients.h"
#include "streams/cluster/testing/fake_logs.h"

namespace leat::streams::testing_logs {

/// Threading: thread-safe.
class FakeClients final : public RestoreClients {
  public:
    explicit FakeClients(FakeLogs& logs) : logs_(logs) {}

    /// The next questions about positions end with it.
    void refuse(Errc code, int times) {
        const std::lock_guard lock{mutex_};
        refusal_ = code;
        refusals_ = times;
    }
    void commit(const client::TopicPartition& where, std::int64_t offset) {
        const std::lock_guard lock{mutex_};
        committed_[where] = offset;
    }
    /// Wakes who waits, and waits until it has nothing to do any more.
    void settle() {
        std::unique_lock lock{mutex_};
        woken_ = true;
        moved_.notify_all();
        moved_.wait(lock, [&] { return idle_ && !woken_; });
    }

    Result<void> connect() override { return {}; }
    Result<std::vector<client::CommittedOffset>> committed(
        std::span<const client::TopicPartition> where) override {
        const std::lock_guard lock{mutex_};
        if (refusals_ > 0) {
            --refusals_;
            return Error{refusal_, "refused"};
        }
        std::vector<client::CommittedOffset> out;
        for (const auto& one : where) {
            const auto found = committed_.find(one);
            out.push_back({.where = one, .offset = found == committed_.end() ? -1 : found->second});
        }
        return out;
    }
    Result<std::vector<client::PartitionOffset>> all_committed() override {
        const std::lock_guard lock{mutex_};
        std::vector<client::PartitionOffset> out;
        out.reserve(committed_.size());
        for (const auto& [where, offset] : committed_) out.push_back({where, offset});
        return out;
    }
    ChangelogReader::Cluster changelogs() override { return logs_.cluster(); }
    Result<void> wait(std::chrono::milliseconds at_most) override {
        if (at_most.count() == 0) return {};
        std::unique_lock lock{mutex_};
        idle_ = true;
        moved_.notify_all();
        moved_.wait(lock, [&] { return woken_; });
        idle_ = woken_ = false;
        return {};
    }
    void wake() override {
        const std::lock_guard lock{mutex_};
        woken_ = true;
        moved_.notify_all();
    }

  private:
    FakeLogs& logs_;
    std::mutex mutex_;
    std::condition_variable moved_;
    bool woken_ = false;
    bool idle_ = false;
    std::map<client::TopicPartition, std::int64_t> committed_;
    Errc refusal_ = Errc::kNone;
    int refusals_ = 0;
};

/// Threading: thread-safe.
class FakeClock final : public rt::Clock {
  public:
    [[nodiscard]] Instant now() const override {
        const std::lock_guard lock{mutex_};
        return now_;
    }
    [[nodiscard]] WallMs wall_now() const override { return WallMs{1'000}; }
    void advance(std::chrono::milliseconds by) {
        const std::lock_guard lock{mutex_};
        now_ += by;
    }

  private:
    mutable std::mutex mutex_;
    Instant now_{std::chrono::hours{1}};
};

}  // namespace leat::streams::testing_logs
