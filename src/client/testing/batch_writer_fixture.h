// SPDX-License-Identifier: Apache-2.0
//
// A writer and the brokers that a test plays for it. Layer: client (L3), tests only.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "client/batch_writer.h"
#include "client/testing/played_brokers.h"
#include "client/testing/played_writes.h"

namespace leat::client::testing {

class BatchWriterTest : public ::testing::Test {
  protected:
    PlayedWrites& play(int brokers, int partitions, wire::VersionRange versions = {3, 13}) {
        brokers_ = std::make_unique<PlayedBrokers>(brokers);
        writes_ = std::make_unique<PlayedWrites>(*brokers_, versions);
        writes_->make_topic("topic", partitions);
        return *writes_;
    }
    void open(std::vector<Property> more = {},
              RecordWriter::Reports reports = RecordWriter::Reports::kAll) {
        if (brokers_ != nullptr) more.push_back({"bootstrap.servers", brokers_->address(), 0});
        if (find_property(more, "retry.backoff.ms").empty())
            more.push_back({"retry.backoff.ms", "10", 0});
        more.push_back({"reconnect.backoff.ms", "10", 0});
        auto settings = write_settings_of(more);
        ASSERT_TRUE(settings) << settings.error().detail();
        settings->cluster.loss_patience = loss_patience_;
        auto opened = BatchWriter::open(
            *std::move(settings), [this](const Delivery& one) { note(one); }, reports);
        ASSERT_TRUE(opened) << opened.error().detail();
        writer_ = *std::move(opened);
    }
    void note(const Delivery& one) {
        told_.push_back(std::to_string(one.tag) + " " + std::string{info(one.code).name} + " " +
                        std::to_string(one.partition) + "@" + std::to_string(one.offset.value));
    }
    /// With the tag as its value.
    void send(int tag, std::int32_t partition = 0) {
        const std::string value = std::to_string(tag);
        const auto sent = writer_->send("topic", {.key = std::nullopt,
                                                  .value = value,
                                                  .partition = partition,
                                                  .timestamp_ms = 1'000 + tag,
                                                  .tag = static_cast<std::uint64_t>(tag)});
        ASSERT_TRUE(sent) << sent.error().detail();
        ASSERT_TRUE(*sent);
    }
    void flush() {
        const auto done = writer_->flush(std::chrono::seconds{10});
        ASSERT_TRUE(done) << done.error().detail();
        EXPECT_EQ(writer_->in_flight(), 0U);
    }
    using Told = std::vector<std::string>;
    using Values = std::vector<std::string>;

    std::unique_ptr<PlayedBrokers> brokers_;
    std::unique_ptr<PlayedWrites> writes_;
    /// As soon as this has passed, a partition that nobody knows is given up.
    std::chrono::milliseconds loss_patience_{5'000};
    Told told_;
    std::unique_ptr<RecordWriter> writer_;
};

}  // namespace leat::client::testing
