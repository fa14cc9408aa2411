// SPDX-License-Identifier: Apache-2.0
//
// A broker without sockets on a simulated disk: requests go in as a connection would hand them on,
// and processes and power come and go. Layer: test-only.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/apis.h"
#include "broker/broker.h"
#include "broker/shard.h"
#include "broker/testing/answers.h"
#include "broker/testing/memory_store.h"
#include "storage/data_directory.h"
#include "testkit/result_matchers.h"
#include "testkit/sim_disk.h"
#include "testkit/sim_executor.h"
#include "wire/frame.h"

namespace leat::broker::testing {

/// Usage: start(); ask(); stop() or kill(); start() again.
class BrokerRig {
  public:
    using Settings = std::map<std::string, std::string>;
    using MakeService = std::function<std::unique_ptr<ShardService>(Shard&)>;

    explicit BrokerRig(testkit::SimPoolOptions pool = {}) : pool_(&world_.add_pool(pool)) {
        store_.state.cluster_id = "AAAAAAAAAAAAAAAAAAAAAA";
        executors_ = {&world_.add_executor(), &world_.add_executor()};
    }
    ~BrokerRig() {
        if (broker_ != nullptr) stop();
    }
    BrokerRig(const BrokerRig&) = delete;
    BrokerRig& operator=(const BrokerRig&) = delete;

    void start(const Settings& settings = {}, const MakeService& make_groups = {}) {
        registry_ = std::make_unique<obs::Registry>(4);
        auto directory = storage::DataDirectory::open(disk_, "/data", 1);
        ASSERT_OK(directory);
        directory_ = *std::move(directory);
        BrokerParts parts{.disk = &disk_,
                          .pool = pool_,
                          .executors = {executors_.begin(), executors_.end()},
                          .directory = directory_.get(),
                          .store = &store_,
                          .registry = registry_.get(),
                          .layers = {},
                          .faults = {},
                          .make_groups = make_groups,
                          .make_transactions = make_transactions_,
                          .start_threads = 1};
        for (const auto& [name, value] : settings)
            parts.layers.command_line[name] = {value, "test"};
        auto broker = Broker::open(std::move(parts));
        ASSERT_OK(broker);
        broker_ = *std::move(broker);
        bool is_started = false;
        executors_[0]->here([&] { rt::start(set_when_done(broker_->start(), &is_started)); });
        ASSERT_TRUE(world_.run_until([&] { return is_started; }));
    }
    void stop() {
        std::optional<Result<void>> stopped;
        executors_[0]->here(
            [&] { rt::start(broker_->stop(), [&](Result<void> r) { stopped = std::move(r); }); });
        ASSERT_TRUE(world_.run_until([&] { return stopped.has_value(); }));
        world_.settle();
        requests_.clear();
        broker_.reset();
        directory_.reset();
    }
    /// The process dies; with `power`, so does the machine.
    void kill(bool power) {
        world_.cut_power();
        // What a dead process leaves behind is never destroyed, as its frames never end.
        static std::vector<std::shared_ptr<void>>& dead =
            *std::make_unique<std::vector<std::shared_ptr<void>>>().release();
        dead.emplace_back(broker_.release(), [](void*) {});
        dead.emplace_back(directory_.release(), [](void*) {});
        dead.emplace_back(registry_.release(), [](void*) {});
        if (power)
            disk_.crash();
        else
            disk_.restart_process();
    }

    Request& request(std::int16_t version) {
        Request& out = requests_.emplace_back();
        out.shard = &broker_->shard(0);
        out.header.version = version;
        out.connection = std::make_shared<ConnectionFacts>();
        return out;
    }
    template <class Response, class Message>
    using Handler = rt::Task<Response> (*)(Request*, const Message*);
    /// The answer arrives in the place that is returned.
    template <class Response, class Message>
    std::shared_ptr<std::optional<Response>> begin(Handler<Response, Message> handler,
                                                   Request& request, const Message& message) {
        auto out = std::make_shared<std::optional<Response>>();
        executors_[0]->here([&] {
            rt::start(handler(&request, &message),
                      [out](Response response) { out->emplace(std::move(response)); });
        });
        return out;
    }
    template <class Response, class Message>
    Response ask(Handler<Response, Message> handler, std::int16_t version, const Message& message) {
        auto out = begin(handler, request(version), message);
        EXPECT_TRUE(world_.run_until([&] { return out->has_value(); }));
        return out->value_or(Response{});
    }

    /// The same by the bytes of a frame, through the table of APIs.
    template <class Message>
    std::shared_ptr<std::optional<Answer>> send(const Message& message, std::int16_t version) {
        const wire::Frame frame = wire::request_frame(
            message, {.version = version, .correlation_id = 7, .client_id = "check"});
        const Bytes bytes = frame.bytes().subspan(4);
        Request& asked = request(version);
        asked.frame = broker_->shard(0).buffers().get(bytes.size());
        asked.frame_bytes = bytes.size();
        std::ranges::copy(bytes, asked.frame.data());
        const Bytes kept{asked.frame.data(), asked.frame_bytes};
        wire::Reader in{kept, asked.arena};
        const auto header = wire::decode_request_header(in);
        EXPECT_TRUE(header.has_value());
        asked.header = *header;
        asked.body = kept.last(in.remaining());
        asked.api = find_served(Message::kKey);
        auto out = std::make_shared<std::optional<Answer>>();
        executors_[0]->here([&] {
            rt::start(asked.api->handle(&asked),
                      [out](Answer answer) { out->emplace(std::move(answer)); });
        });
        return out;
    }
    template <class Response, class Message>
    Told<Response> tell(const Message& message, std::int16_t version) {
        const auto answer = send(message, version);
        EXPECT_TRUE(world_.run_until([&] { return answer->has_value(); }));
        return testing::told<Response>(**answer, version);
    }
    static rt::Task<void> set_when_done(rt::Task<void> task, bool* done) {
        co_await std::move(task);
        *done = true;
    }

    testkit::SimWorld world_{7};
    testkit::SimDisk disk_{7};
    MemoryStore store_;
    std::vector<testkit::SimExecutor*> executors_;
    testkit::SimPool* pool_;
    std::unique_ptr<obs::Registry> registry_;
    std::unique_ptr<storage::DataDirectory> directory_;
    std::unique_ptr<Broker> broker_;
    std::deque<Request> requests_;
    MakeService make_transactions_;
};

}  // namespace leat::broker::testing
