// SPDX-License-Identifier: Apache-2.0
//
// Catch-up read: each connection reads one partition from offset 0 to its end, again and again.
// Layer: bench.
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>

#include "histogram.h"
#include "load.h"
#include "raw_protocol.h"

namespace leat::bench {
namespace {

constexpr std::size_t kBatchHead = 61;

/// How many records the rounds had.
struct Rounds {
    std::uint64_t count = 0;
    std::uint64_t fewest = UINT64_MAX;
    std::uint64_t most = 0;

    void merge(const Rounds& other) {
        count += other.count;
        fewest = std::min(fewest, other.fewest);
        most = std::max(most, other.most);
    }
};

struct Reader {
    Histogram latency;
    std::uint64_t bytes = 0;
    std::uint64_t records = 0;
    Rounds rounds;
};

/// Reads the fixed part of one answer; returns the bytes of records that follow on the socket.
std::size_t read_head(int fd, std::size_t& frame_left) {
    char length[4];
    if (!recv_all(fd, length, 4)) {
        die("the broker closed the connection");
    }
    frame_left = static_cast<std::size_t>(In({length, 4}).i32());
    // correlation, throttle, error, session, topics, topic name, partitions ...: read field by
    // field as lengths vary
    std::string head;
    const auto more = [&](std::size_t n) {
        const auto at = head.size();
        head.resize(at + n);
        if (n > frame_left || !recv_all(fd, head.data() + at, n)) {
            die("unreadable fetch answer");
        }
        frame_left -= n;
        return std::string_view(head).substr(at, n);
    };
    const auto error = In(more(4 + 4 + 2 + 4).substr(8)).i16();
    const auto topics = In(more(4)).i32();
    if (error != 0 || topics != 1) {
        die("fetch refused: error " + std::to_string(error));
    }
    more(static_cast<std::size_t>(In(more(2)).i16()));
    more(4);  // one partition
    In partition(more(4 + 2 + 8 + 8 + 8 + 4));
    partition.i32();
    const auto code = partition.i16();
    if (code != 0) {
        die("fetch refused: partition error " + std::to_string(code));
    }
    partition.i64();
    partition.i64();
    partition.i64();
    const auto aborted = partition.i32();
    if (aborted > 0) {
        more(static_cast<std::size_t>(aborted) * 16);
    }
    more(4);  // preferred replica
    return static_cast<std::size_t>(In(more(4)).i32());
}

/// Skips over the batches; returns the offset after the last whole one, or `from` when there is
/// none.
std::int64_t read_batches(int fd, std::size_t left, std::int64_t from, Reader& reader) {
    while (left >= kBatchHead) {
        char head[kBatchHead];
        if (!recv_all(fd, head, sizeof head)) {
            die("the broker closed the connection");
        }
        In in({head, sizeof head});
        const auto base = in.i64();
        const auto length = static_cast<std::size_t>(in.i32()) + 12;
        in.take(4 + 1 + 4 + 2);
        const auto last = in.i32();
        in.take(8 + 8 + 8 + 2 + 4);
        const auto count = in.i32();
        const auto whole = length <= left;
        if (!discard(fd, std::min(length, left) - kBatchHead)) {
            die("the broker closed the connection");
        }
        if (!whole) {
            return from;
        }
        left -= length;
        // The first batch may begin before the offset asked for; a later one must not.
        if (base + last < from) {
            die("a batch below the offset asked for");
        }
        from = base + last + 1;
        reader.records += static_cast<std::uint64_t>(std::max(count, 0));
    }
    if (left > 0 && !discard(fd, left)) {
        die("the broker closed the connection");
    }
    return from;
}

void read_partition(const Plan& plan, std::int32_t partition, std::int64_t end_ns, Reader& reader) {
    const int fd = connect_or_die(plan.broker, true);
    FetchPlan fetch{
        .topic = plan.topic, .partition = partition, .max_wait_ms = 0, .max_bytes = plan.max_bytes};
    std::uint64_t before_round = 0;
    while (now_ns() < end_ns) {
        const auto before = now_ns();
        if (!send_all(fd, fetch_frame(fetch))) {
            die("the broker closed the connection");
        }
        std::size_t frame_left = 0;
        const auto bytes = read_head(fd, frame_left);
        const auto next = read_batches(fd, bytes, fetch.offset, reader);
        reader.bytes += bytes;
        reader.latency.add(now_ns() - before);
        if (next == fetch.offset) {
            if (next == 0) {
                die("nothing to read");
            }
            const auto of_round = reader.records - before_round;
            reader.rounds.merge({.count = 1, .fewest = of_round, .most = of_round});
            before_round = reader.records;
            fetch.offset = 0;
        } else {
            fetch.offset = next;
        }
    }
    close(fd);
}

}  // namespace

void run_fetch(const Plan& plan) {
    const auto start = now_ns();
    const auto end = start + static_cast<std::int64_t>(plan.seconds * 1e9);
    std::vector<std::unique_ptr<Reader>> readers;
    std::vector<std::jthread> threads;
    for (int i = 0; i < plan.connections; ++i) {
        readers.push_back(std::make_unique<Reader>());
        threads.emplace_back([&plan, i, end, &reader = *readers.back()] {
            pin_thread(plan.first_cpu < 0 ? -1 : plan.first_cpu + i);
            read_partition(plan, i % plan.partitions, end, reader);
        });
    }
    threads.clear();
    Reader all;
    for (const auto& r : readers) {
        all.latency.merge(r->latency);
        all.bytes += r->bytes;
        all.records += r->records;
        all.rounds.merge(r->rounds);
    }
    const auto seconds = static_cast<double>(now_ns() - start) / 1e9;
    std::printf(
        "{\"mode\":\"fetch\",\"seconds\":%.3f,\"bytes\":%llu,\"records\":%llu,\"rounds\":%llu,"
        "\"fewest\":%llu,\"most\":%llu,\"bytes_per_s\":%.0f,"
        "\"p50_us\":%.1f,\"p99_us\":%.1f}\n",
        seconds, static_cast<unsigned long long>(all.bytes),
        static_cast<unsigned long long>(all.records),
        static_cast<unsigned long long>(all.rounds.count),
        static_cast<unsigned long long>(all.rounds.count > 0 ? all.rounds.fewest : 0),
        static_cast<unsigned long long>(all.rounds.most), static_cast<double>(all.bytes) / seconds,
        all.latency.percentile_us(0.5), all.latency.percentile_us(0.99));
}

}  // namespace leat::bench
