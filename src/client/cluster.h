// SPDX-License-Identifier: Apache-2.0
//
// The connections to a cluster: which broker answers what, and what is asked again. Layer: client
// (L3).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/client_properties.h"
#include "client/connection.h"
#include "wire/messages/metadata_response.h"

namespace leat::client {

struct ClusterOptions {
    std::vector<Endpoint> bootstrap;
    ConnectionOptions connection;
    /// How often a request is asked again after a retriable answer, with pauses of 0.1 s doubling
    /// to 2 s.
    int retries_max = 8;
    /// How long connect() tries again while nobody listens: a broker may just be starting.
    std::chrono::milliseconds start_patience{2'000};
    /// How long readers and writers of batches believe in a topic or partition that was there and
    /// that brokers do not know: one that has just started does not yet.
    std::chrono::milliseconds loss_patience{5'000};
};

/// Out of bootstrap.servers, client.id, request.timeout.ms and what security.h reads.
/// Errors: kInvalidSetting, kUsage.
Result<ClusterOptions> cluster_options_of(const std::vector<Property>& properties,
                                          LoginHelpers helpers = {});

/// Who is to answer.
struct Target {
    enum class Kind : std::uint8_t {
        kAny,
        kController,
        kBroker,
        kGroupCoordinator,
        kTransactionCoordinator
    };
    Kind kind = Kind::kAny;
    std::int32_t node = -1;  ///< kBroker.
    std::string key;         ///< The group, or the transactional id.

    static Target any() { return {}; }
    static Target controller() { return {.kind = Kind::kController, .node = -1, .key = {}}; }
    static Target broker(std::int32_t node) {
        return {.kind = Kind::kBroker, .node = node, .key = {}};
    }
    static Target group(std::string_view id) {
        return {.kind = Kind::kGroupCoordinator, .node = -1, .key = std::string{id}};
    }
    static Target transaction(std::string_view id) {
        return {.kind = Kind::kTransactionCoordinator, .node = -1, .key = std::string{id}};
    }
};

/// Threading: not synchronised. Connections are opened on first use and reopened after they broke.
class Cluster {
  public:
    /// Reaches the first bootstrap broker that answers and reads the list of brokers.
    /// Errors: kNetworkException, kTimedOut, kMalformed: those of the last one tried.
    static Result<std::unique_ptr<Cluster>> connect(ClusterOptions options);

    /// Asks `target`. `verdict` gives the code of an answer: as long as that one is_passing(), the
    /// brokers are looked up anew and the request is repeated; the last answer is returned whatever
    /// its code. `version_min`: older versions could not say what is asked. A lost connection is
    /// retried only for requests that are `repeatable`. Errors: those of Connection::call(),
    /// kUnknownServerError (no such broker).
    template <class Response, class Request>
    Result<Answer<Response>> ask(const Target& target, const Request& request,
                                 const std::function<std::int16_t(const Response&)>& verdict,
                                 std::int16_t version_max = INT16_MAX, bool repeatable = true,
                                 std::int16_t version_min = 0) {
        for (int attempt = 0;; ++attempt) {
            const bool is_last = attempt == options_.retries_max;
            Result<Connection*> connection = route(target);
            if (!connection) {
                if (is_last || !may_route_again(connection.error()))
                    return std::move(connection).error();
            } else {
                Result<Answer<Response>> answer =
                    (*connection)->call<Response>(request, version_max, version_min);
                if (answer) {
                    const Errc code = errc_from_wire(verdict(answer->message));
                    if (is_last || !is_passing(code)) return answer;
                } else {
                    if (answer.error().code() == Errc::kUnsupportedVersion) return answer;
                    drop(**connection);
                    if (is_last || !repeatable) return answer;
                }
            }
            pause(attempt);
            ignore(refresh(), "route() reports what cannot be reached");
        }
    }

    struct Broker {
        std::int32_t id = 0;
        Endpoint endpoint;
    };
    [[nodiscard]] const std::vector<Broker>& brokers() const noexcept { return brokers_; }
    [[nodiscard]] std::int32_t controller() const noexcept { return controller_; }

    /// Retriable by waiting, not by doing something else first (such as creating a topic).
    [[nodiscard]] static bool is_passing(Errc code);
    /// The brokers that an answer to others' questions tells of: where to look for them later.
    void learn(const wire::MetadataResponse& answer);
    /// Of each call from now on.
    void set_request_timeout(std::chrono::milliseconds timeout);

  private:
    explicit Cluster(ClusterOptions options) : options_(std::move(options)) {}
    Result<Connection*> route(const Target& target);
    Result<Connection*> any();
    Result<Connection*> to_broker(std::int32_t node);
    Result<Connection*> to(const Endpoint& endpoint);
    Result<Connection*> to_coordinator(const std::string& key, bool of_group);
    Result<void> refresh();
    void drop(const Connection& connection);
    static void pause(int attempt);
    static bool may_route_again(const Error& error);

    ClusterOptions options_;
    std::vector<Broker> brokers_;
    std::int32_t controller_ = -1;
    std::map<std::string, std::unique_ptr<Connection>> connections_;  ///< By "host:port".
};

}  // namespace leat::client
