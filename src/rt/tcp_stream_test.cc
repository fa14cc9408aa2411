// SPDX-License-Identifier: Apache-2.0
//
// Method: a stream on a loop of the test's thread, and the other end of its connection as a plain
// socket that the test reads and writes itself.
#include "rt/tcp_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "rt/posix_disk.h"
#include "rt/tcp_listener.h"
#include "testkit/random.h"
#include "testkit/result_matchers.h"

namespace leat::rt {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
    std::vector<std::byte> out(text.size());
    std::ranges::transform(text, out.begin(), [](char c) { return static_cast<std::byte>(c); });
    return out;
}

std::string text_of(Bytes bytes) {
    std::string out(bytes.size(), ' ');
    std::ranges::transform(bytes, out.begin(), [](std::byte b) { return static_cast<char>(b); });
    return out;
}

std::vector<std::byte> pattern(std::size_t size, unsigned seed) {
    std::vector<std::byte> out(size);
    for (std::size_t i = 0; i < size; ++i)
        out[i] = static_cast<std::byte>((i * 31 + seed + (i >> 9)) & 0xFFU);
    return out;
}

/// A connection: `stream` is this side, `peer` the other.
class Connection final : public StreamHandler {
  public:
    explicit Connection(const StreamOptions& options = {}, SocketOptions socket = {}) {
        std::optional<Socket> accepted;
        auto listener = TcpListener::open(
            loop, {.host = "127.0.0.1", .socket = socket},
            [&](Socket s, const SocketAddress& /*peer*/) { accepted.emplace(std::move(s)); });
        EXPECT_OK(listener);
        auto client = Socket::connect(listener->addresses().front(), socket);
        EXPECT_OK(client);
        peer = *std::move(client);
        run_until([&] { return accepted.has_value(); });
        stream.emplace(loop, *std::move(accepted), *this, options);
    }

    MutableBytes read_space() override { return MutableBytes{space}.first(space_now); }
    void on_read(std::size_t bytes) override {
        reads.push_back(text_of(Bytes{space}.first(bytes)));
        if (then) then();
    }
    void on_sent() override {
        ++sent_calls;
        if (after_sent) after_sent();
    }
    void on_closed(const Result<void>& why) override {
        closed = why ? Errc::kNone : why.error().code();
        ++closed_calls;
    }

    void run_until(const std::function<bool()>& is_done) {
        while (!is_done()) loop.run_ready();
    }
    void peer_sends(std::string_view text) const {
        ASSERT_EQ(::send(peer.descriptor(), text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
    }
    /// What is there now; one recv.
    std::string peer_reads_once() const {
        std::string text(1 << 16, ' ');
        const auto got = ::recv(peer.descriptor(), text.data(), text.size(), MSG_DONTWAIT);
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        return text;
    }
    /// Reads until `size` bytes or the end have come, while the loop runs.
    std::vector<std::byte> peer_reads(std::size_t size) {
        std::vector<std::byte> all(size);
        std::size_t done = 0;
        run_until([&] {
            const auto got =
                ::recv(peer.descriptor(), all.data() + done, size - done, MSG_DONTWAIT);
            if (got > 0) done += static_cast<std::size_t>(got);
            return got == 0 || done == size || (got < 0 && errno != EAGAIN);
        });
        all.resize(done);
        return all;
    }
    [[nodiscard]] bool peer_is_at_end() const {
        char byte = 0;
        return ::recv(peer.descriptor(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
    }

    EventLoop loop;
    Socket peer;
    std::vector<std::byte> space = std::vector<std::byte>(1 << 16);
    std::size_t space_now = 1 << 16;
    std::vector<std::string> reads;
    std::function<void()> then;
    std::function<void()> after_sent;
    int sent_calls = 0;
    int closed_calls = 0;
    std::optional<Errc> closed;
    std::optional<TcpStream> stream;
};

std::shared_ptr<File> memory_file(Bytes content) {
    // Through /proc, so that it is a File of the product with a real descriptor.
    const Descriptor fd{::memfd_create("leat-test", MFD_CLOEXEC)};
    PosixDisk disk;
    auto file = disk.open("/proc/self/fd/" + std::to_string(fd.get()), OpenMode::kReadWrite);
    EXPECT_OK(file);
    EXPECT_OK((*file)->write_at(FilePos{0}, std::array{content}));
    return *file;
}

TEST(TcpStream, ReadsIntoTheSpaceOfItsOwnerOneReadATurn) {
    Connection c;
    c.space_now = 4;
    c.peer_sends("abcdefghij");
    c.run_until([&] { return c.reads.size() == 1; });
    EXPECT_EQ(c.reads.size(), 1U);
    c.run_until([&] { return c.reads.size() == 3; });
    EXPECT_EQ(c.reads, (std::vector<std::string>{"abcd", "efgh", "ij"}));
}

TEST(TcpStream, AnswerLeavesAtOnceWithoutALoopTurn) {
    Connection c;
    c.stream->send(bytes_of("hello"));
    EXPECT_EQ(c.stream->unsent_count(), 0U);
    EXPECT_EQ(c.peer_reads_once(), "hello");
}

TEST(TcpStream, SharedBytesAreLetGoOnceTheyAreSent) {
    Connection c;
    const auto text = std::make_shared<std::vector<std::byte>>(bytes_of("shared"));
    c.stream->send(text, Bytes{*text});
    EXPECT_EQ(text.use_count(), 1);
    c.stream->cork();
    c.stream->send(text, Bytes{*text}.subspan(2));
    EXPECT_EQ(text.use_count(), 2);
    c.stream->uncork();
    EXPECT_EQ(text.use_count(), 1);
    EXPECT_EQ(c.peer_reads_once(), "sharedared");
}

TEST(TcpStream, AnswersGivenWhileReadingLeaveTogether) {
    Connection c;
    c.then = [&] {
        for (const char* answer : {"a", "b", "c"}) c.stream->send(bytes_of(answer));
        EXPECT_EQ(c.stream->unsent_count(), 3U);
        EXPECT_EQ(c.stream->unsent_bytes(), 3U);
        EXPECT_EQ(c.peer_reads_once(), "");
    };
    c.peer_sends("ask");
    c.run_until([&] { return !c.reads.empty(); });
    EXPECT_EQ(c.stream->unsent_count(), 0U);
    EXPECT_EQ(c.sent_calls, 1);
    EXPECT_EQ(c.peer_reads_once(), "abc");
}

TEST(TcpStream, CorkForATurnEndsWithTheTurn) {
    Connection c;
    c.loop.post([&] {
        c.stream->cork_this_turn();
        c.stream->cork_this_turn();
        c.stream->send(bytes_of("one "));
    });
    c.loop.post([&] {
        c.stream->send(bytes_of("two"));
        EXPECT_EQ(c.peer_reads_once(), "");
    });
    c.loop.run_ready();
    EXPECT_EQ(c.peer_reads_once(), "one two");
}

TEST(TcpStream, SlowPeerGetsAllInOrderAndTheOwnerSeesTheQueueShrink) {
    Connection c{{}, {.send_buffer_bytes = 8'192}};
    std::vector<std::byte> want;
    for (unsigned i = 0; i < 100; ++i) {
        auto part = pattern(9'000 + i * 37, i);
        want.insert(want.end(), part.begin(), part.end());
        if (i % 2 == 0) {
            c.stream->send(std::move(part));
        } else {
            auto shared = std::make_shared<std::vector<std::byte>>(std::move(part));
            const Bytes view{*shared};
            c.stream->send(std::move(shared), view);
        }
    }
    EXPECT_GT(c.stream->unsent_bytes(), want.size() / 2);
    EXPECT_GT(c.stream->unsent_count(), 50U);
    const Instant before = c.stream->last_progress();
    EXPECT_EQ(c.peer_reads(want.size()), want);
    c.run_until([&] { return c.stream->unsent_count() == 0; });
    EXPECT_GT(c.stream->last_progress(), before);
    EXPECT_GT(c.sent_calls, 0);
    EXPECT_EQ(c.closed_calls, 0);
}

TEST(TcpStream, PeerThatDoesNotReadShowsAsNoProgress) {
    // A local socket: its buffers are full at once, and nothing moves behind the test's back.
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    Connection c;
    c.peer = Socket::adopt(Descriptor{ends[0]}, {});
    c.stream.emplace(c.loop, Socket::adopt(Descriptor{ends[1]}, {}), c);
    for (int i = 0; i < 100; ++i) c.stream->send(pattern(50'000, 1));
    const std::size_t waiting = c.stream->unsent_bytes();
    const Instant before = c.stream->last_progress();
    EXPECT_GT(waiting, 0U);
    for (int i = 0; i < 5; ++i) c.loop.run_ready();
    EXPECT_EQ(c.stream->unsent_bytes(), waiting);
    EXPECT_EQ(c.stream->last_progress(), before);
    EXPECT_EQ(c.sent_calls, 0);
    EXPECT_EQ(c.peer_reads(5'000'000).size(), 5'000'000U);
    EXPECT_GT(c.stream->last_progress(), before);
}

TEST(TcpStream, FilesAndBytesLeaveInTheOrderOfSending) {
    testkit::Random random;
    Connection c{{}, {.send_buffer_bytes = 16'384}};
    const auto content = pattern(3'000'000, 7);
    const auto file = memory_file(content);
    std::vector<std::byte> want;
    for (unsigned i = 0; i < 60; ++i) {
        if (random.between(0, 1) == 0) {
            auto part = pattern(static_cast<std::size_t>(random.between(1, 20'000)), i);
            want.insert(want.end(), part.begin(), part.end());
            c.stream->send(std::move(part));
        } else {
            const auto from = random.between(0, 1'000'000);
            const auto size = random.between(1, 200'000);
            want.insert(want.end(), content.begin() + from, content.begin() + from + size);
            c.stream->send_file(file, FilePos{from}, static_cast<std::size_t>(size));
        }
    }
    EXPECT_TRUE(c.peer_reads(want.size()) == want);
    c.run_until([&] { return c.stream->unsent_count() == 0; });
    EXPECT_EQ(file.use_count(), 1);
}

/// A file that only tests have: one without a descriptor.
class NoDescriptor final : public File {
  public:
    explicit NoDescriptor(std::shared_ptr<File> file) : file_(std::move(file)) {}
    Result<std::size_t> read_at(FilePos at, MutableBytes to) override {
        return file_->read_at(at, to);
    }
    [[nodiscard]] bool is_cached(FilePos at, std::size_t bytes) const override {
        return file_->is_cached(at, bytes);
    }
    Result<void> write_at(FilePos /*at*/, std::span<const Bytes> /*parts*/) override {
        return Error{Errc::kIoError};
    }
    Result<void> sync() override { return {}; }
    Result<void> truncate(FilePos /*size*/) override { return {}; }
    Result<std::int64_t> size() override { return file_->size(); }

  private:
    std::shared_ptr<File> file_;
};

TEST(TcpStream, FileWithoutDescriptorIsCopied) {
    Connection c;
    const auto content = pattern(700'000, 3);
    c.stream->send_file(std::make_shared<NoDescriptor>(memory_file(content)), FilePos{100},
                        600'000);
    const auto got = c.peer_reads(600'000);
    EXPECT_TRUE(std::ranges::equal(got, Bytes{content}.subspan(100, 600'000)));
}

TEST(TcpStream, FileShorterThanPromisedEndsTheConnection) {
    for (const bool has_descriptor : {true, false}) {
        Connection c;
        auto file = memory_file(pattern(1'000, 1));
        if (!has_descriptor) file = std::make_shared<NoDescriptor>(file);
        c.stream->send_file(file, FilePos{500}, 501);
        c.run_until([&] { return c.closed_calls > 0; });
        EXPECT_EQ(c.closed, Errc::kTruncated);
        EXPECT_LE(c.peer_reads(501).size(), 500U);
    }
}

TEST(TcpStream, PausedReadsNothingUntilResume) {
    Connection c;
    c.stream->pause_reading();
    c.peer_sends("later");
    for (int i = 0; i < 10; ++i) c.loop.run_ready();
    EXPECT_TRUE(c.reads.empty());
    c.stream->resume_reading();
    c.run_until([&] { return !c.reads.empty(); });
    EXPECT_EQ(c.reads[0], "later");
    c.space_now = 0;  // No space is a pause too.
    c.peer_sends("more");
    for (int i = 0; i < 10; ++i) c.loop.run_ready();
    c.space_now = 100;
    for (int i = 0; i < 10; ++i) c.loop.run_ready();
    EXPECT_EQ(c.reads.size(), 1U);
    c.stream->resume_reading();
    c.run_until([&] { return c.reads.size() == 2; });
    EXPECT_EQ(c.reads[1], "more");
}

TEST(TcpStream, EndOfThePeerIsAnOkClose) {
    Connection c;
    c.peer_sends("bye");
    c.peer = {};
    c.run_until([&] { return c.closed_calls > 0; });
    EXPECT_EQ(c.reads, std::vector<std::string>{"bye"});
    EXPECT_EQ(c.closed, Errc::kNone);
    EXPECT_FALSE(c.stream->is_open());
    c.stream->send(bytes_of("dropped"));
    c.loop.run_ready();
    EXPECT_EQ(c.closed_calls, 1);
}

void reset(Socket& socket) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ASSERT_EQ(::setsockopt(socket.descriptor(), SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    socket = {};
}

TEST(TcpStream, ResetIsAnErrorAlsoWhilePaused) {
    for (const bool paused : {false, true}) {
        Connection c;
        if (paused) c.stream->pause_reading();
        reset(c.peer);
        c.run_until([&] { return c.closed_calls > 0; });
        EXPECT_EQ(c.closed, Errc::kIoError) << paused;
    }
}

TEST(TcpStream, SendToAPeerThatIsGoneTellsFromTheLoop) {
    Connection c;
    reset(c.peer);
    c.stream->send(bytes_of("x"));
    c.stream->send(bytes_of("y"));
    EXPECT_EQ(c.closed_calls, 0);
    c.run_until([&] { return c.closed_calls > 0; });
    EXPECT_EQ(c.closed, Errc::kIoError);
    c.loop.run_ready();
    EXPECT_EQ(c.closed_calls, 1);
}

TEST(TcpStream, CloseTellsLaterAndOnce) {
    Connection c;
    c.stream->cork();
    c.stream->send(bytes_of("lost"));
    c.stream->close();
    EXPECT_EQ(c.closed_calls, 0);
    EXPECT_EQ(c.stream->unsent_count(), 0U);
    c.stream->close();
    c.stream->uncork();
    c.loop.run_ready();
    c.loop.run_ready();
    EXPECT_EQ(c.closed_calls, 1);
    EXPECT_EQ(c.closed, Errc::kNone);
    EXPECT_TRUE(c.peer_is_at_end());
}

TEST(TcpStream, CloseAfterSendingDeliversAllThoughThePeerSentMore) {
    Connection c{{}, {.send_buffer_bytes = 8'192}};
    const auto answer = pattern(500'000, 5);
    c.peer_sends("unread and unwanted");
    c.stream->send(answer);
    c.stream->close_after_sending();
    EXPECT_GT(c.stream->unsent_bytes(), 0U);
    EXPECT_EQ(c.peer_reads(answer.size()), answer);
    c.run_until([&] { return c.peer_is_at_end(); });
    EXPECT_TRUE(c.reads.empty());
    EXPECT_EQ(c.closed_calls, 0);  // It waits for the peer's end.
    c.peer = {};
    c.run_until([&] { return c.closed_calls > 0; });
    EXPECT_EQ(c.closed, Errc::kNone);
}

TEST(TcpStream, KnowsThatThePeerHasEndedThoughNotAllIsRead) {
    Connection c;
    c.stream->pause_reading();
    c.peer_sends("last");
    EXPECT_FALSE(c.stream->peer_has_ended());
    c.peer = {};
    c.run_until([&] { return c.stream->peer_has_ended(); });
    EXPECT_TRUE(c.stream->is_open());
    EXPECT_TRUE(c.reads.empty());
}

TEST(TcpStream, LingerEndsThoughThePeerDoesNot) {
    Connection c{{.linger = std::chrono::milliseconds{1}}};
    c.stream->send(bytes_of("last"));
    c.stream->close_after_sending();
    c.run_until([&] { return c.closed_calls > 0; });
    EXPECT_EQ(c.closed, Errc::kNone);
    EXPECT_EQ(c.peer_reads_once(), "last");
}

TEST(TcpStream, MayBeDestroyedInEachOfItsCallbacks) {
    {
        Connection c;
        c.then = [&] {
            c.stream->send(bytes_of("unsent"));
            c.stream.reset();
        };
        c.peer_sends("x");
        c.run_until([&] { return !c.stream.has_value(); });
        for (int i = 0; i < 3; ++i) c.loop.run_ready();
        EXPECT_EQ(c.closed_calls, 0);
    }
    {
        Connection c;
        c.then = [&] { c.stream->send(bytes_of("answer")); };
        c.after_sent = [&] { c.stream.reset(); };
        c.peer_sends("x");
        c.run_until([&] { return !c.stream.has_value(); });
        EXPECT_EQ(c.peer_reads_once(), "answer");
    }
}

TEST(TcpStream, OwnerMayCloseOrEndWhileItReads) {
    Connection c;
    c.then = [&] {
        c.stream->send(bytes_of("sorry"));
        c.stream->close_after_sending();
    };
    c.peer_sends("bad request");
    c.run_until([&] { return c.peer_is_at_end() || !c.reads.empty(); });
    EXPECT_EQ(c.peer_reads(5), bytes_of("sorry"));
    Connection d;
    d.then = [&] { d.stream->close(); };
    d.peer_sends("x");
    d.run_until([&] { return d.closed_calls > 0; });
    EXPECT_EQ(d.closed, Errc::kNone);
}

TEST(TcpStream, BackPressureHoldsAFastPeer) {
    // The owner stops reading while much is unsent and goes on when on_sent() says so.
    Connection c{{}, {.send_buffer_bytes = 8'192}};
    constexpr std::size_t kHigh = 100'000;
    std::size_t asked = 0;
    c.space_now = 10;
    c.then = [&] {
        ++asked;
        c.stream->send(pattern(20'000, static_cast<unsigned>(asked)));
        if (c.stream->unsent_bytes() > kHigh) c.stream->pause_reading();
    };
    c.after_sent = [&] {
        if (c.stream->unsent_bytes() < kHigh) c.stream->resume_reading();
    };
    c.peer_sends(std::string(1'000, 'r'));
    for (int i = 0; i < 200; ++i) c.loop.run_ready();
    EXPECT_LT(asked, 20U);
    const auto all = c.peer_reads(std::size_t{100} * 20'000);
    EXPECT_EQ(all.size(), 100U * 20'000);
    EXPECT_EQ(asked, 100U);
}

}  // namespace
}  // namespace leat::rt
