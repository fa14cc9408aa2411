// SPDX-License-Identifier: Apache-2.0
//
// Cost of the loop: a post to another loop and back, timers, and an echo over loopback beside the
// least that epoll allows. cpu_ns is processor time of the server's thread for each request.
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include <array>
#include <cerrno>
#include <optional>
#include <semaphore>
#include <thread>
#include <vector>

#include "base/check.h"
#include "rt/event_loop.h"
#include "rt/tcp.h"

#if __has_include(<boost/asio.hpp>)
#define LEAT_BENCH_ASIO
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#endif

namespace leat::rt {
namespace {

using std::chrono::microseconds;

constexpr std::size_t kRequest = 128;

void post_round_trip(benchmark::State& state) {
    EventLoop near{{.name = "near", .spin = microseconds{state.range(0)}}};
    EventLoop far{{.name = "far", .spin = microseconds{state.range(0)}}};
    const std::jthread far_thread{[&] { far.run(); }};
    const std::jthread near_thread{[&] { near.run(); }};
    std::binary_semaphore done{0};
    const std::int64_t rounds = 2'000;
    std::int64_t left = 0;
    std::function<void()> again = [&] {
        if (left-- == 0) return done.release();
        far.post([&] { near.post([&] { again(); }); });
    };
    for (auto _ : state) {
        left = rounds;
        near.post([&] { again(); });
        done.acquire();
    }
    near.stop();
    far.stop();
    state.counters["round_trip"] =
        benchmark::Counter(static_cast<double>(rounds * state.iterations()),
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(post_round_trip)->Arg(0)->Arg(20)->UseRealTime()->ArgName("spin_us");

void post_burst(benchmark::State& state) {
    EventLoop loop;
    std::jthread thread{[&] { loop.run(); }};
    std::binary_semaphore done{0};
    const int count = 1'000;
    const std::uint64_t before = loop.wake_count();
    for (auto _ : state) {
        for (int i = 1; i < count; ++i) loop.post([] {});
        loop.post([&] { done.release(); });
        done.acquire();
    }
    state.counters["wakes_per_burst"] =
        static_cast<double>(loop.wake_count() - before) / static_cast<double>(state.iterations());
    state.SetItemsProcessed(state.iterations() * count);
    loop.stop();
}
BENCHMARK(post_burst)->UseRealTime();

void post_to_itself(benchmark::State& state) {
    EventLoop loop;
    loop.post([&] {
        for (auto _ : state) {
            for (int i = 0; i < 100; ++i) loop.post([] {});
            state.PauseTiming();
            state.ResumeTiming();
        }
        loop.stop();
    });
    loop.run();
    state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(post_to_itself)->Iterations(10'000);

void schedule_and_cancel_among_100k(benchmark::State& state) {
    EventLoop loop;
    const Instant now = loop.now();
    std::vector<TimerId> timers;
    timers.reserve(100'000);
    const auto later = [&] {
        return now + std::chrono::seconds{1} + microseconds{loop.random() % 600'000'000};
    };
    for (int i = 0; i < 100'000; ++i) timers.push_back(loop.schedule(later(), [] {}));
    for (auto _ : state) {
        TimerId& one = timers[loop.random() % timers.size()];
        loop.cancel(one);
        one = loop.schedule(later(), [] {});
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(schedule_and_cancel_among_100k);

// Echo servers. Each is handed connected sockets, runs on one thread and tells its CPU time.

std::int64_t cpu_ns_of(pthread_t thread) {
    clockid_t clock{};
    LEAT_CHECK(::pthread_getcpuclockid(thread, &clock) == 0);
    timespec time{};
    LEAT_CHECK(::clock_gettime(clock, &time) == 0);
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

class StreamServer {
  public:
    explicit StreamServer(std::vector<Socket> sockets) {
        for (Socket& socket : sockets)
            echoes_.push_back(std::make_unique<Echo>(loop_, std::move(socket)));
        thread_ = std::jthread{[this] { loop_.run(); }};
    }
    ~StreamServer() {
        loop_.stop();
        thread_.join();
    }
    [[nodiscard]] std::int64_t cpu_ns() { return cpu_ns_of(thread_.native_handle()); }

  private:
    struct Echo final : StreamHandler {
        Echo(EventLoop& loop, Socket socket) : stream(loop, std::move(socket), *this) {}
        MutableBytes read_space() override { return space; }
        void on_read(std::size_t bytes) override {
            stream.send(std::vector<std::byte>(space.begin(),
                                               space.begin() + static_cast<std::ptrdiff_t>(bytes)));
        }
        void on_closed(const Result<void>& /*why*/) override {}
        std::array<std::byte, 4096> space{};
        TcpStream stream;
    };
    EventLoop loop_;
    std::vector<std::unique_ptr<Echo>> echoes_;
    std::jthread thread_;
};

/// epoll_wait, recv, send and nothing else: `flags` is EPOLLET or nothing. With `again` each
/// connection is asked once more after its answer, as an edge-triggered proactor does.
class PlainServer {
  public:
    PlainServer(std::vector<Socket> sockets, std::uint32_t flags, bool again)
        : sockets_(std::move(sockets)), epoll_(::epoll_create1(EPOLL_CLOEXEC)), again_(again) {
        for (const Socket& socket : sockets_) {
            epoll_event event{.events = EPOLLIN | flags, .data = {.fd = socket.descriptor()}};
            LEAT_CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket.descriptor(), &event) == 0);
        }
        thread_ = std::jthread{[this] { run(); }};
    }
    [[nodiscard]] std::int64_t cpu_ns() { return cpu_ns_of(thread_.native_handle()); }

  private:
    void run() {
        std::array<epoll_event, 128> events{};
        std::size_t open = sockets_.size();
        while (open > 0) {
            const int count = ::epoll_wait(epoll_.get(), events.data(), 128, -1);
            for (int i = 0; i < count; ++i)
                if (!answer(events[static_cast<std::size_t>(i)].data.fd)) --open;
        }
    }
    bool answer(int fd) {
        std::array<std::byte, 4096> space;
        for (;;) {
            const auto got = ::recv(fd, space.data(), space.size(), MSG_DONTWAIT);
            if (got < 0 && errno == EAGAIN) return true;
            if (got <= 0) {
                ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
                return false;
            }
            // As the stream does: an answer is a vector of its own.
            const std::vector<std::byte> answer(space.begin(), space.begin() + got);
            ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (!again_) return true;
        }
    }
    std::vector<Socket> sockets_;
    Descriptor epoll_;
    bool again_;
    std::jthread thread_;
};

struct LevelServer : PlainServer {
    explicit LevelServer(std::vector<Socket> s) : PlainServer(std::move(s), 0, false) {}
};
struct EdgeServer : PlainServer {
    explicit EdgeServer(std::vector<Socket> s) : PlainServer(std::move(s), EPOLLET, false) {}
};
struct EdgeAgainServer : PlainServer {
    explicit EdgeAgainServer(std::vector<Socket> s) : PlainServer(std::move(s), EPOLLET, true) {}
};

#ifdef LEAT_BENCH_ASIO
/// Asio's reactor with callbacks; Wait: async_wait and our own recv, else async_read_some.
template <bool Wait>
class AsioServer {
  public:
    explicit AsioServer(std::vector<Socket> sockets) {
        for (Socket& socket : sockets) {
            echoes_.push_back(std::make_unique<Echo>(io_));
            echoes_.back()->socket.assign(boost::asio::ip::tcp::v4(), ::dup(socket.descriptor()));
            echoes_.back()->socket.non_blocking(true);
            echoes_.back()->next();
        }
        thread_ = std::jthread{[this] { io_.run(); }};
    }
    ~AsioServer() {
        io_.stop();
        thread_.join();
    }
    [[nodiscard]] std::int64_t cpu_ns() { return cpu_ns_of(thread_.native_handle()); }

  private:
    struct Echo {
        explicit Echo(boost::asio::io_context& io) : socket(io) {}
        void next() {
            if constexpr (Wait) {
                socket.async_wait(boost::asio::socket_base::wait_read, [this](auto error) {
                    if (error) return;
                    const auto got =
                        ::recv(socket.native_handle(), space.data(), space.size(), MSG_DONTWAIT);
                    if (got > 0) answer(static_cast<std::size_t>(got));
                });
            } else {
                socket.async_read_some(boost::asio::buffer(space), [this](auto error, auto got) {
                    if (!error) answer(got);
                });
            }
        }
        void answer(std::size_t bytes) {
            const std::vector<std::byte> text(space.begin(),
                                              space.begin() + static_cast<std::ptrdiff_t>(bytes));
            ::send(socket.native_handle(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            next();
        }
        boost::asio::ip::tcp::socket socket;
        std::array<std::byte, 4096> space{};
    };
    boost::asio::io_context io_{1};
    std::vector<std::unique_ptr<Echo>> echoes_;
    std::jthread thread_;
};
#endif

/// `count` connections: ends for the server, ends for the client.
void connect_pairs(std::size_t count, std::vector<Socket>& server, std::vector<Socket>& client) {
    EventLoop loop;
    auto listener = TcpListener::open(
        loop, {.host = "127.0.0.1"},
        [&](Socket socket, const SocketAddress& /*peer*/) { server.push_back(std::move(socket)); });
    LEAT_CHECK(listener.has_value());
    for (std::size_t i = 0; i < count; ++i) {
        auto one = Socket::connect(listener->addresses().front());
        LEAT_CHECK(one.has_value());
        client.push_back(*std::move(one));
        while (server.size() <= i) loop.run_ready();
    }
}

/// One request in flight on each connection.
template <class Server>
void echo(benchmark::State& state) {
    std::vector<Socket> ends;
    std::vector<Socket> clients;
    connect_pairs(static_cast<std::size_t>(state.range(0)), ends, clients);
    std::optional<Server> server{std::in_place, std::move(ends)};
    const Descriptor epoll{::epoll_create1(EPOLL_CLOEXEC)};
    std::array<std::byte, kRequest> request{};
    for (const Socket& client : clients) {
        epoll_event event{.events = EPOLLIN, .data = {.fd = client.descriptor()}};
        LEAT_CHECK(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, client.descriptor(), &event) == 0);
        LEAT_CHECK(::send(client.descriptor(), request.data(), kRequest, 0) == kRequest);
    }
    std::array<epoll_event, 128> events{};
    std::int64_t answers = 0;
    const std::int64_t cpu_before = server->cpu_ns();
    for (auto _ : state) {
        const int count = ::epoll_wait(epoll.get(), events.data(), 128, -1);
        for (int i = 0; i < count; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            LEAT_CHECK(::recv(fd, request.data(), kRequest, 0) == kRequest);
            LEAT_CHECK(::send(fd, request.data(), kRequest, 0) == kRequest);
        }
        answers += count;
    }
    state.counters["cpu_ns"] =
        static_cast<double>(server->cpu_ns() - cpu_before) / static_cast<double>(answers);
    state.SetItemsProcessed(answers);
    clients.clear();
    server.reset();
}
#define LEAT_ECHO(Server) BENCHMARK(echo<Server>)->Arg(1)->Arg(16)->Arg(64)->UseRealTime()
LEAT_ECHO(StreamServer);
LEAT_ECHO(LevelServer);
LEAT_ECHO(EdgeServer);
LEAT_ECHO(EdgeAgainServer);
#ifdef LEAT_BENCH_ASIO
LEAT_ECHO(AsioServer<true>);
LEAT_ECHO(AsioServer<false>);
#endif

}  // namespace
}  // namespace leat::rt
