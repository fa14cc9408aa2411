// SPDX-License-Identifier: Apache-2.0
#include "client/cluster.h"

#include <poll.h>

#include <algorithm>
#include <charconv>

#include "wire/messages/find_coordinator_request.h"
#include "wire/messages/find_coordinator_response.h"
#include "wire/messages/metadata_request.h"
#include "wire/messages/metadata_response.h"

namespace leat::client {

Result<ClusterOptions> cluster_options_of(const std::vector<Property>& properties,
                                          LoginHelpers helpers) {
    ClusterOptions options;
    LEAT_TRY(options.connection.security, security_of(properties, std::move(helpers)));
    LEAT_TRY(options.bootstrap, parse_endpoints(find_property(properties, "bootstrap.servers")));
    if (const std::string_view id = find_property(properties, "client.id"); !id.empty())
        options.connection.client_id = std::string{id};
    if (const std::string_view text = find_property(properties, "request.timeout.ms");
        !text.empty()) {
        std::int64_t ms = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
        if (error != std::errc{} || end != text.data() + text.size() || ms <= 0 || ms > 3'600'000)
            return Error{Errc::kInvalidSetting, "request.timeout.ms: '" + std::string{text} +
                                                    "' is no number of milliseconds"};
        options.connection.request_timeout = std::chrono::milliseconds{ms};
    }
    return options;
}

Result<std::unique_ptr<Cluster>> Cluster::connect(ClusterOptions options) {
    std::unique_ptr<Cluster> out{new Cluster{std::move(options)}};
    const auto give_up = std::chrono::steady_clock::now() + out->options_.start_patience;
    // A script that starts a broker and goes on must not depend on who is quicker.
    for (;;) {
        const Result<Connection*> reached = out->any();
        const bool nobody_listens = !reached && reached.error().code() == Errc::kNetworkException;
        if (!nobody_listens || std::chrono::steady_clock::now() >= give_up) break;
        ::poll(nullptr, 0, 50);
    }
    LEAT_TRY_VOID(out->refresh());
    return out;
}

Result<void> Cluster::refresh() {
    LEAT_TRY(Connection* const connection, any());
    wire::MetadataRequest request;
    request.topics.emplace();  // None; null would be all, and version 0 gives all for none.
    request.allow_auto_topic_creation = false;
    Result<Answer<wire::MetadataResponse>> answer =
        connection->call<wire::MetadataResponse>(request);
    if (!answer) {
        drop(*connection);
        return std::move(answer).error();
    }
    learn(answer->message);
    return {};
}

void Cluster::learn(const wire::MetadataResponse& answer) {
    brokers_.clear();
    for (const auto& broker : answer.brokers)
        brokers_.push_back({.id = broker.node_id,
                            .endpoint = {.host = std::string{broker.host},
                                         .port = static_cast<std::uint16_t>(broker.port)}});
    controller_ = answer.controller_id;
}

void Cluster::set_request_timeout(std::chrono::milliseconds timeout) {
    options_.connection.request_timeout = timeout;
    for (const auto& [name, connection] : connections_)
        if (connection != nullptr) connection->set_request_timeout(timeout);
}

Result<Connection*> Cluster::to(const Endpoint& endpoint) {
    std::unique_ptr<Connection>& known = connections_[endpoint.text()];
    if (known == nullptr) {
        // Logging in is part of it, whatever a broker makes of its answers to that.
        const auto deadline =
            std::chrono::steady_clock::now() + options_.connection.connect_timeout;
        LEAT_TRY(known, Connection::open(endpoint, options_.connection, deadline));
    }
    return known.get();
}

Result<Connection*> Cluster::any() {
    for (const auto& [name, connection] : connections_)
        if (connection != nullptr) return connection.get();
    Result<Connection*> last = Error{Errc::kNetworkException, "no broker address given"};
    for (const Endpoint& endpoint : options_.bootstrap) {
        last = to(endpoint);
        if (last) return last;
    }
    for (const Broker& broker : brokers_) {
        if (last) break;
        if (Result<Connection*> other = to(broker.endpoint)) return other;
    }
    return last;
}

Result<Connection*> Cluster::to_broker(std::int32_t node) {
    const auto found = std::ranges::find(brokers_, node, &Broker::id);
    if (found != brokers_.end()) return to(found->endpoint);
    return Error{Errc::kBrokerNotAvailable, "the cluster has no broker " + std::to_string(node)};
}

Result<Connection*> Cluster::to_coordinator(const std::string& key, bool of_group) {
    LEAT_TRY(Connection* const connection, any());
    std::string_view keys[] = {key};
    const wire::FindCoordinatorRequest request{
        .key = key,
        .key_type = static_cast<std::int8_t>(of_group ? 0 : 1),
        .coordinator_keys = keys};
    LEAT_TRY(const auto answer, connection->call<wire::FindCoordinatorResponse>(request));
    const wire::FindCoordinatorResponse& found = answer.message;
    std::int16_t code = found.error_code;
    Endpoint where{std::string{found.host}, static_cast<std::uint16_t>(found.port)};
    if (!found.coordinators.empty()) {
        code = found.coordinators[0].error_code;
        where = {std::string{found.coordinators[0].host},
                 static_cast<std::uint16_t>(found.coordinators[0].port)};
    }
    if (code != 0)
        return Error{errc_from_wire(code),
                     std::string{of_group ? "looking for the coordinator of group '"
                                          : "looking for the coordinator of transactional id '"} +
                         key + "'"};
    return to(where);
}

Result<Connection*> Cluster::route(const Target& target) {
    switch (target.kind) {
        case Target::Kind::kAny:
            return any();
        case Target::Kind::kController:
            return controller_ >= 0 ? to_broker(controller_) : any();
        case Target::Kind::kBroker:
            return to_broker(target.node);
        case Target::Kind::kGroupCoordinator:
            return to_coordinator(target.key, true);
        case Target::Kind::kTransactionCoordinator:
            return to_coordinator(target.key, false);
    }
    return any();
}

void Cluster::drop(const Connection& connection) {
    connections_.erase(connection.endpoint().text());
}

void Cluster::pause(int attempt) {
    poll(nullptr, 0, std::min(100 << std::min(attempt, 8), 2000));
}

bool Cluster::may_route_again(const Error& error) {
    // A broker that stops closes before it answers, as one does that wants TLS.
    return info(error.code()).retriable || error.code() == Errc::kTimedOut ||
           error.code() == Errc::kClosed;
}

bool Cluster::is_passing(Errc code) {
    return info(code).retriable && code != Errc::kUnknownTopicOrPartition &&
           code != Errc::kUnknownTopicId && code != Errc::kElectionNotNeeded && code != Errc::kNone;
}

}  // namespace leat::client
