// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/streams_metrics.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
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

Error invalid(std::string_view what, std::string_view why) {
    return Error{Errc::kInvalidRequest, std::string{what} + ": " + std::string{why}};
}

std::string name_of(const detail::SensorOrder& order) {
    return "sensor " + order.scope + ", " + order.entity + ", " + order.operation;
}

/// How Prometheus calls it.
std::string family_of(std::string_view group, std::string_view name) {
    return underscored(group) + "_" + underscored(name);
}

/// A series of that name would be there twice.
bool is_ours(const detail::OwnMetric& metric) {
    const std::string family = family_of(metric.group, metric.name);
    return std::ranges::any_of(metric_rows(), [&](const MetricRow& row) {
        return family_of(row.group, row.name) == family;
    });
}

/// Adds tags to those that are there. Errors: kInvalidRequest.
Result<void> add_tags(const std::string& what, const MetricSet::Tags& more, MetricSet::Tags& out) {
    for (const auto& [name, value] : more) {
        if (!is_name(name)) return invalid(what, "a tag's name is none: " + name);
        if (!is_utf8(value)) return invalid(what, "no UTF-8 is what it has as " + name);
        for (const auto& [other, of] : out)
            if (underscored(other) == underscored(name))
                return invalid(what, "it has a tag already that is called " + name);
        out.emplace(name, value);
    }
    return {};
}

Result<std::vector<detail::OwnMetric>> metrics_of(const std::string& thread,
                                                  const detail::SensorOrder& order) {
    const std::string me = name_of(order);
    if (!is_name(order.scope) || !is_name(order.operation) || order.entity.empty())
        return invalid(me, "its scope and operation are names, and it has an entity");
    if (!is_utf8(order.entity)) return invalid(me, "its entity is no UTF-8");
    if (underscored(order.scope + "-id") == underscored(kThreadTag))
        return invalid(me, "a thread is no scope");
    MetricSet::Tags tags{{std::string{kThreadTag}, thread}, {order.scope + "-id", order.entity}};
    LEAT_TRY_VOID(add_tags(me, order.tags, tags));
    std::vector<detail::OwnMetric> out;
    for (const Told& told : kTold) {
        if (told.is_latency && !order.has_latency) continue;
        out.push_back({.group = "stream-" + order.scope + "-metrics",
                       .name = order.operation + std::string{told.suffix},
                       .description = std::string{told.help} + order.operation,
                       .tags = tags,
                       .measure = told.measure});
        if (is_ours(out.back())) return invalid(me, "Kafka Streams has metrics of that name");
    }
    return out;
}

/// Which sensor is the same one.
std::string identity_of(const std::string& thread, const detail::SensorOrder& order,
                        const std::vector<detail::OwnMetric>& metrics) {
    // No name of a metric begins with a line's end.
    return order.name.empty() ? metrics.front().series() : "\n" + thread + "\n" + order.name;
}

/// Whether all above are of the thread, and each is there once; as Kafka's Sensor does, which would
/// record twice in one that is.
Result<void> check_parents(const std::string& thread, const detail::SensorOrder& order) {
    const std::string me = "sensor " + order.name;
    if (!is_utf8(order.name)) return invalid(me, "its name is no UTF-8");
    std::set<const detail::SensorLine*> seen;
    std::vector<const detail::SensorLine*> open;
    for (const auto& parent : order.parents) open.push_back(parent.get());
    while (!open.empty()) {
        const detail::SensorLine* one = open.back();
        open.pop_back();
        if (one->thread != thread) return invalid(me, "a parent is of another thread");
        if (!seen.insert(one).second) return invalid(me, "a sensor is above it twice");
        for (const auto& parent : one->parents) open.push_back(parent.get());
    }
    return {};
}

Measure measure_of(Statistic what) {
    switch (what) {
        case Statistic::kAvg:
            return Measure::kAverage;
        case Statistic::kMin:
            return Measure::kMin;
        case Statistic::kMax:
            return Measure::kMax;
        case Statistic::kWindowedCount:
            return Measure::kWindowedCount;
        case Statistic::kWindowedSum:
            return Measure::kWindowedSum;
        case Statistic::kCumulativeCount:
            return Measure::kTotal;
        case Statistic::kCumulativeSum:
            return Measure::kSum;
        case Statistic::kRate:
            return Measure::kSumRate;
        case Statistic::kRateOfCount:
            return Measure::kRate;
        case Statistic::kValue:
            return Measure::kValue;
    }
    return Measure::kValue;
}

}  // namespace

namespace detail {

void SensorLine::record(std::int64_t value) noexcept {
    sensor.record(value);
    sensor.set(value);
    for (const auto& parent : parents) parent->record(value);
}

bool SensorLine::leads_to(const SensorLine& other) const noexcept {
    return this == &other || std::ranges::any_of(parents, [&](const auto& parent) {
               return parent->leads_to(other);
           });
}

std::string OwnMetric::series() const {
    std::string out = family_of(group, name);
    for (const auto& [tag, value] : tags)
        out.append("\n").append(underscored(tag)).append("=").append(value);
    return out;
}

Result<std::shared_ptr<SensorListing>> ListedSensors::list(const SensorOrder& order,
                                                           std::int64_t now_ms) {
    if (room_ == nullptr) return std::shared_ptr<SensorListing>{};
    LEAT_TRY(auto listing, room_->list(thread_, order, now_ms));
    if (listing == nullptr) return listing;
    // A processor may ask for its sensor with each record.
    if (std::ranges::none_of(listed_, [&](const auto& one) { return one.lock() == listing; })) {
        std::erase_if(listed_, [](const auto& one) { return one.expired(); });
        listed_.push_back(listing);
    }
    return listing;
}

void ListedSensors::tick(std::int64_t now_ms) {
    if (room_ == nullptr) return;
    for (const auto& one : listed_)
        if (const auto listing = one.lock()) listing->line->sensor.tick(now_ms, room_->window());
}

}  // namespace detail

Result<std::shared_ptr<detail::SensorListing>> MetricRoom::list(const std::string& thread,
                                                                const detail::SensorOrder& order,
                                                                std::int64_t now_ms) {
    std::vector<detail::OwnMetric> metrics;
    if (order.name.empty()) {
        LEAT_TRY(metrics, metrics_of(thread, order));
    } else {
        LEAT_TRY_VOID(check_parents(thread, order));
    }
    if (order.level > level_) return std::shared_ptr<detail::SensorListing>{};
    const std::string identity = identity_of(thread, order, metrics);
    const std::lock_guard lock{mutex_};
    const auto is_gone = [](const auto& one) { return one.second.expired(); };
    std::erase_if(listed_, is_gone);
    std::erase_if(series_, is_gone);
    auto found = listed_[identity].lock();
    if (found == nullptr) {
        found = std::make_shared<detail::SensorListing>(detail::SensorListing{
            .room = this, .line = std::make_shared<detail::SensorLine>(thread, order.parents)});
        found->line->sensor.tick(now_ms, window_);
    }
    for (const auto& metric : metrics) LEAT_TRY_VOID(may_tell(*found, metric));
    for (auto& metric : metrics) tell(found, std::move(metric));
    listed_[identity] = found;
    return found;
}

Result<void> MetricRoom::may_tell(const detail::SensorListing& listing,
                                  const detail::OwnMetric& metric) const {
    const auto taken = series_.find(metric.series());
    const auto holder = taken == series_.end() ? nullptr : taken->second.lock();
    if (holder.get() == &listing) return {};
    const std::string me = "metric " + metric.group + ", " + metric.name;
    if (holder != nullptr) return invalid(me, "another sensor has it");
    if (listing.metrics.size() >= StreamsMetrics::kMetricsMax)
        return Error{
            Errc::kLimitExceeded,
            me + ": its sensor has " + std::to_string(StreamsMetrics::kMetricsMax) + " already"};
    return {};
}

void MetricRoom::tell(const std::shared_ptr<detail::SensorListing>& listing,
                      detail::OwnMetric metric) {
    std::string series = metric.series();
    series_[series] = listing;
    listing->metrics.try_emplace(std::move(series), std::move(metric));
}

Result<void> MetricRoom::add(const std::shared_ptr<detail::SensorListing>& listing,
                             detail::OwnMetric metric) {
    const std::lock_guard lock{mutex_};
    LEAT_TRY_VOID(may_tell(*listing, metric));
    tell(listing, std::move(metric));
    return {};
}

void MetricRoom::add_listed(std::vector<MetricValue>& out, std::int64_t now_ms) const {
    for (const auto& [identity, place] : listed_) {
        const auto listing = place.lock();
        if (listing == nullptr) continue;
        for (const auto& [series, metric] : listing->metrics)
            out.push_back({.group = metric.group,
                           .name = metric.name,
                           .description = metric.description,
                           .tags = metric.tags,
                           .value = listing->line->sensor.read(metric.measure, now_ms, window_)});
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

Result<MetricSensor> StreamsMetrics::add_sensor(std::string_view name, RecordingLevel level,
                                                std::span<const MetricSensor> parents) {
    if (name.empty()) return invalid("sensor", "it has no name");
    detail::SensorOrder order{.level = level, .name = std::string{name}};
    for (const MetricSensor& parent : parents)
        if (parent.sensor_ != nullptr) order.parents.push_back(parent.sensor_);
    return add(order);
}

Result<void> StreamsMetrics::add_metric(const MetricSensor& sensor, const MetricName& name,
                                        Statistic what) {
    const std::string me = "metric " + name.group + ", " + name.name;
    if (!is_name(name.group) || !is_name(name.name))
        return invalid(me, "its group and name are no names");
    if (!is_utf8(name.description)) return invalid(me, "its description is no UTF-8");
    detail::OwnMetric metric{.group = name.group,
                             .name = name.name,
                             .description = name.description,
                             .tags = {{std::string{kThreadTag}, ""}},
                             .measure = measure_of(what)};
    LEAT_TRY_VOID(add_tags(me, name.tags, metric.tags));
    if (is_ours(metric)) return invalid(me, "Kafka Streams has a metric of that name");
    if (sensor.sensor_ == nullptr) return {};
    const auto listing =
        std::ranges::find_if(listed_, [&](const auto& one) { return one->line == sensor.sensor_; });
    if (listing == listed_.end()) return invalid(me, "its sensor is none of this processor");
    metric.tags[std::string{kThreadTag}] = sensor.sensor_->thread;
    return (*listing)->room->add(*listing, std::move(metric));
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
    return MetricSensor{listing->line};
}

void StreamsMetrics::remove_sensor(const MetricSensor& sensor) {
    if (sensor.sensor_ == nullptr) return;
    std::erase_if(listed_, [&](const auto& one) { return one->line->leads_to(*sensor.sensor_); });
}

}  // namespace leat::streams
