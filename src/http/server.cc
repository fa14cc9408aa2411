// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "obs/log.h"

namespace leat::http {
namespace {

constexpr obs::Logger kLog{"requests"};

/// The only answer of its connection may be that large beyond the bound of all: those are bounded
/// in number.
constexpr std::size_t kSmallAnswerBytes = std::size_t{16} * 1024;
constexpr std::size_t kReadBytes = std::size_t{16} * 1024;
/// Between two looks at a connection's deadline.
constexpr std::chrono::milliseconds kLeastWait{10};
constexpr std::chrono::milliseconds kLongestWait{1000};

class ConnectionOwner {
  public:
    virtual void gone(rt::StreamHandler& connection) = 0;
    /// Of all connections.
    [[nodiscard]] virtual std::size_t unsent_bytes() const = 0;

  protected:
    ~ConnectionOwner() = default;
};

/// One connection. Threading: shard-local.
class Connection final : public rt::StreamHandler {
  public:
    Connection(rt::EventLoop& loop, ConnectionOwner& owner, const ServerOptions& options,
               const Handler& handler, rt::Socket socket, std::string peer)
        : loop_(loop),
          owner_(owner),
          options_(options),
          peer_(std::move(peer)),
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
    [[nodiscard]] std::size_t unsent_bytes() const { return stream_.unsent_bytes(); }

  private:
    void send(std::string bytes) {
        const std::size_t before = stream_.unsent_bytes();
        if (before > 0 && before + bytes.size() > options_.piled_bytes_max)
            return cut("answers are asked for and not read", bytes.size());
        const bool is_small = before == 0 && bytes.size() <= kSmallAnswerBytes;
        if (!is_small && owner_.unsent_bytes() + bytes.size() > options_.unsent_bytes_max) {
            // Behind half an answer nothing can be said.
            if (before > 0) return cut(beyond(), bytes.size());
            return refuse(bytes.size());
        }
        put(std::move(bytes));
        // The answer is out: the next request may be read.
        loop_.post([this, alive = std::weak_ptr{alive_}] {
            if (alive.lock() && session_->wants_bytes()) stream_.resume_reading();
        });
    }

    void put(std::string bytes) {
        const auto keep = std::make_shared<const std::string>(std::move(bytes));
        stream_.send(keep, std::as_bytes(std::span{*keep}));
    }

    [[nodiscard]] std::string beyond() const {
        const std::string bound = std::to_string(options_.unsent_bytes_max);
        const std::string& setting = options_.unsent_bytes_setting;
        return setting.empty() ? "beyond " + bound + " bytes"
                               : "beyond " + setting + " (" + bound + ")";
    }

    void refuse(std::size_t bytes) {
        const std::string why = beyond();
        tell("http answer refused", why, bytes);
        session_->peer_closed();
        put(write_response({.status = 503,
                            .body = "an answer of " + std::to_string(bytes) + " bytes is " + why +
                                    ", which counts what all connections have not taken yet\n"},
                           {.keep_alive = false}));
        stream_.close_after_sending();
    }

    void cut(std::string_view why, std::size_t bytes) {
        tell("http connection cut", why, bytes);
        session_->peer_closed();
        stream_.close();
    }

    void tell(std::string_view event, std::string_view why, std::size_t bytes) const {
        kLog.warn(event, {{"peer", peer_},
                          {"why", why},
                          {"answer_bytes", static_cast<std::int64_t>(bytes)},
                          {"unsent_bytes", static_cast<std::int64_t>(stream_.unsent_bytes())},
                          {"unsent_bytes_all", static_cast<std::int64_t>(owner_.unsent_bytes())}});
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
                cut("the answer is not read", 0);
            if (alive.lock()) schedule();
        });
    }

    rt::EventLoop& loop_;
    ConnectionOwner& owner_;
    const ServerOptions& options_;
    std::string peer_;
    std::array<std::byte, kReadBytes> buffer_{};
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
        rt::ListenOptions where{.host = options_.host, .port = options_.port};
        where.on_refused = [this] { refused("descriptors", {}); };
        LEAT_TRY(rt::TcpListener listener,
                 rt::TcpListener::open(loop_, where,
                                       [this](rt::Socket socket, const rt::SocketAddress& peer) {
                                           add(std::move(socket), peer.text());
                                       }));
        listener_.emplace(std::move(listener));
        return {};
    }
    [[nodiscard]] std::uint16_t port() const { return listener_->port(); }
    [[nodiscard]] std::size_t count() const noexcept { return connections_.size(); }

    void gone(rt::StreamHandler& connection) override { connections_.erase(&connection); }
    [[nodiscard]] std::size_t unsent_bytes() const override {
        std::size_t sum = 0;
        for (const auto& [key, connection] : connections_) sum += connection->unsent_bytes();
        return sum;
    }

  private:
    void refused(std::string_view limit, const std::string& peer) const {
        if (options_.on_refused) options_.on_refused(limit, peer);
    }

    void add(rt::Socket socket, std::string peer) {
        if (connections_.size() >= options_.connections_max) return refused("http", peer);
        auto connection = std::make_unique<Connection>(loop_, *this, options_, handler_,
                                                       std::move(socket), std::move(peer));
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

std::size_t Server::connection_count() const noexcept {
    return state_->count();
}

}  // namespace leat::http
