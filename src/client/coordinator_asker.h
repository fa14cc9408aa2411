// SPDX-License-Identifier: Apache-2.0
//
// Questions to coordinators, asked in a thread of their own: who asks may stop waiting, and come
// back for the answer. Layer: client (L3). Internal to client.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/result.h"
#include "client/cluster.h"
#include "client/producer_identity.h"
#include "rt/named_thread.h"

namespace leat::client {

/// What answers tell of; codes are errors.
struct CoordinatorWord {
    ProducerIdentity identity;
    /// KIP-890, as CoordinatorView::enrols_by_itself().
    bool enrols_by_itself = false;
};

/// The cluster, and who coordinates what in it. Threading: not synchronised.
class CoordinatorView {
  public:
    /// Of `options` those about retries and patience are passed over: who asks asks again.
    explicit CoordinatorView(ClusterOptions options);

    /// Once. Errors: those of Connection::call() and of the look-up of the coordinator.
    template <class Response, class Request>
    Result<Answer<Response>> ask(const Target& target, const Request& request,
                                 std::int16_t version_max = INT16_MAX,
                                 std::int16_t version_min = 0) {
        LEAT_TRY(const Target who, find(target));
        Result<Answer<Response>> answer = cluster_->ask<Response>(
            who, request, [](const Response&) { return std::int16_t{0}; }, version_max, true,
            version_min);
        if (!answer) note_failure(answer.error().code());
        return answer;
    }
    /// After an answer of this code somebody else may coordinate, or a broker be away.
    void note_failure(Errc code);
    /// Whether writing to a partition enrols it in a transaction (KIP-890): transaction.version is
    /// 2 or more, and the coordinator has what that needs. As it was when it was looked up.
    [[nodiscard]] bool enrols_by_itself() const noexcept { return enrols_by_itself_; }

  private:
    /// With a coordinator's broker for it.
    Result<Target> find(const Target& target);
    Result<std::int32_t> look_up(const Target& target);
    Result<void> learn_features(std::int32_t node);

    ClusterOptions options_;           ///< With the brokers that were known last to begin at.
    std::vector<Endpoint> bootstrap_;  ///< As it was set.
    std::unique_ptr<Cluster> cluster_;
    std::map<std::pair<Target::Kind, std::string>, std::int32_t> coordinators_;
    bool enrols_by_itself_ = false;
};

/// One question at a time. Threading: thread-safe.
class CoordinatorAsker {
  public:
    using Question = std::function<Result<CoordinatorWord>(CoordinatorView&)>;
    using Clock = std::chrono::steady_clock;

    explicit CoordinatorAsker(ClusterOptions options) : view_(std::move(options)) {}
    CoordinatorAsker(const CoordinatorAsker&) = delete;
    CoordinatorAsker& operator=(const CoordinatorAsker&) = delete;
    /// Waits for what is being asked: at most request.timeout.ms, or until the descriptor `stop` of
    /// the connections can be read.
    ~CoordinatorAsker();

    /// Calls `question` in the other thread, which must own what it uses. When it is not done by
    /// `deadline`, it goes on: who asks next with the same `key` gets its answer, and another
    /// question waits until then.
    /// Errors: kTimedOut (`deadline`), those of the question.
    Result<CoordinatorWord> ask(const std::string& key, const Question& question,
                                Clock::time_point deadline);

  private:
    enum class Stage : std::uint8_t { kIdle, kAsked, kAnswered };
    void run();

    std::mutex mutex_;
    std::condition_variable changed_;
    Stage stage_ = Stage::kIdle;
    bool is_awaited_ = false;  ///< Somebody waits for this answer.
    bool is_started_ = false;
    bool is_ending_ = false;
    std::string key_;
    Question question_;
    Result<CoordinatorWord> answer_ = CoordinatorWord{};
    CoordinatorView view_;  ///< Of the thread.
    rt::NamedThread thread_;
};

}  // namespace leat::client
