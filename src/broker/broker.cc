// SPDX-License-Identifier: Apache-2.0
#include "broker/broker.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "broker/log_level.h"
#include "broker/metrics.h"
#include "broker/shard_storage.h"
#include "broker/telemetry.h"
#include "config/access_settings.h"
#include "obs/log.h"
#include "rt/on_pool.h"

namespace leat::broker {
namespace {

constexpr obs::Logger kLog{"broker"};

// Levels as Kafka 4.1 has them. A feature is finalized once what it promises is implemented.
constexpr auto kFeatures = std::to_array<admin::Feature>({
    // About replicas that fell behind, of which one node has none: what it promises always holds. A
    // new Kafka finalizes it and fixes min.insync.replicas for the whole cluster with it; here that
    // stays with the administrator.
    {.name = "eligible.leader.replicas.version", .min = 0, .max = 1, .finalized = 0},
    {.name = "group.version", .min = 0, .max = 1, .finalized = 1},
    // 0, as of a quorum whose voters stand in a settings file.
    {.name = "kraft.version", .min = 0, .max = 1, .finalized = 0, .only_rises = true},
    {.name = "metadata.version", .min = 7, .max = 27, .finalized = 27, .is_fixed = true},
    {.name = "transaction.version", .min = 0, .max = 2, .finalized = 2},
});
constexpr std::int64_t kFeaturesEpoch = 4;

Result<void> started_uncleanly(metadata::Controller& controller, metadata::MetadataStore& store) {
    std::vector<metadata::Delta> deltas;
    controller.bump_leader_epochs(deltas);
    LEAT_TRY_VOID(store.commit(deltas));
    kLog.info("the last run did not end cleanly: partitions are recovered, leader epochs rise",
              {{"unclean_starts", controller.image().unclean_starts()}});
    return {};
}

}  // namespace

Broker::Broker(BrokerParts parts) : parts_(std::move(parts)) {
    LEAT_CHECK(!parts_.executors.empty());
}

Broker::~Broker() = default;

Result<std::unique_ptr<Broker>> Broker::open(BrokerParts parts) {
    std::unique_ptr<Broker> broker{new Broker{std::move(parts)}};
    LEAT_TRY(metadata::Controller controller, broker->load());
    broker->node_id_ = controller.image().broker().node_id;
    if (const auto& config = controller.image().broker(); config::has_authorizer(config)) {
        auth::Policy policy{.super_users = config::super_users(config),
                            .allows_without_rules = config.allow_without_acls};
        broker->policy_ = std::make_unique<const auth::Policy>(std::move(policy));
    }
    broker->telemetry_ = std::make_unique<Telemetry>();
    LEAT_TRY(broker->audit_, AuditLog::open(controller.image().broker(), *broker->parts_.disk,
                                            *broker->parts_.pool));
    LEAT_TRY_VOID(broker->reconcile(controller.image()));
    broker->metrics_ = std::make_unique<BrokerMetrics>(*broker->parts_.registry);
    broker->make_shards(controller.image());
    std::vector<metadata::ShardReplica> replicas;
    replicas.reserve(broker->shards_.size());
    for (const auto& shard : broker->shards_)
        replicas.push_back({.executor = &shard->executor(),
                            .image = &shard->mutable_image(),
                            .listener = shard.get()});
    broker->authority_ = std::make_unique<metadata::Authority>(
        std::move(controller), *broker->parts_.store, *broker->parts_.pool, std::move(replicas));
    return broker;
}

Result<metadata::Controller> Broker::load() {
    storage::DataDirectory& directory = *parts_.directory;
    LEAT_TRY(const metadata::State state, parts_.store->load());
    LEAT_TRY_VOID(directory.bind_cluster(state.cluster_id));
    LEAT_TRY(metadata::Image image, metadata::Image::make(state, parts_.layers));
    rt::Executor& home = *parts_.executors.front();
    metadata::Controller controller{std::move(image), [&home] { return home.random(); }};
    if (!directory.was_clean() && !directory.is_new())
        LEAT_TRY_VOID(started_uncleanly(controller, *parts_.store));
    return controller;
}

Result<void> Broker::reconcile(const metadata::Image& image) {
    std::vector<storage::PartitionSpec> known;
    for (const auto& [name, topic] : image.topics())
        for (std::int32_t index = 0; index < topic->partition_count; ++index)
            known.push_back({.topic = topic->name,
                             .id = {topic->id, index},
                             .leader_epoch = image.leader_epoch(*topic),
                             .config = topic->config});
    LEAT_TRY(const std::vector<std::string> stray,
             parts_.directory->reconcile(known, parts_.start_threads));
    for (const std::string& folder : stray)
        kLog.warn("a folder belongs to no known partition and was put aside", {{"folder", folder}});
    return {};
}

void Broker::make_shards(const metadata::Image& image) {
    descriptors_ = share_descriptors(descriptor_limit(), image.broker().open_files_max,
                                     parts_.executors.size());
    ShardStorage storage{parts_, image.share_broker(), descriptors_.log_files};
    for (std::size_t i = 0; i < parts_.executors.size(); ++i) {
        Shard::Parts parts{.broker = this,
                           .index = i,
                           .shard_count = parts_.executors.size(),
                           .executor = parts_.executors[i],
                           .storage = nullptr,
                           .keeps = nullptr};
        parts.storage = storage.make_context(*parts.executor, parts.keeps);
        shards_.push_back(std::make_unique<Shard>(std::move(parts), image.clone()));
        if (parts_.make_groups) shards_.back()->set_groups(parts_.make_groups(*shards_.back()));
        if (parts_.make_transactions)
            shards_.back()->set_transactions(parts_.make_transactions(*shards_.back()));
    }
}

Shard& Broker::shard_of(const storage::PartitionId& id) const noexcept {
    if (shards_.size() == 1) return *shards_.front();
    return *shards_[PartitionIdHash{}(id) % shards_.size()];
}

rt::Task<void> Broker::open_on(Shard* shard, rt::Countdown* left) {
    co_await rt::hop(shard->executor());
    co_await shard->open_all();
    co_await rt::hop(shards_.front()->executor());
    left->arrive();
}

rt::Task<void> Broker::tell_started(Shard* shard, rt::Countdown* left) {
    co_await rt::hop(shard->executor());
    shard->started();
    co_await rt::hop(shards_.front()->executor());
    left->arrive();
}

rt::Task<void> Broker::start() {
    parts_.directory->logs_are_opened();
    // As an earlier run was told; the process began with its static settings.
    if (!shards_.front()->image().layers().dynamic_broker.empty() ||
        !shards_.front()->image().layers().dynamic_default.empty())
        obs::set_level(level_of(shards_.front()->config().log_level));
    for (const std::string& name : config::ignored_dynamic_names(shards_.front()->image().layers()))
        kLog.warn(
            "dynamic setting ignored; it needs a restart, so set it in the file and delete it",
            {{"setting", name}});
    rt::Countdown left{shards_.size()};
    for (const auto& shard : shards_) rt::start(open_on(shard.get(), &left));
    co_await left;
    rt::Countdown told{shards_.size()};
    for (const auto& shard : shards_) rt::start(tell_started(shard.get(), &told));
    co_await told;
}

rt::Task<void> Broker::shut_down_on(Shard* shard, rt::Countdown* left, Result<void>* result) {
    co_await rt::hop(shard->executor());
    Result<void> done = co_await shard->shut_down();
    co_await rt::hop(shards_.front()->executor());
    if (!done.has_value() && result->has_value()) *result = std::move(done);
    left->arrive();
}

rt::Task<Result<void>> Broker::stop() {
    rt::Countdown left{shards_.size()};
    Result<void> result;
    for (const auto& shard : shards_) rt::start(shut_down_on(shard.get(), &left, &result));
    co_await left;
    if (!result.has_value()) co_return result;
    co_return co_await rt::on_pool(*parts_.pool, shards_.front()->executor(),
                                   [this] { return parts_.directory->mark_clean(); });
}

std::string Broker::failure() const {
    return data_failure(shards_.front()->storage());
}

std::span<const admin::Feature> Broker::features() const noexcept {
    return kFeatures;
}

std::int64_t Broker::features_epoch() const noexcept {
    return kFeaturesEpoch;
}

admin::Endpoint Broker::endpoint(std::string_view name) const {
    const auto at = std::ranges::find(endpoints_, name, &config::Listener::name);
    if (at == endpoints_.end()) return {};
    return {.listener = at->name, .host = at->host, .port = at->port};
}

bool Broker::auto_creates_topics(const config::BrokerConfig& config) const {
    if (config.auto_create_topics) return *config.auto_create_topics;
    return std::ranges::all_of(config.listeners, [](const config::Listener& listener) {
        return listener.protocol == config::Protocol::kPlaintext &&
               config::is_loopback(listener.host);
    });
}

}  // namespace leat::broker
