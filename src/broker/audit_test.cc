// SPDX-License-Identifier: Apache-2.0
//
// Method: events on a clock that the test moves, and the file that comes of them on a simulated
// disk.
#include "broker/audit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "obs/log.h"
#include "testkit/manual_executor.h"
#include "testkit/result_matchers.h"
#include "testkit/sim_disk.h"

namespace leat::broker {
namespace {

class Audit : public ::testing::Test {
  protected:
    Audit() {
        config_.audit_path = "/audit.log";
        config_.audit_denials_per_second = 2;
        executor_.advance(std::chrono::seconds{10});
    }
    void open() {
        auto log = AuditLog::open(config_, disk_, pool_);
        ASSERT_OK(log);
        log_ = *std::move(log);
    }
    void record(std::string_view name, bool is_allowed = false) {
        log_->record(executor_, {.principal = "User:a",
                                 .mechanism = "PLAIN",
                                 .host = "127.0.0.1",
                                 .client_id = "c\"1",
                                 .what = "Produce",
                                 .operation = "WRITE",
                                 .resource = "TOPIC",
                                 .name = name,
                                 .detail = {},
                                 .is_allowed = is_allowed});
        settle();
    }
    void settle() {
        while (pool_.run_one() || executor_.run()) {
        }
    }
    std::string content(const std::string& path = "/audit.log") {
        const auto file = disk_.open(path, rt::OpenMode::kRead);
        EXPECT_OK(file);
        std::string out(static_cast<std::size_t>(*(*file)->size()), ' ');
        EXPECT_OK((*file)->read_at(FilePos{0}, std::as_writable_bytes(std::span{out})));
        return out;
    }
    static std::size_t lines(const std::string& text) {
        return static_cast<std::size_t>(std::ranges::count(text, '\n'));
    }

    config::BrokerConfig config_;
    testkit::SimDisk disk_{1};
    testkit::ManualPool pool_;
    testkit::ManualExecutor executor_;
    std::unique_ptr<AuditLog> log_;
};

TEST_F(Audit, EventIsOneObjectALine) {
    open();
    record("t");
    record("u", true);
    EXPECT_EQ(
        content(),
        "{\"time_ms\":10000,\"component\":\"audit\",\"event\":\"denied\",\"principal\":\"User:a\","
        "\"mechanism\":\"PLAIN\",\"host\":\"127.0.0.1\",\"client_id\":\"c\\\"1\",\"what\":"
        "\"Produce\",\"operation\":\"WRITE\",\"resource\":\"TOPIC\",\"name\":\"t\",\"detail\":\"\"}"
        "\n"
        "{\"time_ms\":10000,\"component\":\"audit\",\"event\":\"allowed\",\"principal\":\"User:a\","
        "\"mechanism\":\"PLAIN\",\"host\":\"127.0.0.1\",\"client_id\":\"c\\\"1\",\"what\":"
        "\"Produce\",\"operation\":\"WRITE\",\"resource\":\"TOPIC\",\"name\":\"u\",\"detail\":\"\"}"
        "\n");
}

TEST_F(Audit, EqualDenialsBeyondTheRateAreCounted) {
    open();
    for (int i = 0; i < 7; ++i) record("t");
    record("other");
    EXPECT_EQ(lines(content()), 3U);
    executor_.advance(std::chrono::seconds{1});
    record("t");
    EXPECT_EQ(lines(content()), 4U);
    EXPECT_TRUE(content().ends_with("\"suppressed\":5}\n")) << content();
}

TEST_F(Audit, NamesMadeUpByPeersDoNotFillIt) {
    config_.audit_denials_total_per_second = 5;
    open();
    for (int i = 0; i < 1'000; ++i) record("guess-" + std::to_string(i));
    EXPECT_EQ(lines(content()), 5U);
    record("u", true);
    EXPECT_EQ(lines(content()), 6U) << "it is about denials";
    executor_.advance(std::chrono::seconds{1});
    record("t");
    record("u");
    EXPECT_EQ(lines(content()), 9U);
    EXPECT_NE(content().find("\"what\":\"Audit\",\"operation\":\"\",\"resource\":\"\",\"name\":"
                             "\"\",\"detail\":\"denials not written: 995\""),
              std::string::npos)
        << content();
}

TEST_F(Audit, FullFilesArePutAsideAndTheOldestGoes) {
    config_.audit_file_bytes_max = 500;  // Two lines.
    config_.audit_files_max = 3;
    open();
    for (int i = 0; i < 9; ++i) record("t" + std::to_string(i), true);
    EXPECT_EQ(lines(content()), 1U);
    EXPECT_NE(content().find("t8"), std::string::npos);
    EXPECT_EQ(lines(content("/audit.log.1")), 2U);
    EXPECT_NE(content("/audit.log.1").find("t7"), std::string::npos);
    EXPECT_NE(content("/audit.log.2").find("t4"), std::string::npos);
    EXPECT_FALSE(*disk_.exists("/audit.log.3"));
}

TEST_F(Audit, OneFileBeginsAnew) {
    config_.audit_file_bytes_max = 500;
    config_.audit_files_max = 1;
    open();
    for (int i = 0; i < 3; ++i) record("t" + std::to_string(i), true);
    EXPECT_EQ(lines(content()), 1U);
    EXPECT_FALSE(*disk_.exists("/audit.log.1"));
}

TEST_F(Audit, GoesOnAtTheEndOfItsFile) {
    open();
    record("t");
    log_.reset();
    open();
    record("u");
    EXPECT_EQ(lines(content()), 2U);
}

TEST_F(Audit, WhatStillWaitsIsWrittenAtTheEnd) {
    open();
    log_->record(executor_, {.principal = "User:a", .what = "Fetch", .name = "1"});
    log_->record(executor_, {.principal = "User:a", .what = "Fetch", .name = "2"});
    pool_.run_one();  // The process ends before the shard hears of it.
    log_.reset();
    EXPECT_EQ(lines(content()), 2U);
}

// What was to be written then, and what came meanwhile, is in the process's log.
TEST_F(Audit, NothingIsLostWithTheFile) {
    std::vector<std::string> told;
    obs::set_sink([&told](obs::Level, std::string_view line) { told.emplace_back(line); });
    open();
    disk_.fail(testkit::DiskCall::kWrite, 1, Errc::kNoSpace);
    log_->record(executor_, {.principal = "User:a", .what = "Fetch", .name = "first"});
    log_->record(executor_, {.principal = "User:a", .what = "Fetch", .name = "second"});
    settle();
    record("third");
    obs::set_sink(nullptr);
    ASSERT_EQ(told.size(), 4U);
    EXPECT_TRUE(told[0].contains("cannot be written")) << told[0];
    EXPECT_TRUE(told[1].contains("first")) << told[1];
    EXPECT_TRUE(told[2].contains("second")) << told[2];
    EXPECT_TRUE(told[3].contains("event=denied")) << told[3];
    EXPECT_TRUE(told[3].contains("name=third")) << told[3];
    EXPECT_TRUE(told[3].contains("mechanism=PLAIN")) << told[3];
}

TEST_F(Audit, WithoutAFileAllKindsAreInTheLog) {
    config_.audit_path.clear();
    std::vector<std::string> told;
    obs::set_sink([&told](obs::Level, std::string_view line) { told.emplace_back(line); });
    open();
    for (int i = 0; i < 90; ++i) record("topic" + std::to_string(i));
    obs::set_sink(nullptr);
    EXPECT_EQ(told.size(), 90U);
}

TEST_F(Audit, WantsWhatItIsToldOfTheAllowed) {
    const auto wants = [this](config::AuditScope scope, auth::Operation operation) {
        config_.audit_allowed = scope;
        open();
        return log_->wants_allowed(operation);
    };
    using enum config::AuditScope;
    EXPECT_TRUE(wants(kChanges, auth::Operation::kAlter));
    EXPECT_FALSE(wants(kChanges, auth::Operation::kWrite));
    EXPECT_TRUE(wants(kAll, auth::Operation::kWrite));
    EXPECT_FALSE(wants(kNone, auth::Operation::kAlter));
}

}  // namespace
}  // namespace leat::broker
