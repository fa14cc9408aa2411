// SPDX-License-Identifier: Apache-2.0
#include "broker/admin/configs.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/describe.h"
#include "config/resource_config.h"
#include "obs/log_line.h"

namespace leat::broker::admin {
namespace {

using metadata::ResourceType;
using Entry = wire::DescribeConfigsResponse::DescribeConfigsResourceResult;
using EntrySynonym = wire::DescribeConfigsResponse::DescribeConfigsSynonym;

/// All loggers that have no level of their own. Numbers and names are Kafka's.
constexpr std::string_view kRootLogger = "root";
constexpr std::int8_t kLoggerSource = 6;

Result<void> check_broker(std::string_view name, const metadata::Image& image, bool may_be_empty) {
    const std::string here = std::to_string(image.broker().node_id);
    if (name == here || (may_be_empty && name.empty())) return {};
    if (name.empty()) return Error{Errc::kInvalidRequest, "Broker id must not be empty"};
    const bool is_number =
        name.find_first_not_of("0123456789", name.front() == '-' ? 1 : 0) == std::string_view::npos;
    if (!is_number)
        return Error{Errc::kInvalidRequest,
                     "Broker id must be an integer, but it is: " + std::string{name}};
    return Error{Errc::kInvalidRequest, "Unexpected broker id, expected " + here +
                                            (may_be_empty ? " or empty string, but" : " but") +
                                            " received " + std::string{name}};
}

std::string upper(std::string_view text) {
    std::string out{text};
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    return out;
}

config::Described logger(std::string_view name, obs::Level level) {
    config::Described out;
    out.name = name;
    out.value = upper(obs::name_of(level));
    out.source = static_cast<config::Source>(kLoggerSource);
    out.type = config::Type::kUnknown;
    return out;
}

std::vector<config::Described> describe_loggers() {
    std::vector<config::Described> out;
    out.reserve(obs::kComponents.size() + 1);
    for (const std::string_view name : obs::kComponents)
        out.push_back(logger(name, obs::level(name)));
    out.push_back(logger(kRootLogger, obs::level()));
    return out;
}

Result<std::vector<config::Described>> described(std::int8_t type, std::string_view name,
                                                 const metadata::Image& image) {
    switch (static_cast<ResourceType>(type)) {
        case ResourceType::kTopic: {
            if (const std::string why = metadata::topic_name_error(name); !why.empty())
                return Error{Errc::kInvalidTopicException, "Topic name is invalid: " + why};
            const metadata::Topic* topic = image.find(name);
            if (topic == nullptr) return Error{Errc::kUnknownTopicOrPartition};
            return config::describe_topic(image.layers(), topic->overrides);
        }
        case ResourceType::kBroker:
            LEAT_TRY_VOID(check_broker(name, image, true));
            return name.empty() ? config::describe_broker_default(image.layers())
                                : config::describe_broker(image.layers());
        case ResourceType::kBrokerLogger:
            LEAT_TRY_VOID(check_broker(name, image, false));
            return describe_loggers();
        case ResourceType::kClientMetrics: {
            if (name.empty())
                return Error{Errc::kInvalidRequest,
                             "Client metrics subscription name must not be empty"};
            const auto found = image.client_metrics().find(std::string{name});
            return config::describe_resource(
                config::client_metrics_settings(),
                found != image.client_metrics().end() ? found->second : config::Values{});
        }
        case ResourceType::kGroup: {
            if (name.empty())
                return Error{Errc::kInvalidRequest, "The name of the resource must not be empty"};
            const auto found = image.group_configs().find(std::string{name});
            return config::describe_group(image.layers(), found != image.group_configs().end()
                                                              ? found->second
                                                              : config::Values{});
        }
    }
    return Error{Errc::kInvalidRequest,
                 "This most likely occurs because of a request being malformed by the client "
                 "library or the message was sent to an incompatible broker. See the broker logs "
                 "for more details."};
}

Entry entry_of(const config::Described& one, const wire::DescribeConfigsRequest& request,
               Arena& arena) {
    Entry entry;
    entry.name = arena.copy(one.name);
    entry.value = copied(one.value, arena);
    entry.read_only = one.read_only;
    entry.is_default = one.is_default();
    entry.config_source = static_cast<std::int8_t>(one.source);
    entry.is_sensitive = one.sensitive;
    entry.config_type = static_cast<std::int8_t>(one.type);
    entry.documentation.reset();
    // Loggers have an empty one, asked for or not, as in Kafka.
    if (entry.config_source == kLoggerSource) entry.documentation = "";
    if (request.include_documentation && !one.doc.empty()) entry.documentation = one.doc;
    if (!request.include_synonyms) return entry;
    entry.synonyms = arena.array<EntrySynonym>(one.synonyms.size());
    for (std::size_t i = 0; i < one.synonyms.size(); ++i) {
        entry.synonyms[i].name = arena.copy(one.synonyms[i].name);
        entry.synonyms[i].value = copied(one.synonyms[i].value, arena);
        entry.synonyms[i].source = static_cast<std::int8_t>(one.synonyms[i].source);
    }
    return entry;
}

/// Answers to a list of changes, in the messages of either API: the fields have the same names.
template <class Answer, class Resources>
std::span<Answer> answers(const Resources& resources,
                          const std::vector<metadata::Outcome>& outcomes, Arena& arena) {
    const auto told = arena.array<Answer>(outcomes.size());
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        told[i].error_code = code(outcomes[i].error);
        told[i].error_message = message(outcomes[i].message, arena);
        told[i].resource_type = resources[i].resource_type;
        told[i].resource_name = resources[i].resource_name;
    }
    return told;
}

std::optional<obs::Level> level_named(std::string_view name) {
    const std::string wanted = upper(name);
    if (wanted == "TRACE") return obs::Level::kTrace;
    if (wanted == "DEBUG") return obs::Level::kDebug;
    if (wanted == "INFO") return obs::Level::kInfo;
    if (wanted == "WARN") return obs::Level::kWarn;
    if (wanted == "ERROR" || wanted == "FATAL") return obs::Level::kError;
    return std::nullopt;
}

/// One change to a logger, checked as Kafka checks it.
Result<LogLevelChange> logger_change(const config::Alteration& alteration) {
    const bool is_root = alteration.name == kRootLogger;
    const auto* const known = std::ranges::find(obs::kComponents, alteration.name);
    const auto missing = [&]() -> Result<void> {
        if (is_root || known != obs::kComponents.end()) return {};
        return Error{Errc::kInvalidConfig, "Logger " + alteration.name + " does not exist!"};
    };
    LogLevelChange out;
    if (!is_root && known != obs::kComponents.end()) out.component = *known;
    switch (alteration.op) {
        case config::AlterOp::kSet:
            LEAT_TRY_VOID(missing());
            out.level = level_named(*alteration.value);
            if (out.level) return out;
            return Error{Errc::kInvalidConfig,
                         "Cannot set the log level of " + alteration.name + " to " +
                             *alteration.value +
                             " as it is not a supported log level. Valid log levels are "
                             "DEBUG, ERROR, FATAL, INFO, TRACE, WARN"};
        case config::AlterOp::kDelete:
            LEAT_TRY_VOID(missing());
            if (!is_root) return out;
            return Error{Errc::kInvalidRequest,
                         "Removing the log level of the root logger is not allowed"};
        case config::AlterOp::kAppend:
        case config::AlterOp::kSubtract:
            break;
    }
    return Error{Errc::kInvalidRequest,
                 std::string{alteration.op == config::AlterOp::kAppend ? "APPEND" : "SUBTRACT"} +
                     " operation is not allowed for the BROKER_LOGGER resource"};
}

/// Kafka speaks of nodes where levels are changed, and of brokers elsewhere.
Result<void> check_node(std::string_view name, const metadata::Image& image) {
    const auto checked = check_broker(name, image, false);
    if (checked.has_value()) return {};
    const bool is_number =
        !name.empty() &&
        name.find_first_not_of("0123456789", name.front() == '-' ? 1 : 0) == std::string_view::npos;
    const std::string got{name};
    return Error{checked.error().code(),
                 is_number ? "Unexpected node id. Expected " +
                                 std::to_string(image.broker().node_id) + ", but received " + got
                           : "Node id must be an integer, but it is: " + got};
}

/// Changes of log levels: the answer, and the levels to set.
metadata::Outcome alter_loggers(const metadata::ConfigChange& change, const metadata::Image& image,
                                std::vector<LogLevelChange>& levels) {
    metadata::Outcome outcome;
    outcome.name = change.name;
    const auto refuse = [&outcome](const Error& error) {
        outcome.error = error.code();
        outcome.message = std::string{error.detail()};
        return outcome;
    };
    for (const Result<void>& checked :
         {check_node(change.name, image), config::check_alterations(change.alterations)})
        if (!checked.has_value()) return refuse(checked.error());
    std::vector<LogLevelChange> all;
    for (const config::Alteration& alteration : change.alterations) {
        const Result<LogLevelChange> one = logger_change(alteration);
        if (!one.has_value()) return refuse(one.error());
        all.push_back(*one);
    }
    levels.insert(levels.end(), all.begin(), all.end());
    return outcome;
}

/// Logger changes are kept from the controller, which knows topics and brokers only; the answers
/// are put together in the order of the request.
std::vector<metadata::Outcome> execute(const std::vector<metadata::ConfigChange>& changes,
                                       bool validate_only, metadata::Controller& controller,
                                       std::vector<metadata::Delta>& deltas,
                                       std::vector<LogLevelChange>& levels) {
    std::vector<metadata::ConfigChange> others;
    for (const metadata::ConfigChange& change : changes)
        if (change.type != ResourceType::kBrokerLogger) others.push_back(change);
    auto done = controller.alter_configs(others, validate_only, deltas);
    std::vector<metadata::Outcome> outcomes;
    std::size_t next = 0;
    outcomes.reserve(changes.size());
    for (const metadata::ConfigChange& change : changes)
        outcomes.push_back(change.type != ResourceType::kBrokerLogger
                               ? std::move(done[next++])
                               : alter_loggers(change, controller.image(), levels));
    if (validate_only) levels.clear();
    return outcomes;
}

}  // namespace

wire::DescribeConfigsResponse describe_configs(const wire::DescribeConfigsRequest& request,
                                               const metadata::Image& image, Arena& arena,
                                               std::size_t arena_bytes_max) {
    wire::DescribeConfigsResponse response;
    response.results =
        arena.array<wire::DescribeConfigsResponse::DescribeConfigsResult>(request.resources.size());
    for (std::size_t i = 0; i < request.resources.size(); ++i) {
        const auto& resource = request.resources[i];
        auto& result = response.results[i];
        result.resource_type = resource.resource_type;
        result.resource_name = resource.resource_name;
        auto all = described(resource.resource_type, resource.resource_name, image);
        if (!all.has_value()) {
            result.error_code = code(all.error().code());
            result.error_message = arena.copy(all.error().detail());
            continue;
        }
        const auto& keys = resource.configuration_keys;
        std::erase_if(*all, [&keys](const config::Described& one) {
            // No keys are all keys, as in Kafka.
            return keys && !keys->empty() && std::ranges::find(*keys, one.name) == keys->end();
        });
        result.configs = arena.array<Entry>(all->size());
        for (std::size_t k = 0; k < all->size(); ++k)
            result.configs[k] = entry_of((*all)[k], request, arena);
        // Eight bytes ask for 35 KB.
        if (arena.capacity_bytes() > arena_bytes_max) break;
    }
    return response;
}

wire::ListConfigResourcesResponse list_config_resources(
    const wire::ListConfigResourcesRequest& request, std::int16_t version,
    const metadata::Image& image, Arena& arena) {
    using Told = wire::ListConfigResourcesResponse::ConfigResource;
    wire::ListConfigResourcesResponse response;
    const auto known = {ResourceType::kTopic, ResourceType::kBroker, ResourceType::kBrokerLogger,
                        ResourceType::kClientMetrics, ResourceType::kGroup};
    for (const std::int8_t type : request.resource_types)
        if (std::ranges::find(known, static_cast<ResourceType>(type)) == known.end()) {
            response.error_code = code(Errc::kUnsupportedVersion);
            return response;
        }
    const auto wants = [&](ResourceType type) {
        const auto number = static_cast<std::int8_t>(type);
        if (version == 0) return type == ResourceType::kClientMetrics;
        return (request.resource_types.empty() ||
                std::ranges::find(request.resource_types, number) != request.resource_types.end());
    };
    std::vector<Told> all;
    const auto add = [&all](std::string_view name, ResourceType type) {
        Told& told = all.emplace_back();
        told.resource_name = name;
        told.resource_type = static_cast<std::int8_t>(type);
    };
    const std::string_view node = arena.copy(std::to_string(image.broker().node_id));
    for (const ResourceType type : {ResourceType::kBrokerLogger, ResourceType::kBroker})
        if (wants(type)) add(node, type);
    if (wants(ResourceType::kClientMetrics))
        for (const auto& [name, values] : image.client_metrics())
            add(arena.copy(std::string_view{name}), ResourceType::kClientMetrics);
    if (wants(ResourceType::kGroup))
        for (const auto& [name, values] : image.group_configs())
            add(arena.copy(std::string_view{name}), ResourceType::kGroup);
    if (wants(ResourceType::kTopic))
        for (const auto& [name, topic] : image.topics())
            add(arena.copy(name), ResourceType::kTopic);
    response.config_resources = arena.array<Told>(all.size());
    std::ranges::copy(all, response.config_resources.begin());
    return response;
}

Change<wire::AlterConfigsResponse> alter_configs(const wire::AlterConfigsRequest& request,
                                                 metadata::Controller& controller, Arena& arena) {
    Change<wire::AlterConfigsResponse> change;
    std::vector<metadata::ConfigChange> changes;
    for (const auto& resource : request.resources) {
        metadata::ConfigChange& one = changes.emplace_back();
        one.type = static_cast<ResourceType>(resource.resource_type);
        one.name = resource.resource_name;
        one.replace_all = true;
        for (const auto& setting : resource.configs)
            one.alterations.push_back(
                {std::string{setting.name}, config::AlterOp::kSet,
                 setting.value ? std::optional<std::string>{*setting.value} : std::nullopt});
    }
    const auto outcomes = controller.alter_configs(changes, request.validate_only, change.deltas);
    change.response.responses = answers<wire::AlterConfigsResponse::AlterConfigsResourceResponse>(
        request.resources, outcomes, arena);
    return change;
}

Change<wire::IncrementalAlterConfigsResponse> incremental_alter_configs(
    const wire::IncrementalAlterConfigsRequest& request, metadata::Controller& controller,
    Arena& arena) {
    Change<wire::IncrementalAlterConfigsResponse> change;
    std::vector<metadata::ConfigChange> changes;
    for (const auto& resource : request.resources) {
        metadata::ConfigChange& one = changes.emplace_back();
        one.type = static_cast<ResourceType>(resource.resource_type);
        one.name = resource.resource_name;
        for (const auto& setting : resource.configs)
            one.alterations.push_back(
                {std::string{setting.name}, static_cast<config::AlterOp>(setting.config_operation),
                 setting.value ? std::optional<std::string>{*setting.value} : std::nullopt});
    }
    const auto outcomes =
        execute(changes, request.validate_only, controller, change.deltas, change.log_levels);
    change.response.responses =
        answers<wire::IncrementalAlterConfigsResponse::AlterConfigsResourceResponse>(
            request.resources, outcomes, arena);
    return change;
}

}  // namespace leat::broker::admin
