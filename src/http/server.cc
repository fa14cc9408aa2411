// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>

namespace leat::http {
namespace {

constexpr std::size_t kReadBytes = std::size_t{16} * 1024;
/// Between two looks at a connection's deadline.
constexpr std::chrono::milliseconds kLeastWait{10};
constexpr std::chrono::milliseconds kLongestWait{1000};

class ConnectionOwner {
  public:
    virtual void gone(rt::StreamHandler& connection) = 0;

  protected:
    ~ConnectionOwner() = default;
};

/// One connection. Threading: shard-local.
class Connection final : public rt::StreamHandler {
  public:
    Connection(rt::EventLoop& loop, ConnectionOwner& owner, const ServerOptions& options,
               const Handler& handler, rt::Socket socket)
        : loop_(loop),
          owner_(owner),
          options_(options),
          session_(Session::create(options.session, handler,
                                   {.send = [this](std::string bytes) { send(std::move(bytes)); },
                                    .close = [this] { stream_.close_after_sending(); }},
                                   loop.now())),
          stream_(loop, std::move(socket), *this, {.tls = options.tls}) {
        schedule();
    }
    ~Connection() {
        session_->peer_closed();
        if (timer_ != rt::TimerId{}) loop_.cancel(timer_);
    }

    MutableBytes read_space() override {
        if (!session_->wants_bytes()) return {};
        return buffer_;
    }
    void on_read(std::size_t bytes) override {
        session_->receive(Bytes{buffer_}.first(bytes), loop_.now());
    }
    void on_closed(const Result<void>& /*why*/) override { owner_.gone(*this); }

  private:
    void send(std::string bytes) {
        const auto keep = std::make_shared<const std::string>(std::move(bytes));
        stream_.send(keep, std::as_bytes(std::span{*keep}));
        if (stream_.unsent_bytes() > options_.unsent_bytes_max) return stream_.close();
        // The answer is out: the next request may be read.
        loop_.post([this, alive = std::weak_ptr{alive_}] {
            if (alive.lock() && session_->wants_bytes()) stream_.resume_reading();
        });
    }

    [[nodiscard]] Instant deadline() const {
        if (stream_.unsent_bytes() > 0) return stream_.last_progress() + options_.send_timeout;
        return session_->deadline();
    }

    /// Deadlines move with every event; the timer looks where they are when it is due.
    void schedule() {
        const Instant now = loop_.now();
        const Instant at = std::clamp(deadline(), now + kLeastWait, now + kLongestWait);
        timer_ = loop_.schedule(at, [this] {
            timer_ = {};
            const std::weak_ptr alive{alive_};
            if (stream_.unsent_bytes() == 0)
                session_->tick(loop_.now());
            else if (deadline() <= loop_.now())
                stream_.close();
            if (alive.lock()) schedule();
        });
    }

    rt::EventLoop& loop_;
    ConnectionOwner& owner_;
    const ServerOptions& options_;
    std::array<std::byte, kReadBytes> buffer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    rt::TimerId timer_;
    std::shared_ptr<Session> session_;
    rt::TcpStream stream_;
};

}  // namespace

class Server::State final : public ConnectionOwner {
  public:
    State(rt::EventLoop& loop, ServerOptions options, Handler handler)
        : loop_(loop), options_(std::move(options)), handler_(std::move(handler)) {}

    Result<void> listen() {
        LEAT_TRY(rt::TcpListener listener,
                 rt::TcpListener::open(loop_, {.host = options_.host, .port = options_.port},
                                       [this](rt::Socket socket, const rt::SocketAddress&) {
                                           add(std::move(socket));
                                       }));
        listener_.emplace(std::move(listener));
        return {};
    }
    [[nodiscard]] std::uint16_t port() const { return listener_->port(); }

    void gone(rt::StreamHandler& connection) override { connections_.erase(&connection); }

  private:
    void add(rt::Socket socket) {
        if (connections_.size() >= options_.connections_max) return;
        auto connection =
            std::make_unique<Connection>(loop_, *this, options_, handler_, std::move(socket));
        rt::StreamHandler* key = connection.get();
        connections_.emplace(key, std::move(connection));
    }

    rt::EventLoop& loop_;
    ServerOptions options_;
    Handler handler_;
    std::optional<rt::TcpListener> listener_;
    std::unordered_map<rt::StreamHandler*, std::unique_ptr<Connection>> connections_;
};

Server::Server(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::open(rt::EventLoop& loop, ServerOptions options,
                                             Handler handler) {
    auto state = std::make_shared<State>(loop, std::move(options), std::move(handler));
    LEAT_TRY_VOID(state->listen());
    return std::unique_ptr<Server>{new Server{std::move(state)}};
}

std::uint16_t Server::port() const {
    return state_->port();
}

}  // namespace leat::http
