// SPDX-License-Identifier: Apache-2.0
//
// Topic creation, offsets, and time to the first acknowledgement. Layer: bench.
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <deque>
#include <thread>

#include "histogram.h"
#include "load.h"
#include "raw_protocol.h"

namespace leat::bench {
namespace {

constexpr std::int16_t kTopicExists = 36;

std::int16_t create(int fd, const Plan& plan, const std::string& topic, std::int32_t partitions) {
    const auto answer = round_trip(fd, create_topic_frame(topic, partitions, plan.configs));
    In in(answer);
    in.i32();  // correlation id
    in.i32();  // throttle
    in.i32();  // one topic
    in.string();
    const auto error = in.i16();
    if (in.failed) {
        die("unreadable answer to CreateTopics");
    }
    return error;
}

void create_or_die(int fd, const Plan& plan, const std::string& topic, std::int32_t partitions) {
    const auto error = create(fd, plan, topic, partitions);
    if (error != 0 && error != kTopicExists) {
        die("CreateTopics " + topic + ": error " + std::to_string(error));
    }
}

// Sends one record to each partition, keeping up to 64 requests under way, and again to those that
// refused.
std::uint64_t fill(int fd, const Plan& plan, const std::string& batch) {
    std::deque<std::int32_t> todo;
    std::deque<std::int32_t> waiting;
    for (std::int32_t p = 0; p < plan.partitions; ++p) {
        todo.push_back(p);
    }
    std::uint64_t refused = 0;
    while (!todo.empty() || !waiting.empty()) {
        while (!todo.empty() && waiting.size() < 64) {
            const auto p = todo.front();
            todo.pop_front();
            if (!send_all(fd, produce_head(plan.topic, p, plan.acks, batch.size()) + batch)) {
                die("the broker closed the connection");
            }
            waiting.push_back(p);
        }
        char head[4];
        if (!recv_all(fd, head, 4)) {
            die("the broker closed the connection");
        }
        std::string answer(static_cast<std::size_t>(In({head, 4}).i32()), '\0');
        if (!recv_all(fd, answer.data(), answer.size())) {
            die("the broker closed the connection");
        }
        const auto results = read_produce_answer(answer);
        if (results.empty()) {
            die("unreadable produce answer");
        }
        if (results[0].error != 0) {
            refused += 1;
            todo.push_back(waiting.front());
        }
        waiting.pop_front();
    }
    return refused;
}

}  // namespace

void run_create(const Plan& plan) {
    const int fd = connect_or_die(plan.broker, true);
    const auto start = now_ns();
    create_or_die(fd, plan, plan.topic, plan.partitions);
    Plan one = plan;
    const auto refused = fill(fd, one, build_batch({"first"}, wall_ms()));
    std::printf("{\"mode\":\"create\",\"seconds\":%.4f,\"refused\":%llu}\n",
                static_cast<double>(now_ns() - start) / 1e9,
                static_cast<unsigned long long>(refused));
}

void run_topics(const Plan& plan) {
    const int fd = connect_or_die(plan.broker, true);
    Histogram latency;
    const auto start = now_ns();
    for (std::int32_t i = 0; i < plan.count; ++i) {
        const auto before = now_ns();
        create_or_die(fd, plan, plan.topic + "-" + std::to_string(i), plan.partitions);
        latency.add(now_ns() - before);
    }
    std::printf(
        "{\"mode\":\"topics\",\"count\":%d,\"seconds\":%.4f,\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
        plan.count, static_cast<double>(now_ns() - start) / 1e9, latency.percentile_us(0.5),
        latency.percentile_us(0.99));
}

void run_partitions(const Plan& plan) {
    const int fd = connect_or_die(plan.broker, true);
    const auto start = now_ns();
    create_or_die(fd, plan, plan.topic, plan.partitions);
    const auto created = now_ns();
    const auto refused = fill(fd, plan, build_batch({"first"}, wall_ms()));
    std::printf(
        "{\"mode\":\"partitions\",\"partitions\":%d,\"create_seconds\":%.4f,\"seconds\":%.4f,"
        "\"refused\":%llu}\n",
        plan.partitions, static_cast<double>(created - start) / 1e9,
        static_cast<double>(now_ns() - start) / 1e9, static_cast<unsigned long long>(refused));
}

void run_offsets(const Plan& plan) {
    const int fd = connect_or_die(plan.broker, true);
    const auto answer = round_trip(fd, list_offsets_frame(plan.topic, plan.partitions));
    In in(answer);
    in.i32();
    in.i32();
    std::int64_t sum = 0;
    std::int16_t error = 0;
    const auto topics = in.i32();
    for (std::int32_t t = 0; t < topics && !in.failed; ++t) {
        in.string();
        const auto partitions = in.i32();
        for (std::int32_t p = 0; p < partitions && !in.failed; ++p) {
            in.i32();
            const auto code = in.i16();
            error = code != 0 ? code : error;
            in.i64();
            sum += in.i64();
        }
    }
    if (in.failed) {
        die("unreadable answer to ListOffsets");
    }
    std::printf("{\"mode\":\"offsets\",\"sum\":%lld,\"error\":%d}\n", static_cast<long long>(sum),
                error);
}

/// Whether the broker behind `fd` acknowledges the frame before it is time to give up.
static bool is_acknowledged(const Plan& plan, int fd, const std::string& frame,
                            std::int64_t give_up) {
    while (now_ns() < give_up) {
        const auto answer = round_trip(fd, frame);
        if (answer.empty()) {
            return false;
        }
        const auto results = read_produce_answer(answer);
        if (!results.empty() && results[0].error == 0) {
            return true;
        }
        // A new broker does not know the topic yet: ask for it and try again.
        static_cast<void>(
            round_trip(fd, create_topic_frame(plan.topic, plan.partitions, plan.configs)));
    }
    return false;
}

void run_first_ack(const Plan& plan) {
    const auto batch = build_batch({"first"}, wall_ms());
    const auto frame = produce_head(plan.topic, 0, plan.acks, batch.size()) + batch;
    const auto give_up = now_ns() + static_cast<std::int64_t>(plan.seconds * 1e9);
    while (now_ns() < give_up) {
        const int fd = try_connect(plan.broker, true);
        if (fd >= 0) {
            if (is_acknowledged(plan, fd, frame, give_up)) {
                std::printf("{\"mode\":\"first-ack\",\"monotonic_ns\":%lld}\n",
                            static_cast<long long>(now_ns()));
                return;
            }
            close(fd);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    die("no acknowledgement in time");
}

}  // namespace leat::bench
