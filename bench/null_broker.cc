// SPDX-License-Identifier: Apache-2.0
//
// null_broker: receives Produce 7 frames, writes their records to one file a partition, answers;
// sends files back to Fetch 11. No checks, no index on disk, no recovery: what it costs is what the
// machine costs, and no broker that stores its records can be cheaper. Speaks to loadgen only.
// Layer: bench.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "raw_protocol.h"
#include "raw_socket.h"

namespace leat::bench {
namespace {

struct Batch {
    std::int64_t base = 0;
    std::int64_t at = 0;
};

/// Threading: guarded by `lock`; two threads may hold connections that write to one partition.
struct Partition {
    std::mutex lock;
    int fd = -1;
    std::int64_t bytes = 0;
    std::int64_t end = 0;
    std::vector<Batch> batches;
};

/// Threading: thread-safe.
class Store {
  public:
    explicit Store(std::string dir) : dir_(std::move(dir)) {}

    Partition& find(std::string_view topic, std::int32_t partition) {
        const std::lock_guard guard(lock_);
        auto& slot = partitions_[std::string(topic) + "-" + std::to_string(partition)];
        if (!slot) {
            slot = std::make_unique<Partition>();
            const auto path = dir_ + "/" + std::string(topic) + "-" + std::to_string(partition);
            slot->fd = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
            if (slot->fd < 0) {
                die("open " + path);
            }
        }
        return *slot;
    }

  private:
    std::string dir_;
    std::mutex lock_;
    std::map<std::string, std::unique_ptr<Partition>, std::less<>> partitions_;
};

struct Connection {
    int fd = -1;
    std::vector<char> input = std::vector<char>(64 << 10);
    std::size_t used = 0;
    std::string output;
    std::map<std::int32_t, Partition*> known;  ///< spares the store's lock
    std::string topic;
};

/// One thread with its own listener on the shared port. Threading: its own thread only.
class Loop {
  public:
    // `holds_polls`: a fetch that finds nothing waits until it does.
    Loop(Store& store, bool sync, bool holds_polls, int listener)
        : store_(store),
          sync_(sync),
          holds_polls_(holds_polls),
          listener_(listener),
          epoll_(epoll_create1(EPOLL_CLOEXEC)) {
        watch(listener_, nullptr);
    }

    [[noreturn]] void run() {
        std::vector<epoll_event> events(64);
        for (;;) {
            const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
            std::set<Connection*> to_answer;
            for (int i = 0; i < n; ++i) {
                auto* c = static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
                if (c == nullptr) {
                    admit();
                } else if (receive(*c)) {
                    to_answer.insert(c);
                }
            }
            for (auto* partition : dirty_) {
                if (fdatasync(partition->fd) != 0) {
                    die("fdatasync");
                }
            }
            dirty_.clear();
            serve_polls(to_answer);
            for (auto* c : to_answer) {
                static_cast<void>(send_all(c->fd, c->output));
                c->output.clear();
            }
        }
    }

  private:
    void watch(int fd, Connection* c) const {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.ptr = c;
        epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }

    void admit() {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        const int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        auto* c = new Connection;  // lives until its peer leaves; see receive()
        c->fd = fd;
        watch(fd, c);
    }

    // One read a turn: other connections get theirs. False when the peer left.
    bool receive(Connection& c) {
        if (c.used == c.input.size()) {
            c.input.resize(c.input.size() * 2);
        }
        const auto n = recv(c.fd, c.input.data() + c.used, c.input.size() - c.used, MSG_DONTWAIT);
        if (n <= 0) {
            if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
                return false;
            }
            close(c.fd);
            polls_.erase(&c);
            delete &c;
            return false;
        }
        c.used += static_cast<std::size_t>(n);
        std::size_t done = 0;
        while (c.used - done >= 4) {
            const std::string_view rest(c.input.data() + done, c.used - done);
            const auto length = static_cast<std::size_t>(In(rest).i32());
            if (rest.size() - 4 < length) {
                if (c.input.size() < length + 4) {
                    c.input.resize(length + 4);
                }
                break;
            }
            serve(c, c.input.data() + done + 4, length);
            done += 4 + length;
        }
        if (done > 0) {
            std::memmove(c.input.data(), c.input.data() + done, c.used - done);
            c.used -= done;
        }
        return true;
    }

    void serve(Connection& c, char* frame, std::size_t length) {
        In in({frame, length});
        const auto key = in.i16();
        in.i16();
        const auto correlation = in.i32();
        in.string();
        Out out;
        out.i32(0);
        out.i32(correlation);
        if (key == kProduce) {
            produce(c, in, frame + length, out);
        } else if (key == kFetch) {
            c.output.append(out.bytes);
            fetch(c, in, {frame, length});
            return;
        } else if (key == kCreateTopics) {
            out.i32(0);
            out.i32(1);
            in.i32();
            out.string(in.string());
            out.i16(0);
            out.i16(-1);
        } else if (key == kListOffsets) {
            list_offsets(in, out);
        }
        out.patch_i32(0, static_cast<std::int32_t>(out.bytes.size() - 4));
        c.output.append(out.bytes);
    }

    Partition& partition(Connection& c, std::string_view topic, std::int32_t index) {
        if (c.topic != topic) {
            c.topic = topic;
            c.known.clear();
        }
        auto*& known = c.known[index];
        known = known == nullptr ? &store_.find(topic, index) : known;
        return *known;
    }

    void produce(Connection& c, In& in, char* frame_end, Out& out) {
        in.i16();
        in.i16();
        in.i32();
        in.i32();
        const auto topic = in.string();
        in.i32();
        const auto index = in.i32();
        const auto size = static_cast<std::size_t>(in.i32());
        char* records = frame_end - size;
        auto& p = partition(c, topic, index);
        std::int64_t base = 0;
        {
            const std::lock_guard guard(p.lock);
            base = p.end;
            Out patch;
            patch.i64(base);
            std::memcpy(records, patch.bytes.data(), 8);
            if (pwrite(p.fd, records, size, p.bytes) != static_cast<ssize_t>(size)) {
                die("write");
            }
            p.batches.push_back({base, p.bytes});
            p.bytes += static_cast<std::int64_t>(size);
            p.end += In({records + 23, 4}).i32() + 1;
        }
        if (sync_) {
            dirty_.insert(&p);
        }
        out.i32(1);
        out.string(topic);
        out.i32(1);
        out.i32(index);
        out.i16(0);
        out.i64(base);
        out.i64(-1);
        out.i64(0);
        out.i32(0);
    }

    void list_offsets(In& in, Out& out) {
        in.i32();
        in.i8();
        in.i32();
        const auto topic = in.string();
        const auto count = in.i32();
        out.i32(0);
        out.i32(1);
        out.string(topic);
        out.i32(count);
        for (std::int32_t i = 0; i < count; ++i) {
            const auto index = in.i32();
            in.i64();
            auto& p = store_.find(topic, index);
            const std::lock_guard guard(p.lock);
            out.i32(index);
            out.i16(0);
            out.i64(-1);
            out.i64(p.end);
        }
    }

    // What waits is asked again when this loop has served others: with several loops, records that
    // another one takes are not noticed, and a fetch that finds nothing is answered at once.
    void serve_polls(std::set<Connection*>& to_answer) {
        for (const auto& [c, frame] : std::exchange(polls_, {})) {
            std::string copy = frame;
            serve(*c, copy.data(), copy.size());
            if (!polls_.contains(c)) {
                to_answer.insert(c);
            }
        }
    }

    void fetch(Connection& c, In& in, std::string_view frame) {
        in.take(4 + 4 + 4 + 4 + 1 + 4 + 4 + 4);
        const auto topic = in.string();
        in.i32();
        const auto index = in.i32();
        in.i32();
        const auto from = in.i64();
        in.i64();
        const auto max = in.i32();
        auto& p = partition(c, topic, index);
        off_t at = 0;
        std::int64_t bytes = 0;
        std::int64_t end = 0;
        {
            const std::lock_guard guard(p.lock);
            end = p.end;
            if (from < end) {
                auto found = std::upper_bound(
                    p.batches.begin(), p.batches.end(), from,
                    [](std::int64_t offset, const Batch& b) { return offset < b.base; });
                at = (found - 1)->at;
                bytes = std::min<std::int64_t>(max, p.bytes - at);
            }
        }
        if (bytes == 0 && holds_polls_) {
            c.output.resize(c.output.size() - 8);
            polls_.emplace(&c, frame);
            return;
        }
        Out out;
        out.i32(0);
        out.i16(0);
        out.i32(0);
        out.i32(1);
        out.string(topic);
        out.i32(1);
        out.i32(index);
        out.i16(0);
        out.i64(end);
        out.i64(end);
        out.i64(0);
        out.i32(0);
        out.i32(-1);
        out.i32(static_cast<std::int32_t>(bytes));
        Out length;
        length.i32(
            static_cast<std::int32_t>(4 + out.bytes.size() + static_cast<std::size_t>(bytes)));
        c.output.replace(c.output.size() - 8, 4, length.bytes);
        c.output.append(out.bytes);
        if (!send_all(c.fd, c.output)) {
            return;
        }
        c.output.clear();
        while (bytes > 0) {
            const auto n = sendfile(c.fd, p.fd, &at, static_cast<std::size_t>(bytes));
            if (n <= 0) {
                return;
            }
            bytes -= n;
        }
    }

    Store& store_;
    bool sync_;
    bool holds_polls_;
    int listener_;
    int epoll_;
    std::set<Partition*> dirty_;
    std::map<Connection*, std::string> polls_;
};

int listen_on(std::uint16_t& port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        die("socket");
    }
    const int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    // As both brokers have them by default (socket.send.buffer.bytes): how much is on its way says
    // how often a reader sleeps and is woken. Accepted sockets have them from the listener.
    const int buffer_bytes = 102'400;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    sockaddr_in self{};
    self.sin_family = AF_INET;
    self.sin_port = htons(port);
    self.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = reinterpret_cast<sockaddr*>(&self);
    socklen_t size = sizeof self;
    if (bind(fd, address, size) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, address, &size) != 0) {
        die("listen");
    }
    port = ntohs(self.sin_port);
    return fd;
}

}  // namespace
}  // namespace leat::bench

int main(int argc, char** argv) {
    using leat::bench::listen_on;
    using leat::bench::Loop;
    using leat::bench::Store;
    if (argc < 2) {
        std::fprintf(stderr, "usage: null_broker DIR [--sync] [--threads N] [--port N]\n");
        return 2;
    }
    bool sync = false;
    int threads = 2;
    std::uint16_t port = 0;
    for (int i = 2; i < argc; ++i) {
        sync = sync || std::strcmp(argv[i], "--sync") == 0;
        if (std::strcmp(argv[i], "--threads") == 0 && i + 1 < argc) {
            threads = std::max(1, std::atoi(argv[i + 1]));
        }
        if (std::strcmp(argv[i], "--port") == 0 && i + 1 < argc) {
            port = static_cast<std::uint16_t>(std::atoi(argv[i + 1]));
        }
    }
    Store store(argv[1]);
    std::vector<std::unique_ptr<Loop>> loops;
    loops.reserve(static_cast<std::size_t>(threads));
    for (int i = 0; i < threads; ++i) {
        loops.push_back(std::make_unique<Loop>(store, sync, threads == 1, listen_on(port)));
    }
    std::printf("null_broker ready 127.0.0.1:%d\n", port);
    std::fflush(stdout);
    std::vector<std::jthread> running;
    running.reserve(loops.size());
    for (auto& loop : loops) {
        running.emplace_back([&loop] { loop->run(); });
    }
}
