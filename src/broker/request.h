// SPDX-License-Identifier: Apache-2.0
//
// One request in execution: its bytes, who sent it, and what its handler may use.
// Layer: broker (L6).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "auth/decisions.h"
#include "auth/principal.h"
#include "base/arena.h"
#include "base/errc.h"
#include "base/units.h"
#include "broker/admin/cluster.h"
#include "broker/buffer_pool.h"
#include "broker/quotas.h"
#include "broker/request_memory.h"
#include "rt/executor.h"
#include "wire/api.h"

namespace leat::broker {

class Authentication;  // Defined in authentication.h.
class Shard;
struct Api;

/// What is known of a connection's peer.
///
/// Threading: written on the connection's shard, by one request in execution at a time.
struct ConnectionFacts {
    /// The listener it came in on and what that one tells clients to connect to; views into the
    /// Broker.
    admin::Endpoint endpoint;
    std::string peer;           ///< "127.0.0.1:40312".
    std::string peer_host;      ///< "127.0.0.1".
    std::string software_name;  ///< As ApiVersions told it; "" before.
    std::string software_version;
    auth::Session session;  ///< Anonymous until authentication says otherwise.
    /// Null on listeners that ask for none.
    std::shared_ptr<Authentication> authentication;
    ConnectionQuotas quotas;
    auth::Decisions decisions;  ///< What the sender may do, as it was found out.
    std::uint64_t number = 0;   ///< Rises in the order of acceptance.
    std::size_t shard = 0;      ///< Among whose connections it counts.
    unsigned wishes = 0;        ///< How often it asked to move to another.
};

/// A handler gets a Request& that lives until its answer was taken, on whatever shard it runs.
///
/// Threading: not synchronised: handler and connection take turns; what runs on several shards at
///            once for one request must not use the arena.
/// Memory:    owns the frame and all that was decoded from it.
struct Request {
    const Api* api = nullptr;
    wire::RequestHeader header;
    Bytes body;  ///< Behind the header, in `frame`.
    Buffer frame;
    std::size_t frame_bytes = 0;
    Arena arena;
    /// Of the arena, with what the answer is made of.
    std::size_t arena_bytes_max = SIZE_MAX;
    MemoryShare arena_share;  ///< Of all requests' arenas and answers.
    std::shared_ptr<ConnectionFacts> connection;
    Instant received_at{};
    Shard* shard = nullptr;  ///< The connection's: where the handler begins and must end.

    /// The one shard that appended all that a Produce brought; null when there were several.
    const Shard* appended_on = nullptr;

    /// No more comes from the sender; of APIs that ask for it.
    bool peer_has_ended = false;

    /// Time that the client asked us to wait; not counted as slow.
    std::chrono::nanoseconds asked_wait{0};
    /// How long the sender rests after the answer, by its quotas; told in the answer.
    std::chrono::milliseconds throttle{0};
    /// Processor time that it took on other shards and on the pool, while quotas are measured.
    std::chrono::nanoseconds busy{0};

    [[nodiscard]] std::int16_t version() const noexcept { return header.version; }
    [[nodiscard]] std::string_view client_id() const noexcept {
        return header.client_id.value_or(std::string_view{});
    }

    [[nodiscard]] const auth::Principal& principal() const noexcept {
        return connection->session.principal;
    }

    /// The answer gets larger than one may be, or than there is memory for. The arena never
    /// refuses: whoever collects a list whose length a peer decides asks between its elements, and
    /// stops.
    [[nodiscard]] bool is_full() noexcept {
        arena_share.grow_to(arena.capacity_bytes());
        is_given_up_ = is_given_up() || arena_share.is_short();
        return is_given_up_;
    }
    /// It was full when somebody asked, or is: there is no whole answer.
    [[nodiscard]] bool is_given_up() const noexcept {
        return is_given_up_ || arena.capacity_bytes() > arena_bytes_max;
    }

    /// The same bytes of `view`, which lies in the frame, to be changed in place.
    [[nodiscard]] MutableBytes mutable_bytes(Bytes view) const;

    /// Sets what is called on the home shard, once, when nobody wants this request to wait any
    /// longer: its connection is gone or the server stops. Called at once when that is so already.
    /// A handler that waits for long sets it, and clears it before it returns.
    void when_hurried(rt::Fn fn);
    void clear_hurry() { hurry_ = nullptr; }
    /// For the connection.
    void hurry();
    [[nodiscard]] bool is_hurried() const noexcept { return is_hurried_; }

  private:
    rt::Fn hurry_;
    bool is_hurried_ = false;
    bool is_given_up_ = false;
};

}  // namespace leat::broker
