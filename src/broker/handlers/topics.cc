// SPDX-License-Identifier: Apache-2.0
#include "broker/handlers/topics.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "broker/access.h"
#include "broker/admin/topics.h"
#include "broker/handlers/admin_change.h"

namespace leat::broker {
namespace {

using Created = wire::CreateTopicsResponse::CreatableTopicResult;
using Deleted = wire::DeleteTopicsResponse::DeletableTopicResult;
using Grown = wire::CreatePartitionsResponse::CreatePartitionsTopicResult;
using DeleteState = wire::DeleteTopicsRequest::DeleteTopicState;

constexpr std::string_view kDenied = "Authorization failed.";

/// What has more than the controller takes is not charged: it will be refused, which costs nothing
/// in Kafka either.
bool may_change(Request& request, std::int64_t partitions, std::int16_t strict_since) {
    if (partitions <= 0 || partitions > metadata::Controller::kRequestPartitionsMax) return true;
    return may_mutate(request, partitions, request.version() >= strict_since);
}

std::int64_t partitions_of(const wire::CreateTopicsRequest::CreatableTopic& topic,
                           const config::BrokerConfig& config) {
    if (!topic.assignments.empty()) return static_cast<std::int64_t>(topic.assignments.size());
    return topic.num_partitions == -1 ? config.num_partitions : std::max(topic.num_partitions, 0);
}

/// Topics of a request that the controller will refuse, as far as is plain to see before: no quota
/// is asked for those.
class Hopeless {
  public:
    Hopeless(const Request& request, const wire::CreateTopicsRequest& message)
        : image_(request.shard->image()) {
        std::int64_t sum = 0;
        std::set<std::string_view> names;
        for (const auto& topic : message.topics) {
            sum += partitions_of(topic, request.shard->config());
            if (!names.insert(topic.name).second) twice_.insert(topic.name);
        }
        is_too_much_ = sum > metadata::Controller::kRequestPartitionsMax;
    }

    [[nodiscard]] bool has(const wire::CreateTopicsRequest::CreatableTopic& topic) const {
        return is_too_much_ || twice_.contains(topic.name) || image_.find(topic.name) != nullptr ||
               !metadata::topic_name_error(topic.name).empty() || topic.replication_factor > 1;
    }

  private:
    const metadata::Image& image_;
    std::set<std::string_view> twice_;
    bool is_too_much_ = false;
};

/// One answer that is only a name and an error.
struct Refused {
    std::string_view name;
    Errc error = Errc::kTopicAuthorizationFailed;
};
std::string_view text_of(Errc error) {
    return error == Errc::kThrottlingQuotaExceeded ? "The throttling quota has been exceeded."
                                                   : kDenied;
}
template <class Told>
Told told_of(const Refused& refused) {
    Told told;
    told.name = refused.name;
    told.error_code = wire_code(refused.error);
    told.error_message = text_of(refused.error);
    return told;
}

/// `told` and behind it one answer for each of `more`, as `make` gives it.
template <class Told, class From, class Make>
std::span<Told> with(std::span<Told> told, const std::vector<From>& more, Arena& arena,
                     const Make& make) {
    if (more.empty()) return told;
    const auto all = arena.array<Told>(told.size() + more.size());
    std::ranges::copy(told, all.begin());
    std::ranges::transform(more, all.begin() + static_cast<std::ptrdiff_t>(told.size()), make);
    return all;
}

/// The settings of a new topic are told to who may describe them.
void hide_settings(Request& request, std::span<Created> told) {
    for (Created& topic : told) {
        if (topic.error_code != 0 || may_see(request, auth::Operation::kDescribeConfigs,
                                             auth::ResourceType::kTopic, topic.name))
            continue;
        topic.topic_config_error_code = wire_code(Errc::kTopicAuthorizationFailed);
        topic.num_partitions = -1;
        topic.replication_factor = -1;
        topic.configs.emplace();
    }
}

/// What of a DeleteTopics request may be done, and the answers to the rest.
class DeletionRights {
  public:
    DeletionRights(Request& request, const wire::DeleteTopicsRequest& message)
        : request_(request),
          may_all_(may_see(request, auth::Operation::kDelete, auth::ResourceType::kCluster,
                           auth::kClusterName)) {
        for (const std::string_view name : message.topic_names)
            if (is_allowed_name(name)) names_.push_back(name);
        for (const DeleteState& topic : message.topics)
            if (is_allowed(topic)) topics_.push_back(topic);
        allowed_ = message;
        allowed_.topic_names = names_;
        allowed_.topics = topics_;
    }
    DeletionRights(const DeletionRights&) = delete;
    DeletionRights& operator=(const DeletionRights&) = delete;

    [[nodiscard]] const wire::DeleteTopicsRequest& allowed() const noexcept { return allowed_; }
    [[nodiscard]] const admin::Deletable& deletable() const noexcept { return deletable_; }
    [[nodiscard]] const std::vector<Deleted>& denied() const noexcept { return denied_; }

  private:
    bool refuse(std::optional<std::string_view> name, const Uuid& id,
                Errc error = Errc::kTopicAuthorizationFailed) {
        Deleted& told = denied_.emplace_back();
        told.name.reset();
        if (name) told.name = request_.arena.copy(*name);
        told.topic_id = id;
        told.error_code = wire_code(error);
        told.error_message = text_of(error);
        return false;
    }
    bool has_quota(const metadata::Topic& topic, bool by_id) {
        constexpr std::int16_t kStrictSince = 5;
        if (may_mutate(request_, topic.partition_count, request_.version() >= kStrictSince))
            return true;
        return refuse(topic.name, by_id ? topic.id : Uuid{}, Errc::kThrottlingQuotaExceeded);
    }
    bool allow(const metadata::Topic& topic, bool by_id) {
        if (!has_quota(topic, by_id)) return false;
        deletable_.insert(topic.id);
        return true;
    }
    bool is_allowed_name(std::string_view name) {
        // Who may not see it hears the same whether it exists or not.
        if (!may_all_ && !may_topic(request_, auth::Operation::kDescribe, name))
            return refuse(name, {});
        const metadata::Topic* topic = request_.shard->image().find(name);
        if (topic == nullptr) return true;
        if (!may_all_ && !may_topic(request_, auth::Operation::kDelete, name))
            return refuse(name, {});
        return allow(*topic, false);
    }
    bool is_allowed(const DeleteState& asked) {
        if (asked.name) return !asked.topic_id.is_zero() || is_allowed_name(*asked.name);
        const metadata::Topic* topic = request_.shard->image().find(asked.topic_id);
        if (topic == nullptr) return true;
        if (!may_all_ && !may_topic(request_, auth::Operation::kDescribe, topic->name))
            return refuse(std::nullopt, topic->id);
        if (!may_all_ && !may_topic(request_, auth::Operation::kDelete, topic->name))
            return refuse(topic->name, topic->id);
        return allow(*topic, true);
    }

    Request& request_;
    bool may_all_;
    std::vector<std::string_view> names_;
    std::vector<DeleteState> topics_;
    admin::Deletable deletable_;
    std::vector<Deleted> denied_;
    wire::DeleteTopicsRequest allowed_;
};

}  // namespace

rt::Task<wire::CreateTopicsResponse> handle_create_topics(
    Request* request, const wire::CreateTopicsRequest* message) {
    constexpr std::int16_t kStrictSince = 6;
    std::vector<wire::CreateTopicsRequest::CreatableTopic> topics;
    std::set<std::string_view> denied_names;
    std::vector<Refused> refused;
    const bool may_all = may_see(*request, auth::Operation::kCreate, auth::ResourceType::kCluster,
                                 auth::kClusterName);
    const Hopeless hopeless{*request, *message};
    for (const auto& topic : message->topics) {
        if (!may_all && !may_topic(*request, auth::Operation::kCreate, topic.name))
            denied_names.insert(topic.name);
        else if (message->validate_only || hopeless.has(topic) ||
                 may_change(*request, partitions_of(topic, request->shard->config()), kStrictSince))
            topics.push_back(topic);
        else
            refused.push_back({topic.name, Errc::kThrottlingQuotaExceeded});
    }
    for (const std::string_view name : denied_names) refused.push_back({.name = name});
    wire::CreateTopicsRequest allowed = *message;
    allowed.topics = topics;
    const auto make = [request, &allowed](metadata::Controller& controller) {
        return admin::create_topics(allowed, controller, request->arena);
    };
    wire::CreateTopicsResponse out =
        co_await change_metadata(request, &wire::CreateTopicsResponse::topics, make);
    if (request->version() >= 5) hide_settings(*request, out.topics);
    out.topics = with(out.topics, refused, request->arena, told_of<Created>);
    co_return out;
}

rt::Task<wire::DeleteTopicsResponse> handle_delete_topics(
    Request* request, const wire::DeleteTopicsRequest* message) {
    const DeletionRights rights{*request, *message};
    const auto make = [request, &rights](metadata::Controller& controller) {
        return admin::delete_topics(rights.allowed(), request->version(), rights.deletable(),
                                    controller, request->arena);
    };
    wire::DeleteTopicsResponse out =
        co_await change_metadata(request, &wire::DeleteTopicsResponse::responses, make);
    out.responses = with(out.responses, rights.denied(), request->arena,
                         [](const Deleted& told) { return told; });
    co_return out;
}

rt::Task<wire::CreatePartitionsResponse> handle_create_partitions(
    Request* request, const wire::CreatePartitionsRequest* message) {
    constexpr std::int16_t kStrictSince = 3;
    std::vector<wire::CreatePartitionsRequest::CreatePartitionsTopic> topics;
    std::vector<Refused> refused;
    for (const auto& topic : message->topics) {
        const metadata::Topic* known = request->shard->image().find(topic.name);
        const std::int32_t more =
            known != nullptr ? std::max(0, topic.count - known->partition_count) : 0;
        if (!may_topic(*request, auth::Operation::kAlter, topic.name))
            refused.push_back({.name = topic.name});
        else if (message->validate_only || more == 0 || may_change(*request, more, kStrictSince))
            topics.push_back(topic);
        else
            refused.push_back({topic.name, Errc::kThrottlingQuotaExceeded});
    }
    wire::CreatePartitionsRequest allowed = *message;
    allowed.topics = topics;
    const auto make = [request, &allowed](metadata::Controller& controller) {
        return admin::create_partitions(allowed, controller, request->arena);
    };
    wire::CreatePartitionsResponse out =
        co_await change_metadata(request, &wire::CreatePartitionsResponse::results, make);
    out.results = with(out.results, refused, request->arena, told_of<Grown>);
    co_return out;
}

}  // namespace leat::broker
