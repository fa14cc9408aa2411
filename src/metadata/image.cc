// SPDX-License-Identifier: Apache-2.0
#include "metadata/image.h"

#include <utility>

#include "base/check.h"
#include "config/access_settings.h"
#include "obs/log.h"

namespace leat::metadata {
namespace {

constexpr obs::Logger kLog{"metadata"};

template <class... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};

/// A topic without settings of its own shares one struct with all such topics.
std::shared_ptr<const config::TopicConfig> resolved(
    const config::BrokerConfig& broker, const config::Values& overrides,
    std::shared_ptr<const config::TopicConfig>& plain) {
    if (!overrides.empty()) return config::resolve_topic(broker, overrides);
    if (plain == nullptr) plain = config::resolve_topic(broker, {});
    return plain;
}

}  // namespace

bool Topic::is_internal() const noexcept {
    return name == "__consumer_offsets" || name == "__transaction_state" ||
           name == "__share_group_state";
}

Result<Image> Image::make(const State& state, const config::Layers& static_layers) {
    Image image;
    auto layers = std::make_shared<config::Layers>(static_layers);
    layers->dynamic_default = state.dynamic_default;
    layers->dynamic_broker = state.dynamic_broker;
    LEAT_TRY(image.broker_, config::resolve(*layers));
    image.layers_ = std::move(layers);
    image.cluster_id_ = state.cluster_id;
    image.next_producer_id_ = state.next_producer_id;
    image.unclean_starts_ = state.unclean_starts;
    image.client_metrics_ = state.client_metrics;
    image.group_configs_ = state.group_configs;
    image.feature_levels_ = state.feature_levels;
    image.feature_changes_ = state.feature_changes;
    for (const auth::Acl& acl : state.acls) image.acls_.insert(acl);
    for (const auto& [entity, values] : state.quotas) image.quotas_.set(entity, values);
    image.credentials_ = state.credentials;
    if (const auto gone = image.credentials_.keep_tokens_of(config::token_secret(*image.broker_)))
        kLog.warn("delegation tokens of another secret do not hold", {{"tokens", gone}});
    std::shared_ptr<const config::TopicConfig> plain;
    for (const StoredTopic& stored : state.topics) {
        auto topic = std::make_shared<Topic>();
        topic->id = stored.id;
        topic->name = stored.name;
        topic->partition_count = stored.partition_count;
        topic->created_epoch = stored.created_epoch;
        topic->overrides = stored.overrides;
        topic->config = resolved(*image.broker_, stored.overrides, plain);
        image.insert(std::move(topic));
    }
    return image;
}

Image Image::clone() const {
    Image copy;
    copy.layers_ = layers_;
    copy.broker_ = broker_;
    copy.cluster_id_ = cluster_id_;
    copy.next_producer_id_ = next_producer_id_;
    copy.unclean_starts_ = unclean_starts_;
    copy.version_ = version_;
    copy.acls_ = acls_.clone();
    copy.quotas_ = quotas_;
    copy.client_metrics_ = client_metrics_;
    copy.group_configs_ = group_configs_;
    copy.credentials_ = credentials_;
    copy.feature_levels_ = feature_levels_;
    copy.feature_changes_ = feature_changes_;
    for (const auto& [name, topic] : topics_) copy.insert(topic);
    return copy;
}

void Image::apply(const Delta& delta) {
    ++version_;
    std::visit(Overloaded{
                   [this](const TopicCreated& d) { insert(d.topic); },
                   [this](const TopicDeleted& d) { erase(*d.topic); },
                   [this](const PartitionsAdded& d) { replace(d.topic); },
                   [this](const TopicConfigChanged& d) { replace(d.topic); },
                   [this](const BrokerConfigChanged& d) {
                       layers_ = d.layers;
                       broker_ = d.config;
                       resolve_all();
                   },
                   [this](const ProducerIdsAllocated& d) { next_producer_id_ = d.next; },
                   [this](const LeaderEpochsBumped& d) { unclean_starts_ = d.unclean_starts; },
                   [this](const FeatureLevelsChanged& d) {
                       feature_levels_ = d.levels;
                       feature_changes_ = d.changes;
                   },
                   [this](const ResourceConfigChanged& d) {
                       auto& all =
                           d.type == ResourceType::kGroup ? group_configs_ : client_metrics_;
                       if (d.values.empty())
                           all.erase(d.name);
                       else
                           all[d.name] = d.values;
                   },
                   [this](const QuotasChanged& d) { quotas_.set(d.entity, d.values); },
                   [this](const AclsChanged& d) {
                       for (const auth::Acl& acl : *d.removed) acls_.erase(acl);
                       for (const auth::Acl& acl : *d.added) acls_.insert(acl);
                   },
                   [this](const ScramChanged& d) { credentials_.apply(d); },
                   [this](const TokenChanged& d) { credentials_.apply(d); },
                   [this](const SuperUserChanged& d) { credentials_.apply(d); },
               },
               delta);
}

const Topic* Image::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found != by_name_.end() ? found->second->get() : nullptr;
}

const Topic* Image::find(const Uuid& id) const {
    const auto found = by_id_.find(id);
    return found != by_id_.end() ? found->second->get() : nullptr;
}

TopicPtr Image::share(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found != by_name_.end() ? *found->second : nullptr;
}

TopicPtr Image::share(const Uuid& id) const {
    const auto found = by_id_.find(id);
    return found != by_id_.end() ? *found->second : nullptr;
}

void Image::insert(TopicPtr topic) {
    partition_total_ += topic->partition_count;
    const std::string_view name = topic->name;
    const Uuid id = topic->id;
    const auto [place, is_new] = topics_.emplace(name, std::move(topic));
    LEAT_CHECK(is_new);
    by_name_.emplace(name, &place->second);
    const bool is_new_id = by_id_.emplace(id, &place->second).second;
    LEAT_CHECK(is_new_id);
}

void Image::erase(const Topic& topic) {
    const auto place = topics_.find(topic.name);
    LEAT_CHECK(place != topics_.end() && place->second->id == topic.id);
    const TopicPtr keep = place->second;  // The keys below are views of its name.
    partition_total_ -= keep->partition_count;
    by_id_.erase(keep->id);
    by_name_.erase(keep->name);
    topics_.erase(place);
}

void Image::replace(const TopicPtr& topic) {
    erase(*topic);
    insert(topic);
}

void Image::resolve_all() {
    std::shared_ptr<const config::TopicConfig> plain;
    std::vector<TopicPtr> fresh;
    fresh.reserve(topics_.size());
    for (const auto& [name, topic] : topics_) {
        auto copy = std::make_shared<Topic>(*topic);
        copy->config = resolved(*broker_, copy->overrides, plain);
        fresh.push_back(std::move(copy));
    }
    for (const TopicPtr& topic : fresh) replace(topic);
}

}  // namespace leat::metadata
