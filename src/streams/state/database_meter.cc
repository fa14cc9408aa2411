// SPDX-License-Identifier: Apache-2.0
#include "streams/state/database_meter.h"

#include <rocksdb/statistics.h>

#include <string>
#include <string_view>
#include <utility>

#include "streams/state/database.h"

namespace leat::streams::detail {
namespace {

struct Counter {
    SensorId sensor{};
    rocksdb::Tickers ticker{};
};
constexpr auto kTickers = std::to_array<Counter>({
    {SensorId::kDatabaseWritten, rocksdb::BYTES_WRITTEN},
    {SensorId::kDatabaseRead, rocksdb::BYTES_READ},
    {SensorId::kDatabaseFlushed, rocksdb::FLUSH_WRITE_BYTES},
    {SensorId::kDatabaseCompactionRead, rocksdb::COMPACT_READ_BYTES},
    {SensorId::kDatabaseCompactionWritten, rocksdb::COMPACT_WRITE_BYTES},
});
constexpr auto kSensors = std::to_array<SensorId>(
    {SensorId::kDatabaseWritten, SensorId::kDatabaseRead, SensorId::kDatabaseFlushed,
     SensorId::kDatabaseCompactionRead, SensorId::kDatabaseCompactionWritten});

struct HitRatio {
    std::string_view name;
    rocksdb::Tickers hits{};
    rocksdb::Tickers misses{};
};
constexpr auto kHitRatios = std::to_array<HitRatio>({
    {"memtable-hit-ratio", rocksdb::MEMTABLE_HIT, rocksdb::MEMTABLE_MISS},
    {"block-cache-data-hit-ratio", rocksdb::BLOCK_CACHE_DATA_HIT, rocksdb::BLOCK_CACHE_DATA_MISS},
    {"block-cache-index-hit-ratio", rocksdb::BLOCK_CACHE_INDEX_HIT,
     rocksdb::BLOCK_CACHE_INDEX_MISS},
    {"block-cache-filter-hit-ratio", rocksdb::BLOCK_CACHE_FILTER_HIT,
     rocksdb::BLOCK_CACHE_FILTER_MISS},
});

/// A duration's name without what is told of it.
struct Timing {
    std::string_view name;
    rocksdb::Histograms histogram{};
};
constexpr auto kDurations = std::to_array<Timing>({
    {"memtable-flush-time-", rocksdb::FLUSH_TIME},
    {"compaction-time-", rocksdb::COMPACTION_TIME},
    {"write-stall-duration-", rocksdb::WRITE_STALL},
});

std::optional<double> of_statistics(const rocksdb::Statistics& from, std::string_view name) {
    constexpr double kMicrosPerMs = 1000;
    for (const HitRatio& one : kHitRatios) {
        if (one.name != name) continue;
        const auto hits = static_cast<double>(from.getTickerCount(one.hits));
        const auto all = hits + static_cast<double>(from.getTickerCount(one.misses));
        return all == 0 ? 0 : hits / all;
    }
    for (const Timing& one : kDurations) {
        if (!name.starts_with(one.name)) continue;
        rocksdb::HistogramData data;
        from.histogramData(one.histogram, &data);
        const std::string_view what = name.substr(one.name.size());
        if (what == "total") return static_cast<double>(data.sum) / kMicrosPerMs;
        if (data.count == 0) return std::nullopt;
        const double micros = what == "avg" ? data.average : what == "min" ? data.min : data.max;
        return micros / kMicrosPerMs;
    }
    if (name == "number-file-errors-total")
        return static_cast<double>(from.getTickerCount(rocksdb::NO_FILE_ERRORS));
    return std::nullopt;
}

MetricSet::Tags with_scope(MetricSet::Tags tags) {
    tags.insert_or_assign("rocksdb-state-id", "*");
    return tags;
}

}  // namespace

DatabaseMeter::DatabaseMeter(MetricRoom* room, MetricSet::Tags task, TaskState& state)
    : database_(state.database()),
      set_(database_ == nullptr ? nullptr : room, with_scope(std::move(task)), kSensors,
           [this](const MetricRow& row) { return gauge(row); }) {
    for (std::size_t i = 0; i < kCounters; ++i) counters_[i] = set_.find(kTickers[i].sensor);
}

std::optional<double> DatabaseMeter::gauge(const MetricRow& row) const {
    if (row.sensor != SensorId::kDatabaseGauge) return std::nullopt;
    if (row.level > RecordingLevel::kInfo) {
        if (database_->statistics == nullptr) return std::nullopt;
        return of_statistics(*database_->statistics, row.name);
    }
    std::uint64_t value = 0;
    if (!database_->db->GetIntProperty("rocksdb." + std::string{row.name}, &value))
        return std::nullopt;
    return static_cast<double>(value);
}

void DatabaseMeter::tick(std::int64_t now_ms) {
    set_.tick(now_ms);
    if (database_ == nullptr || database_->statistics == nullptr) return;
    for (std::size_t i = 0; i < kCounters; ++i) {
        if (counters_[i] == nullptr) continue;
        const std::uint64_t total = database_->statistics->getTickerCount(kTickers[i].ticker);
        counters_[i]->count(total - std::exchange(counted_[i], total));
    }
}

}  // namespace leat::streams::detail
