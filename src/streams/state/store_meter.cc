// SPDX-License-Identifier: Apache-2.0
#include "streams/state/store_meter.h"

#include <span>
#include <string_view>
#include <utility>

namespace leat::streams::detail {
namespace {

using Kind = StoreSpec::Kind;

constexpr std::int64_t kMillion = 1'000'000;
constexpr std::array<SensorId, kStoreCalls> kSensorOf{
    SensorId::kStorePut,     SensorId::kStorePutIfAbsent, SensorId::kStoreDelete,
    SensorId::kStoreGet,     SensorId::kStoreFetch,       SensorId::kStoreRemove,
    SensorId::kStoreAll,     SensorId::kStoreRange,       SensorId::kStoreFlush,
    SensorId::kStoreRestore, SensorId::kStoreIterator};

constexpr std::array kKeyed{SensorId::kStorePut,      SensorId::kStorePutIfAbsent,
                            SensorId::kStoreDelete,   SensorId::kStoreGet,
                            SensorId::kStoreAll,      SensorId::kStoreRange,
                            SensorId::kStoreFlush,    SensorId::kStoreRestore,
                            SensorId::kStoreIterator, SensorId::kStoreAge};
constexpr std::array kWindowed{SensorId::kStorePut,      SensorId::kStoreFetch,
                               SensorId::kStoreFlush,    SensorId::kStoreRestore,
                               SensorId::kStoreIterator, SensorId::kStoreAge};
constexpr std::array kSessions{SensorId::kStorePut,     SensorId::kStoreFetch,
                               SensorId::kStoreRemove,  SensorId::kStoreFlush,
                               SensorId::kStoreRestore, SensorId::kStoreIterator,
                               SensorId::kStoreAge};
constexpr std::array kVersioned{SensorId::kStorePut, SensorId::kStoreGet, SensorId::kStoreFlush,
                                SensorId::kStoreRestore, SensorId::kStoreAge};
constexpr std::array kSuppressed{SensorId::kSuppressedCount, SensorId::kSuppressedBytes};
constexpr std::array kCached{SensorId::kCacheHits};

std::span<const SensorId> sensors_of(const StoreSpec& spec) {
    switch (spec.kind) {
        case Kind::kKeyValue:
        case Kind::kPlainKeyValue:
        case Kind::kList:
            return kKeyed;
        case Kind::kWindow:
        case Kind::kPlainWindow:
            return kWindowed;
        case Kind::kSession:
            return kSessions;
        case Kind::kVersioned:
            return kVersioned;
        case Kind::kSuppress:
            return kSuppressed;
    }
    return {};
}

/// The name of the tag that has the store's name.
std::string scope_of(const StoreSpec& spec) {
    if (spec.kind == Kind::kSuppress) return "in-memory-suppression-state-id";
    if (spec.own) return spec.own.traits().metrics_scope + "-state-id";
    std::string out = spec.persistent ? "rocksdb" : "in-memory";
    if (spec.kind == Kind::kWindow || spec.kind == Kind::kPlainWindow) out += "-window";
    if (spec.kind == Kind::kSession) out += "-session";
    return out + "-state-id";
}

MetricSet::Tags with(MetricSet::Tags tags, std::string name, std::string value) {
    tags.insert_or_assign(std::move(name), std::move(value));
    return tags;
}

}  // namespace

StoreMeter::StoreMeter(MetricRoom& room, const MetricSet::Tags& task, const StoreSpec& spec,
                       const rt::Clock& clock)
    : clock_(clock),
      store_(&room, with(task, scope_of(spec), spec.name), sensors_of(spec)),
      cache_(&room, with(task, "record-cache-id", spec.name),
             spec.caching ? std::span<const SensorId>{kCached} : std::span<const SensorId>{}) {
    for (std::size_t i = 0; i < kStoreCalls; ++i) calls_[i] = store_.find(kSensorOf[i]);
    age_ = store_.find(SensorId::kStoreAge);
    hit_ratio_ = cache_.find(SensorId::kCacheHits);
}

void StoreMeter::looked_up(bool found) noexcept {
    if (hit_ratio_ == nullptr) return;
    ++lookups_;
    hits_ += found ? 1 : 0;
    // Each look-up tells the ratio so far, as in Kafka Streams.
    hit_ratio_->record(hits_ * kMillion / lookups_);
}

void StoreMeter::waiting(std::int64_t updates, std::int64_t bytes) noexcept {
    if (Sensor* count = store_.find(SensorId::kSuppressedCount)) count->record(updates);
    if (Sensor* size = store_.find(SensorId::kSuppressedBytes)) size->record(bytes);
}

void StoreMeter::tick(std::int64_t now_ms) {
    store_.tick(now_ms);
    cache_.tick(now_ms);
}

StoreMeter* StoreMeters::of(const StoreSpec& spec) {
    if (room_ == nullptr || room_->level() < RecordingLevel::kDebug) return nullptr;
    auto& meter = meters_[spec.name];
    if (meter == nullptr) {
        meter = std::make_unique<StoreMeter>(*room_, task_, spec, clock_);
        meter->tick(now_ms_);
    }
    return meter.get();
}

void StoreMeters::tick(std::int64_t now_ms) {
    now_ms_ = now_ms;
    for (const auto& [name, meter] : meters_) meter->tick(now_ms);
}

}  // namespace leat::streams::detail
