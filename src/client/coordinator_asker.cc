// SPDX-License-Identifier: Apache-2.0
#include "client/coordinator_asker.h"

#include <algorithm>
#include <array>

#include "wire/messages/api_versions_request.h"
#include "wire/messages/api_versions_response.h"
#include "wire/messages/find_coordinator_request.h"
#include "wire/messages/find_coordinator_response.h"

namespace leat::client {
namespace {

/// KIP-890's second part: what a cluster with transaction.version 2 has.
constexpr std::int16_t kEnrollingVersion = 2;
constexpr std::int16_t kProduceEnrols = 12;
constexpr std::int16_t kOffsetCommitEnrols = 5;
constexpr std::int16_t kEndTxnGivesEpoch = 5;

constexpr auto kMoved = std::to_array<Errc>(
    {Errc::kNotCoordinator, Errc::kCoordinatorNotAvailable, Errc::kRequestTimedOut});
constexpr auto kLost = std::to_array<Errc>({Errc::kNetworkException, Errc::kTimedOut, Errc::kClosed,
                                            Errc::kMalformed, Errc::kBrokerNotAvailable});

bool has(const wire::ApiVersionsResponse& message, wire::ApiKey api, std::int16_t version) {
    return std::ranges::any_of(message.api_keys, [&](const auto& one) {
        return one.api_key == static_cast<std::int16_t>(api) && one.max_version >= version;
    });
}

bool enrols(const wire::ApiVersionsResponse& message) {
    const bool is_finalized = std::ranges::any_of(message.finalized_features, [](const auto& one) {
        return one.name == "transaction.version" && one.max_version_level >= kEnrollingVersion;
    });
    return is_finalized && has(message, wire::ApiKey::kProduce, kProduceEnrols) &&
           has(message, wire::ApiKey::kTxnOffsetCommit, kOffsetCommitEnrols) &&
           has(message, wire::ApiKey::kEndTxn, kEndTxnGivesEpoch);
}

}  // namespace

CoordinatorView::CoordinatorView(ClusterOptions options)
    : options_(std::move(options)), bootstrap_(options_.bootstrap) {
    options_.retries_max = 0;
    options_.start_patience = std::chrono::milliseconds{0};
}

void CoordinatorView::note_failure(Errc code) {
    const auto is_one_of = [code](const auto& codes) {
        return std::ranges::find(codes, code) != codes.end();
    };
    const bool is_lost = is_one_of(kLost);
    if (is_lost && cluster_ != nullptr) {
        // The list of brokers may be old, too, but those that were named first may be gone.
        options_.bootstrap = bootstrap_;
        for (const Cluster::Broker& one : cluster_->brokers())
            if (std::ranges::find(bootstrap_, one.endpoint) == bootstrap_.end())
                options_.bootstrap.push_back(one.endpoint);
        cluster_.reset();
    }
    if (is_lost || is_one_of(kMoved)) coordinators_.clear();
}

Result<Target> CoordinatorView::find(const Target& target) {
    if (cluster_ == nullptr) {
        LEAT_TRY(cluster_, Cluster::connect(options_));
    }
    if (target.kind != Target::Kind::kGroupCoordinator &&
        target.kind != Target::Kind::kTransactionCoordinator)
        return target;
    const auto known = coordinators_.find({target.kind, target.key});
    if (known != coordinators_.end()) return Target::broker(known->second);
    Result<std::int32_t> found = look_up(target);
    if (found && target.kind == Target::Kind::kTransactionCoordinator)
        if (Result<void> learnt = learn_features(*found); !learnt)
            found = std::move(learnt).error();
    if (!found) {
        note_failure(found.error().code());
        return std::move(found).error();
    }
    coordinators_[{target.kind, target.key}] = *found;
    return Target::broker(*found);
}

Result<std::int32_t> CoordinatorView::look_up(const Target& target) {
    const bool of_group = target.kind == Target::Kind::kGroupCoordinator;
    std::string_view keys[] = {target.key};
    const wire::FindCoordinatorRequest request{
        .key = target.key,
        .key_type = static_cast<std::int8_t>(of_group ? 0 : 1),
        .coordinator_keys = keys};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::FindCoordinatorResponse>(
                 Target::any(), request, [](const auto&) { return std::int16_t{0}; }));
    const wire::FindCoordinatorResponse& found = answer.message;
    std::int16_t code = found.error_code;
    std::int32_t node = found.node_id;
    if (!found.coordinators.empty()) {
        code = found.coordinators[0].error_code;
        node = found.coordinators[0].node_id;
    }
    if (code == 0) return node;
    return Error{errc_from_wire(code), std::string{"looking for the coordinator of "} +
                                           (of_group ? "group '" : "transactional id '") +
                                           target.key + "'"};
}

Result<void> CoordinatorView::learn_features(std::int32_t node) {
    const wire::ApiVersionsRequest request{.client_software_name = "leat",
                                           .client_software_version = kSoftwareVersion};
    LEAT_TRY(const auto answer,
             cluster_->ask<wire::ApiVersionsResponse>(Target::broker(node), request,
                                                      [](const auto&) { return std::int16_t{0}; }));
    if (answer.message.error_code != 0)
        return Error{errc_from_wire(answer.message.error_code), "asking for features"};
    enrols_by_itself_ = enrols(answer.message);
    return {};
}

CoordinatorAsker::~CoordinatorAsker() {
    {
        const std::lock_guard lock{mutex_};
        is_ending_ = true;
        changed_.notify_all();
    }
    thread_ = {};
}

Result<CoordinatorWord> CoordinatorAsker::ask(const std::string& key, const Question& question,
                                              Clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    const auto timed_out = [&] { return Error{Errc::kTimedOut, "no answer yet"}; };
    while (stage_ != Stage::kIdle && (is_awaited_ || key_ != key)) {
        // An answer for which nobody came back.
        if (stage_ == Stage::kAnswered && !is_awaited_)
            stage_ = Stage::kIdle;
        else if (changed_.wait_until(lock, deadline) == std::cv_status::timeout)
            return timed_out();
    }
    if (stage_ == Stage::kIdle) {
        stage_ = Stage::kAsked;
        key_ = key;
        question_ = question;
        changed_.notify_all();
        if (!std::exchange(is_started_, true))
            thread_ = rt::NamedThread{"coordinators", [this] { run(); }};
    }
    is_awaited_ = true;
    const bool is_answered =
        changed_.wait_until(lock, deadline, [this] { return stage_ == Stage::kAnswered; });
    is_awaited_ = false;
    changed_.notify_all();
    if (!is_answered) return timed_out();
    stage_ = Stage::kIdle;
    return std::move(answer_);
}

void CoordinatorAsker::run() {
    std::unique_lock lock{mutex_};
    for (;;) {
        changed_.wait(lock, [this] { return is_ending_ || stage_ == Stage::kAsked; });
        if (is_ending_) return;
        const Question question = std::exchange(question_, nullptr);
        lock.unlock();
        Result<CoordinatorWord> answer = question(view_);
        if (answer)
            answer->enrols_by_itself = view_.enrols_by_itself();
        else
            view_.note_failure(answer.error().code());
        lock.lock();
        answer_ = std::move(answer);
        stage_ = Stage::kAnswered;
        changed_.notify_all();
    }
}

}  // namespace leat::client
