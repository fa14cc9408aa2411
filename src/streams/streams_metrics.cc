// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/streams_metrics.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "leat/streams/detail/json_text.h"
#include "leat/streams/detail/task.h"
#include "streams/sensor_listing.h"

namespace leat::streams {
namespace {

using Measure = Sensor::Measure;

constexpr std::string_view kThreadTag = "thread-id";

/// What a sensor is told as.
struct Told {
    std::string_view suffix;
    Measure measure{};
    std::string_view help;  ///< Behind it comes the operation's name.
    bool is_latency = false;
};
constexpr auto kTold = std::to_array<Told>({
    {"-rate", Measure::kRate, "Number a second of ", false},
    {"-total", Measure::kTotal, "Number of ", false},
    {"-latency-avg", Measure::kAverage, "Average time of ", true},
    {"-latency-max", Measure::kMax, "Longest time of ", true},
});

/// Other text would break what is scraped, for all metrics.
bool is_name(std::string_view text) {
    const auto is_letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
    const auto is_inner = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    };
    return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, is_inner);
}

Error invalid(const detail::SensorOrder& order, std::string_view why) {
    return Error{Errc::kInvalidRequest, "sensor " + order.scope + ", " + order.entity + ", " +
                                            order.operation + ": " + std::string{why}};
}

Result<detail::SensorListing> listing_of(const std::string& thread,
                                         const detail::SensorOrder& order) {
    if (!is_name(order.scope) || !is_name(order.operation) || order.entity.empty())
        return invalid(order, "its scope and operation are names, and it has an entity");
    if (!detail::is_utf8(order.entity)) return invalid(order, "its entity is no UTF-8");
    if (underscored(order.scope + "-id") == underscored(kThreadTag))
        return invalid(order, "a thread is no scope");
    detail::SensorListing out{
        .group = "stream-" + order.scope + "-metrics",
        .operation = order.operation,
        .tags = {{std::string{kThreadTag}, thread}, {order.scope + "-id", order.entity}},
        .has_latency = order.has_latency};
    for (const auto& [name, value] : order.tags) {
        if (!is_name(name)) return invalid(order, "a tag's name is none: " + name);
        if (!detail::is_utf8(value)) return invalid(order, "no UTF-8 is what it has as " + name);
        for (const auto& [other, of] : out.tags)
            if (underscored(other) == underscored(name))
                return invalid(order, "it has a tag already that is called " + name);
        out.tags.emplace(name, value);
    }
    return out;
}

/// A series of that name would be there twice.
bool is_ours(const detail::SensorListing& listing) {
    const std::string group = underscored(listing.group);
    return std::ranges::any_of(metric_rows(), [&](const MetricRow& row) {
        return underscored(row.group) == group && std::ranges::any_of(kTold, [&](const Told& told) {
                   return underscored(row.name) ==
                          underscored(listing.operation + std::string{told.suffix});
               });
    });
}

std::string series_of(const detail::SensorListing& listing) {
    std::string out = underscored(listing.group) + '\n' + underscored(listing.operation);
    for (const auto& [name, value] : listing.tags)
        out.append("\n").append(underscored(name)).append("=").append(value);
    return out;
}

}  // namespace

Result<std::shared_ptr<detail::SensorListing>> MetricRoom::list(const std::string& thread,
                                                                const detail::SensorOrder& order,
                                                                std::int64_t now_ms) {
    LEAT_TRY(detail::SensorListing wanted, listing_of(thread, order));
    if (is_ours(wanted)) return invalid(order, "Kafka Streams has metrics of that name");
    if (order.level > level_) return std::shared_ptr<detail::SensorListing>{};
    const std::string series = series_of(wanted);
    const std::lock_guard lock{mutex_};
    std::erase_if(listed_, [](const auto& one) { return one.second.expired(); });
    std::weak_ptr<detail::SensorListing>& place = listed_[series];
    auto found = place.lock();
    if (found == nullptr) {
        found = std::make_shared<detail::SensorListing>(std::move(wanted));
        found->sensor->tick(now_ms, window_);
        place = found;
    }
    found->has_latency = found->has_latency || order.has_latency;
    return found;
}

void MetricRoom::add_listed(std::vector<MetricValue>& out, std::int64_t now_ms) const {
    for (const auto& [series, place] : listed_) {
        const auto listing = place.lock();
        if (listing == nullptr) continue;
        for (const Told& told : kTold)
            if (!told.is_latency || listing->has_latency)
                out.push_back({.group = listing->group,
                               .name = listing->operation + std::string{told.suffix},
                               .description = std::string{told.help} + listing->operation,
                               .tags = listing->tags,
                               .value = listing->sensor->read(told.measure, now_ms, window_)});
    }
}

void MetricSensor::record(std::int64_t value) const noexcept {
    if (sensor_ != nullptr) sensor_->record(value);
}

StreamsMetrics::~StreamsMetrics() = default;

Result<MetricSensor> StreamsMetrics::add_rate_total_sensor(std::string_view scope,
                                                           std::string_view entity,
                                                           std::string_view operation,
                                                           RecordingLevel level, const Tags& tags) {
    return add({.scope = std::string{scope},
                .entity = std::string{entity},
                .operation = std::string{operation},
                .tags = tags,
                .level = level});
}

Result<MetricSensor> StreamsMetrics::add_latency_rate_total_sensor(std::string_view scope,
                                                                   std::string_view entity,
                                                                   std::string_view operation,
                                                                   RecordingLevel level,
                                                                   const Tags& tags) {
    return add({.scope = std::string{scope},
                .entity = std::string{entity},
                .operation = std::string{operation},
                .tags = tags,
                .level = level,
                .has_latency = true});
}

Result<MetricSensor> StreamsMetrics::add(const detail::SensorOrder& order) {
    LEAT_TRY(auto listing, node_->task().list_sensor(order));
    if (listing == nullptr) return MetricSensor{};
    if (std::ranges::find(listed_, listing) == listed_.end()) {
        if (listed_.size() >= kSensorsMax)
            return Error{
                Errc::kLimitExceeded,
                node_->name() + ": it has " + std::to_string(kSensorsMax) + " sensors already"};
        listed_.push_back(listing);
    }
    return MetricSensor{listing->sensor};
}

void StreamsMetrics::remove_sensor(const MetricSensor& sensor) {
    std::erase_if(listed_, [&](const auto& one) { return one->sensor == sensor.sensor_; });
}

}  // namespace leat::streams
