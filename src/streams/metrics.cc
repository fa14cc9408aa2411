// SPDX-License-Identifier: Apache-2.0
#include "streams/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "obs/exposition.h"
#include "streams/metric_groups.h"

namespace leat::streams {
namespace {

using Level = RecordingLevel;
using metric_group::kClient;
using metric_group::kFetch;
using metric_group::kNode;
using metric_group::kState;
using metric_group::kTask;
using metric_group::kThread;
using metric_group::kTopic;

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

std::string_view text_of(Level level) {
    switch (level) {
        case Level::kInfo:
            return "INFO";
        case Level::kDebug:
            return "DEBUG";
        case Level::kTrace:
            return "TRACE";
    }
    return {};
}

std::string prometheus_name(std::string_view group, std::string_view name) {
    return "kafka_streams_" + underscored(group) + "_" + underscored(name);
}

std::string label_value(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
    return out;
}

std::string_view tags_of(std::string_view group) {
    if (group == kClient) return "`client-id`";
    if (group == kThread) return "`thread-id`";
    if (group == kTask) return "`thread-id`, `task-id`";
    if (group == kNode) return "`thread-id`, `task-id`, `processor-node-id`";
    if (group == kFetch)
        return "`client-id` (the thread's name with `-consumer`), `topic`, `partition`";
    if (group == kTopic) return "`thread-id`, `task-id`, `processor-node-id`, `topic`";
    if (group == kState)
        return "`thread-id`, `task-id`, and the store's name as `rocksdb-state-id`, "
               "`rocksdb-window-state-id`, `rocksdb-session-state-id`, `in-memory-state-id`, "
               "`in-memory-window-state-id`, `in-memory-session-state-id` or "
               "`in-memory-suppression-state-id`. Of RocksDB itself: `rocksdb-state-id` is `*`, "
               "as the stores of a task share a database";
    return "`thread-id`, `task-id`, `record-cache-id` (the store's name)";
}

}  // namespace

std::string underscored(std::string_view text) {
    std::string out{text};
    std::ranges::replace_if(out, [](char c) { return c == '-' || c == '.'; }, '_');
    return out;
}

void Sensor::record(std::int64_t value) noexcept {
    count();
    bump(sum_, static_cast<std::uint64_t>(value));
    Sample& now = samples_[current_.load(std::memory_order_relaxed)];
    if (value > now.max.load(std::memory_order_relaxed))
        now.max.store(value, std::memory_order_relaxed);
    if (value < now.min.load(std::memory_order_relaxed))
        now.min.store(value, std::memory_order_relaxed);
}

void Sensor::record_part(std::int64_t part, std::uint64_t whole) noexcept {
    bump(total_, whole);
    bump(sum_, static_cast<std::uint64_t>(part));
}

bool Sensor::is_old(const Sample& sample, std::int64_t now_ms,
                    const SampleWindow& window) const noexcept {
    const std::int64_t start = sample.start_ms.load(std::memory_order_relaxed);
    return start < 0 || now_ms - start >= window.length_ms * window.samples;
}

void Sensor::tick(std::int64_t now_ms, const SampleWindow& window) noexcept {
    const std::uint32_t at = current_.load(std::memory_order_relaxed);
    const std::int64_t start = samples_[at].start_ms.load(std::memory_order_relaxed);
    if (start < 0) return samples_[at].start_ms.store(now_ms, std::memory_order_relaxed);
    if (now_ms - start < window.length_ms) return;
    const auto samples =
        static_cast<std::uint32_t>(std::clamp<std::int64_t>(window.samples, 1, kSamplesMax));
    const std::uint32_t next = (at + 1) % samples;
    Sample& sample = samples_[next];
    sample.total.store(total_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    sample.sum.store(sum_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    sample.max.store(INT64_MIN, std::memory_order_relaxed);
    sample.min.store(INT64_MAX, std::memory_order_relaxed);
    sample.start_ms.store(now_ms, std::memory_order_relaxed);
    current_.store(next, std::memory_order_relaxed);
}

double Sensor::read(Measure what, std::int64_t now_ms, const SampleWindow& window) const noexcept {
    const auto number = [](auto value) { return static_cast<double>(value); };
    if (what == Measure::kTotal) return number(total_.load(std::memory_order_relaxed));
    const auto sum_since = [this, number](std::uint64_t before) {
        return number(static_cast<std::int64_t>(sum_.load(std::memory_order_relaxed) - before));
    };
    if (what == Measure::kSum) return sum_since(0);
    if (what == Measure::kValue) return number(last_.load(std::memory_order_relaxed));
    const Sample* oldest = nullptr;
    std::int64_t max = INT64_MIN;
    std::int64_t min = INT64_MAX;
    for (const Sample& sample : samples_) {
        if (is_old(sample, now_ms, window)) continue;
        max = std::max(max, sample.max.load(std::memory_order_relaxed));
        min = std::min(min, sample.min.load(std::memory_order_relaxed));
        if (oldest == nullptr || sample.start_ms.load(std::memory_order_relaxed) <
                                     oldest->start_ms.load(std::memory_order_relaxed))
            oldest = &sample;
    }
    if (what == Measure::kMax) return max == INT64_MIN ? kNothing : number(max);
    if (what == Measure::kMin) return min == INT64_MAX ? kNothing : number(min);
    const bool is_zero_at_rest = what == Measure::kRate || what == Measure::kSumRate ||
                                 what == Measure::kWindowedCount || what == Measure::kWindowedSum;
    if (oldest == nullptr) return is_zero_at_rest ? 0 : kNothing;
    if (what == Measure::kShare) {
        constexpr double kNanosPerMs = 1e6;
        const std::int64_t passed =
            std::max<std::int64_t>(now_ms - oldest->start_ms.load(std::memory_order_relaxed), 1);
        const double spent = sum_since(oldest->sum.load(std::memory_order_relaxed));
        return std::min(spent / kNanosPerMs / number(passed), 1.0);
    }
    const double times = number(total_.load(std::memory_order_relaxed) -
                                oldest->total.load(std::memory_order_relaxed));
    const double sum = sum_since(oldest->sum.load(std::memory_order_relaxed));
    if (what == Measure::kAverage && times == 0) return kNothing;
    if (what == Measure::kAverage)  // Within the extremes, also where the sum is beyond 2^63.
        return max < min ? sum / times : std::clamp(sum / times, number(min), number(max));
    if (what == Measure::kWindowedCount) return times;
    if (what == Measure::kWindowedSum) return sum;
    // A sample that has just begun counts as all but one that are full, as in Kafka's Rate.
    const std::int64_t elapsed =
        std::max(now_ms - oldest->start_ms.load(std::memory_order_relaxed),
                 std::max<std::int64_t>(1, window.length_ms * (window.samples - 1)));
    return (what == Measure::kSumRate ? sum : times) * 1000 / number(elapsed);
}

MetricSet::MetricSet(MetricRoom* room, Tags tags, std::span<const SensorId> sensors, Gauge gauge)
    : room_(room), tags_(std::move(tags)), gauge_(std::move(gauge)) {
    if (room_ == nullptr) return;
    for (const MetricRow& row : metric_rows())
        if (row.measure != Sensor::Measure::kGauge && row.level <= room_->level() &&
            std::ranges::find(sensors, row.sensor) != sensors.end())
            sensors_.try_emplace(row.sensor, std::make_unique<Sensor>());
    const std::lock_guard lock{room_->mutex_};
    room_->sets_.insert(this);
}

MetricSet::~MetricSet() {
    withdraw();
}

void MetricSet::withdraw() {
    if (room_ == nullptr) return;
    const std::lock_guard lock{room_->mutex_};
    room_->sets_.erase(this);
}

std::optional<double> MetricSet::read(const MetricRow& row, std::int64_t now_ms) const {
    if (row.measure == Sensor::Measure::kGauge) return gauge_ ? gauge_(row) : std::nullopt;
    const Sensor* sensor = find(row.sensor);
    if (sensor == nullptr) return std::nullopt;
    return sensor->read(row.measure, now_ms, room_->window()) * row.scale;
}

Sensor* MetricSet::find(SensorId id) const {
    const auto found = sensors_.find(id);
    return found == sensors_.end() ? nullptr : found->second.get();
}

void MetricSet::tick(std::int64_t now_ms) {
    if (room_ == nullptr) return;
    for (const auto& [id, sensor] : sensors_) sensor->tick(now_ms, room_->window());
}

std::vector<MetricValue> MetricRoom::gather(std::int64_t now_ms) const {
    std::vector<MetricValue> out;
    const std::lock_guard lock{mutex_};
    for (const MetricRow& row : metric_rows()) {
        if (row.level > level_) continue;
        for (const MetricSet* set : sets_)
            if (const std::optional<double> value = set->read(row, now_ms))
                out.push_back({.group = std::string{row.group},
                               .name = std::string{row.name},
                               .description = std::string{row.help},
                               .tags = set->tags_,
                               .value = *value});
    }
    add_listed(out, now_ms);
    return out;
}

std::string prometheus_text(const std::vector<MetricValue>& metrics) {
    std::map<std::string, std::vector<const MetricValue*>> families;
    for (const MetricValue& one : metrics)
        families[prometheus_name(one.group, one.name)].push_back(&one);
    std::string out;
    for (const auto& [name, all] : families) {
        const bool is_counter = name.ends_with("_total") &&
                                !name.ends_with("_remaining_records_total") &&
                                !name.ends_with("_cache_size_bytes_total");
        out.append("# HELP ").append(name).append(" ");
        out.append(label_value(all.front()->description)).append("\n# TYPE ").append(name);
        out.append(is_counter ? " counter\n" : " gauge\n");
        for (const MetricValue* one : all) {
            out += name;
            char separator = '{';
            for (const auto& [tag, value] : one->tags) {
                out += separator + underscored(tag) + "=\"" + label_value(value) + "\"";
                separator = ',';
            }
            if (separator == ',') out += "}";
            out += " " + obs::number_text(one->value) + "\n";
        }
    }
    return out;
}

std::string metrics_page() {
    std::string out =
        "# Metrics of stream applications\n\n"
        "Printed by `leat reference --print streams-metrics` from the table in "
        "`src/streams/metric_rows.cc`; do not edit.\n\n"
        "Groups, names, tags and units are Kafka Streams'. `Application::metrics()` gives them; in "
        "Prometheus' text they are\n`kafka_streams_<group>_<name>`, with underscores. A metric "
        "above `metrics.recording.level` is not there, where Kafka Streams shows it as 0.\n"
        "Processors have metrics of their own by `Context::metrics()`.\n";
    std::string_view group;
    for (const MetricRow& row : metric_rows()) {
        if (row.group != group) {
            group = row.group;
            out += "\n## " + std::string{group} + "\n\nTags: " + std::string{tags_of(group)} +
                   ".\n\n| name | level | meaning |\n|---|---|---|\n";
        }
        out += "| `" + std::string{row.name} + "` | " + std::string{text_of(row.level)} + " | " +
               std::string{row.help} + " |\n";
    }
    return out;
}

}  // namespace leat::streams
