// SPDX-License-Identifier: Apache-2.0
//
// Closed loop: every connection keeps `in_flight` requests under way. Layer: bench.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <thread>

#include "histogram.h"
#include "load.h"
#include "raw_protocol.h"

namespace leat::bench {
namespace {

struct Totals {
    Histogram latency;
    std::uint64_t requests = 0;
    std::uint64_t errors = 0;
    std::int16_t last_error = 0;
    std::uint64_t sent_bytes = 0;
};

struct Connection {
    int fd = -1;
    std::vector<const std::string*> heads;  ///< one a partition this connection writes to, in turn
    std::size_t turn = 0;
    std::size_t sent = 0;  ///< bytes of the current request that have left
    bool sending = false;
    bool wants_write = false;
    std::deque<std::int64_t> started;
    std::string input;
};

/// Threading: one thread runs one Worker; `heads` and `batch` are read by all.
class Worker {
  public:
    Worker(const Plan& plan, const std::string& batch, std::int64_t end_ns)
        : plan_(plan), batch_(batch), end_ns_(end_ns), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

    void add(Connection connection) {
        connections_.push_back(std::make_unique<Connection>(std::move(connection)));
    }

    void run() {
        for (auto& c : connections_) {
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.ptr = c.get();
            epoll_ctl(epoll_, EPOLL_CTL_ADD, c->fd, &event);
            pump(*c);
        }
        std::vector<epoll_event> events(64);
        while (!finished()) {
            const int n =
                epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 30'000);
            if (n == 0) {
                die("no answer for 30 s");
            }
            for (int i = 0; i < n; ++i) {
                auto& c = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
                receive(c);
                pump(c);
            }
        }
        for (auto& c : connections_) {
            close(c->fd);
        }
        close(epoll_);
    }

    Totals totals;

  private:
    [[nodiscard]] bool finished() const {
        if (now_ns() < end_ns_) {
            return false;
        }
        for (const auto& c : connections_) {
            if (c->sending || !c->started.empty()) {
                return false;
            }
        }
        return true;
    }

    // Starts requests until the window is full or the socket is.
    void pump(Connection& c) {
        for (;;) {
            if (!c.sending) {
                const auto now = now_ns();
                if (now >= end_ns_ ||
                    c.started.size() >= static_cast<std::size_t>(plan_.in_flight)) {
                    break;
                }
                c.sending = true;
                c.sent = 0;
                c.started.push_back(now);
            }
            if (!send_some(c)) {
                return;
            }
        }
        watch_write(c, false);
    }

    bool send_some(Connection& c) {
        const auto& head = *c.heads[c.turn];
        iovec parts[2];
        int used = 0;
        if (c.sent < head.size()) {
            parts[used++] = {const_cast<char*>(head.data()) + c.sent, head.size() - c.sent};
        }
        const auto into = c.sent > head.size() ? c.sent - head.size() : 0;
        parts[used++] = {const_cast<char*>(batch_.data()) + into, batch_.size() - into};
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = static_cast<std::size_t>(used);
        const auto n = sendmsg(c.fd, &message, MSG_NOSIGNAL);
        if (n < 0) {
            if (errno != EAGAIN) {
                die("send");
            }
            watch_write(c, true);
            return false;
        }
        c.sent += static_cast<std::size_t>(n);
        totals.sent_bytes += static_cast<std::uint64_t>(n);
        if (c.sent == head.size() + batch_.size()) {
            c.sending = false;
            c.turn = (c.turn + 1) % c.heads.size();
        }
        return true;
    }

    void watch_write(Connection& c, bool on) {
        if (c.wants_write == on) {
            return;
        }
        c.wants_write = on;
        epoll_event event{};
        event.events = on ? EPOLLIN | EPOLLOUT : EPOLLIN;
        event.data.ptr = &c;
        epoll_ctl(epoll_, EPOLL_CTL_MOD, c.fd, &event);
    }

    void receive(Connection& c) {
        char buffer[16384];
        const auto n = recv(c.fd, buffer, sizeof buffer, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            die("the broker closed a connection");
        }
        if (n < 0) {
            return;
        }
        c.input.append(buffer, static_cast<std::size_t>(n));
        std::size_t used = 0;
        while (c.input.size() - used >= 4) {
            const std::string_view rest = std::string_view(c.input).substr(used);
            const auto length = static_cast<std::size_t>(In(rest).i32());
            if (rest.size() - 4 < length) {
                break;
            }
            answered(c, rest.substr(4, length));
            used += 4 + length;
        }
        c.input.erase(0, used);
    }

    void answered(Connection& c, std::string_view frame) {
        const auto answers = read_produce_answer(frame);
        if (answers.empty() || c.started.empty()) {
            die("unreadable produce answer");
        }
        totals.latency.add(now_ns() - c.started.front());
        c.started.pop_front();
        totals.requests += 1;
        if (answers[0].error != 0) {
            totals.errors += 1;
            totals.last_error = answers[0].error;
        }
    }

    const Plan& plan_;
    const std::string& batch_;
    std::int64_t end_ns_;
    int epoll_;
    std::vector<std::unique_ptr<Connection>> connections_;
};

std::vector<std::string> make_values(const Plan& plan) {
    const auto per_record = plan.record_bytes + 10;
    const auto records = plan.batch_bytes <= 0 ? 1 : std::max(1, plan.batch_bytes / per_record);
    std::vector<std::string> values(static_cast<std::size_t>(records),
                                    std::string(static_cast<std::size_t>(plan.record_bytes), 'x'));
    std::uint64_t state = 88172645463325252U;
    for (auto& value : values) {
        for (auto& c : value) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            c = static_cast<char>(state & 0xff);
        }
    }
    return values;
}

void print(const Plan& plan, const Totals& t, std::size_t records, double seconds) {
    const auto per_second = static_cast<double>(t.requests) / seconds;
    const auto payload =
        static_cast<double>(t.requests * records) * static_cast<double>(plan.record_bytes);
    std::printf(
        "{\"mode\":\"produce\",\"seconds\":%.3f,\"requests\":%llu,\"records\":%llu,\"errors\":%llu,"
        "\"last_error\":%d,"
        "\"requests_per_s\":%.1f,\"record_bytes_per_s\":%.0f,\"record_bytes\":%.0f,\"socket_"
        "bytes\":%llu,"
        "\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f}\n",
        seconds, static_cast<unsigned long long>(t.requests),
        static_cast<unsigned long long>((t.requests - t.errors) * records),
        static_cast<unsigned long long>(t.errors), t.last_error, per_second, payload / seconds,
        payload, static_cast<unsigned long long>(t.sent_bytes), t.latency.percentile_us(0.5),
        t.latency.percentile_us(0.99), t.latency.percentile_us(0.999), t.latency.max_us());
}

}  // namespace

void run_produce(const Plan& plan) {
    const auto values = make_values(plan);
    const auto batch = build_batch(values, wall_ms());
    std::vector<std::string> heads;
    heads.reserve(static_cast<std::size_t>(plan.partitions));
    for (std::int32_t p = 0; p < plan.partitions; ++p) {
        heads.push_back(produce_head(plan.topic, p, plan.acks, batch.size()));
    }
    const auto start = now_ns();
    const auto end = start + static_cast<std::int64_t>(plan.seconds * 1e9);
    std::vector<std::unique_ptr<Worker>> workers;
    workers.reserve(static_cast<std::size_t>(plan.threads));
    for (int i = 0; i < plan.threads; ++i) {
        workers.push_back(std::make_unique<Worker>(plan, batch, end));
    }
    for (int i = 0; i < plan.connections; ++i) {
        Connection c;
        c.fd = connect_or_die(plan.broker, false);
        for (int p = i % plan.partitions; p < plan.partitions; p += plan.connections) {
            c.heads.push_back(&heads[static_cast<std::size_t>(p)]);
        }
        workers[static_cast<std::size_t>(i % plan.threads)]->add(std::move(c));
    }
    std::vector<std::jthread> threads;
    for (int i = 0; i < plan.threads; ++i) {
        threads.emplace_back([&plan, &worker = *workers[static_cast<std::size_t>(i)], i] {
            pin_thread(plan.first_cpu < 0 ? -1 : plan.first_cpu + i);
            worker.run();
        });
    }
    threads.clear();
    Totals all;
    for (const auto& w : workers) {
        all.latency.merge(w->totals.latency);
        all.requests += w->totals.requests;
        all.errors += w->totals.errors;
        all.last_error = w->totals.last_error != 0 ? w->totals.last_error : all.last_error;
        all.sent_bytes += w->totals.sent_bytes;
    }
    print(plan, all, values.size(), static_cast<double>(now_ns() - start) / 1e9);
}

}  // namespace leat::bench
