// SPDX-License-Identifier: Apache-2.0
//
// What the endpoint answers: from this instance first, from the owner of what is not here.
// Layer: stream_endpoint (L7). No sockets: these are behind Peers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "http/message.h"
#include "leat/stream_endpoint/endpoint.h"
#include "stream_endpoint/instance.h"
#include "stream_endpoint/question.h"

namespace leat::stream_endpoint {

/// How far the answer to a request is: whole, or parts of it are to be had from other instances.
struct Progress {
    std::optional<http::Response> response{};
    Question question{};
    std::map<std::int32_t, std::string> parts{};  ///< What is there, by partition.
    std::vector<streams::KeyQueryMetadata> missing{};
};

/// Threading: thread-safe.
class Router {
  public:
    struct Limits {
        std::size_t rows_max = 0;  ///< Of one partition.
        /// For a thread of the instance that lets no query in.
        std::chrono::milliseconds wait_max{5'000};
    };
    /// `instance` outlives it.
    Router(const Instance& instance, std::vector<ExposedStore> stores, Limits limits)
        : instance_(instance), stores_(std::move(stores)), limits_(limits) {}

    /// False: read() does not wait for what the instance is at.
    [[nodiscard]] static bool asks_a_store(const http::Request& request);

    /// What is answered without waiting; nothing: read() and finish() have the answer.
    [[nodiscard]] std::optional<http::Response> at_once(const http::Request& request) const;
    /// Asks this instance. Runs on: a thread that may wait for a record that is being processed.
    [[nodiscard]] Progress read(const http::Request& request) const;
    /// Asks others for the rest. Runs on: a thread that may wait for the network.
    [[nodiscard]] http::Response finish(Progress progress, Peers& peers) const;

  private:
    [[nodiscard]] http::Response stores() const;
    /// The partitions that the question is about and who has them; or why that is not known.
    std::optional<http::Response> find_owners(Question& question,
                                              std::vector<streams::KeyQueryMetadata>& out) const;
    /// Sorts an answer of this instance into `out`.
    void take(const streams::detail::RawAnswer& answer, const streams::KeyQueryMetadata& owner,
              Progress& out) const;
    /// One partition's answer from whoever has it.
    [[nodiscard]] http::Response pass_on(const Question& question,
                                         const streams::KeyQueryMetadata& owner,
                                         Peers& peers) const;
    [[nodiscard]] http::Response whole(const Progress& progress) const;

    const Instance& instance_;
    std::vector<ExposedStore> stores_;
    Limits limits_;
};

}  // namespace leat::stream_endpoint
