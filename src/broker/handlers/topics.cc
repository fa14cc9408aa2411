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
    [[nodiscard]] const std::vector<Deleted>& denied() const noexcept { return denied_; }

  private:
    bool refuse(std::optional<std::string_view> name, const Uuid& id) {
        Deleted& told = denied_.emplace_back();
        told.name.reset();
        if (name) told.name = request_.arena.copy(*name);
        told.topic_id = id;
        told.error_code = wire_code(Errc::kTopicAuthorizationFailed);
        told.error_message = kDenied;
        return false;
    }
    bool is_allowed_name(std::string_view name) {
        if (may_all_) return true;
        // Who may not see it hears the same whether it exists or not.
        if (!may_topic(request_, auth::Operation::kDescribe, name)) return refuse(name, {});
        const metadata::Topic* topic = request_.shard->image().find(name);
        if (topic == nullptr || may_topic(request_, auth::Operation::kDelete, name)) return true;
        return refuse(name, topic->id);
    }
    bool is_allowed(const DeleteState& asked) {
        if (asked.name) return !asked.topic_id.is_zero() || is_allowed_name(*asked.name);
        const metadata::Topic* topic = request_.shard->image().find(asked.topic_id);
        if (topic == nullptr || may_all_) return true;
        if (!may_topic(request_, auth::Operation::kDescribe, topic->name))
            return refuse(std::nullopt, topic->id);
        if (may_topic(request_, auth::Operation::kDelete, topic->name)) return true;
        return refuse(topic->name, topic->id);
    }

    Request& request_;
    bool may_all_;
    std::vector<std::string_view> names_;
    std::vector<DeleteState> topics_;
    std::vector<Deleted> denied_;
    wire::DeleteTopicsRequest allowed_;
};

}  // namespace

rt::Task<wire::CreateTopicsResponse> handle_create_topics(
    Request& request, const wire::CreateTopicsRequest& message) {
    std::vector<wire::CreateTopicsRequest::CreatableTopic> topics;
    std::set<std::string_view> denied_names;
    const bool may_all = may_see(request, auth::Operation::kCreate, auth::ResourceType::kCluster,
                                 auth::kClusterName);
    for (const auto& topic : message.topics)
        if (may_all || may_topic(request, auth::Operation::kCreate, topic.name))
            topics.push_back(topic);
        else
            denied_names.insert(topic.name);
    wire::CreateTopicsRequest allowed = message;
    allowed.topics = topics;
    const auto make = [&request, &allowed](metadata::Controller& controller) {
        return admin::create_topics(allowed, controller, request.arena);
    };
    wire::CreateTopicsResponse out =
        co_await change_metadata(request, &wire::CreateTopicsResponse::topics, make);
    if (request.version() >= 5) hide_settings(request, out.topics);
    const std::vector<std::string_view> denied{denied_names.begin(), denied_names.end()};
    out.topics = with(out.topics, denied, request.arena, [](std::string_view name) {
        Created told;
        told.name = name;
        told.error_code = wire_code(Errc::kTopicAuthorizationFailed);
        told.error_message = kDenied;
        return told;
    });
    co_return out;
}

rt::Task<wire::DeleteTopicsResponse> handle_delete_topics(
    Request& request, const wire::DeleteTopicsRequest& message) {
    const DeletionRights rights{request, message};
    const auto make = [&request, &rights](metadata::Controller& controller) {
        return admin::delete_topics(rights.allowed(), request.version(), controller, request.arena);
    };
    wire::DeleteTopicsResponse out =
        co_await change_metadata(request, &wire::DeleteTopicsResponse::responses, make);
    out.responses = with(out.responses, rights.denied(), request.arena,
                         [](const Deleted& told) { return told; });
    co_return out;
}

rt::Task<wire::CreatePartitionsResponse> handle_create_partitions(
    Request& request, const wire::CreatePartitionsRequest& message) {
    std::vector<wire::CreatePartitionsRequest::CreatePartitionsTopic> topics;
    std::vector<std::string_view> denied;
    for (const auto& topic : message.topics)
        if (may_topic(request, auth::Operation::kAlter, topic.name))
            topics.push_back(topic);
        else
            denied.push_back(topic.name);
    wire::CreatePartitionsRequest allowed = message;
    allowed.topics = topics;
    const auto make = [&request, &allowed](metadata::Controller& controller) {
        return admin::create_partitions(allowed, controller, request.arena);
    };
    wire::CreatePartitionsResponse out =
        co_await change_metadata(request, &wire::CreatePartitionsResponse::results, make);
    out.results = with(out.results, denied, request.arena, [](std::string_view name) {
        Grown told;
        told.name = name;
        told.error_code = wire_code(Errc::kTopicAuthorizationFailed);
        told.error_message = kDenied;
        return told;
    });
    co_return out;
}

}  // namespace leat::broker
