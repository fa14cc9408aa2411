// SPDX-License-Identifier: Apache-2.0
//
// Open loop at a fixed rate: a record counts from the moment it was due, so a stalled broker is
// charged for every record that had to wait. One producer connection (at most five requests under
// way, all records that are due go into the next one: linger 0), one consumer connection with long
// polls. Layer: bench.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>

#include "histogram.h"
#include "load.h"
#include "raw_protocol.h"

namespace leat::bench {
namespace {

constexpr std::size_t kWindow = 5;

struct Sender {
    Histogram ack;
    std::uint64_t records = 0;
    std::uint64_t errors = 0;
    std::uint64_t late = 0;  ///< records that left over 1 ms after they were due
};

std::string due_value(std::int64_t due_ns, const Plan& plan) {
    Out value;
    value.i64(due_ns);
    value.bytes.resize(static_cast<std::size_t>(std::max(plan.record_bytes, 8)), 'x');
    return std::move(value.bytes);
}

void wait_readable(int fd, std::int64_t until_ns) {
    const auto left = std::max<std::int64_t>(0, until_ns - now_ns());
    const timespec limit{.tv_sec = left / 1'000'000'000, .tv_nsec = left % 1'000'000'000};
    pollfd watch{.fd = fd, .events = POLLIN, .revents = 0};
    ppoll(&watch, 1, &limit, nullptr);
}

void take_answers(int fd, std::string& input, std::vector<std::int64_t>& in_flight,
                  Sender& sender) {
    char buffer[65536];
    const auto n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        die("the broker closed the producer's connection");
    }
    input.append(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
    while (input.size() >= 4) {
        const auto length = static_cast<std::size_t>(In(input).i32());
        if (input.size() < 4 + length) {
            return;
        }
        const auto results = read_produce_answer(std::string_view(input).substr(4, length));
        sender.errors += results.empty() || results[0].error != 0 ? 1 : 0;
        sender.ack.add(now_ns() - in_flight.front());
        in_flight.erase(in_flight.begin());
        input.erase(0, 4 + length);
    }
}

void produce(const Plan& plan, std::int64_t start, std::int64_t total, Sender& sender) {
    pin_thread(plan.first_cpu);
    const int fd = connect_or_die(plan.broker, true);
    const auto step = 1e9 / plan.rate;
    const auto due = [&](std::int64_t i) {
        return start + static_cast<std::int64_t>(static_cast<double>(i) * step);
    };
    std::vector<std::int64_t> in_flight;
    std::string input;
    std::int64_t next = 0;
    while (next < total || !in_flight.empty()) {
        const auto now = now_ns();
        if (next < total && in_flight.size() < kWindow && due(next) <= now) {
            std::vector<std::string> values;
            const auto first = due(next);
            for (; next < total && due(next) <= now && values.size() < 1000; ++next) {
                sender.late += now - due(next) > 1'000'000 ? 1 : 0;
                values.push_back(due_value(due(next), plan));
            }
            sender.records += values.size();
            const auto batch = build_batch(values, wall_ms());
            if (!send_all(fd, produce_head(plan.topic, 0, plan.acks, batch.size()) + batch)) {
                die("the broker closed the producer's connection");
            }
            in_flight.push_back(first);
            continue;
        }
        const auto room = next < total && in_flight.size() < kWindow;
        wait_readable(fd, room ? due(next) : now + 1'000'000'000);
        take_answers(fd, input, in_flight, sender);
    }
    close(fd);
}

/// Adds the delay of each record; returns the offset to go on from.
std::int64_t count_records(std::string_view records, std::int64_t from, std::int64_t now,
                           Histogram& delay) {
    while (records.size() >= 61) {
        In in(records);
        const auto base = in.i64();
        const auto length = static_cast<std::size_t>(in.i32()) + 12;
        if (length > records.size()) {
            break;
        }
        in.take(4 + 1 + 4 + 2 + 4 + 8 + 8 + 8 + 2 + 4);
        const auto count = in.i32();
        for (std::int32_t i = 0; i < count; ++i) {
            In record(in.take(static_cast<std::size_t>(in.varint())));
            record.i8();
            record.varint();
            record.varint();
            record.varint();
            record.varint();
            const auto due = record.i64();
            if (due > 1 && base + i >= from) {
                delay.add(now - due);
            }
        }
        from = base + count;
        records.remove_prefix(length);
    }
    return from;
}

void consume(const Plan& plan, std::int64_t from, std::int64_t total, Histogram& delay) {
    pin_thread(plan.first_cpu < 0 ? -1 : plan.first_cpu + 1);
    const int fd = connect_or_die(plan.broker, true);
    const auto give_up = now_ns() + static_cast<std::int64_t>((plan.seconds + 30) * 1e9);
    while (delay.count() < static_cast<std::uint64_t>(total)) {
        if (now_ns() > give_up) {
            die("records missing at the consumer: " +
                std::to_string(total - static_cast<std::int64_t>(delay.count())));
        }
        const auto answer = round_trip(fd, fetch_frame({.topic = plan.topic, .offset = from}));
        const auto now = now_ns();
        In in(answer);
        in.take(4 + 4 + 2 + 4);
        in.i32();
        in.string();
        in.take(4 + 4);
        const auto error = in.i16();
        in.take(8 + 8 + 8);
        const auto aborted = in.i32();
        in.take(aborted > 0 ? static_cast<std::size_t>(aborted) * 16 : 0);
        in.i32();
        const auto bytes = in.i32();
        if (in.failed || error != 0) {
            die("fetch failed: error " + std::to_string(error));
        }
        from =
            count_records(in.take(static_cast<std::size_t>(std::max(bytes, 0))), from, now, delay);
    }
    close(fd);
}

}  // namespace

void run_latency(const Plan& plan) {
    const int fd = connect_or_die(plan.broker, true);
    const auto ends = round_trip(fd, list_offsets_frame(plan.topic, 1));
    In in(ends);
    in.take(4 + 4 + 4);
    in.string();
    in.take(4 + 4 + 2 + 8);
    const auto from = in.i64();
    close(fd);
    if (in.failed) {
        die("unreadable answer to ListOffsets");
    }
    const auto total = static_cast<std::int64_t>(plan.seconds * plan.rate);
    const auto start = now_ns() + 200'000'000;
    Sender sender;
    Histogram delay;
    {
        const std::jthread consumer([&] { consume(plan, from, total, delay); });
        const std::jthread producer([&] { produce(plan, start, total, sender); });
    }
    const auto value_bytes = static_cast<std::uint64_t>(std::max(plan.record_bytes, 8));
    std::printf(
        "{\"mode\":\"latency\",\"rate\":%.0f,\"sent\":%llu,\"record_bytes\":%llu,\"records\":%llu,"
        "\"errors\":%llu,\"late\":%llu,\"p50_us\":%.1f,\"p90_us\":%.1f,"
        "\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"ack_p50_us\":%.1f,\"ack_p99_us\":%.1f}"
        "\n",
        plan.rate, static_cast<unsigned long long>(sender.records),
        static_cast<unsigned long long>(sender.records * value_bytes),
        static_cast<unsigned long long>(delay.count()),
        static_cast<unsigned long long>(sender.errors),
        static_cast<unsigned long long>(sender.late), delay.percentile_us(0.5),
        delay.percentile_us(0.9), delay.percentile_us(0.99), delay.percentile_us(0.999),
        delay.max_us(), sender.ack.percentile_us(0.5), sender.ack.percentile_us(0.99));
}

}  // namespace leat::bench
