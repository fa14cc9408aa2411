// SPDX-License-Identifier: Apache-2.0
#include "streams/settings_checks.h"

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "client/client_properties.h"
#include "streams/iso_duration.h"
#include "streams/settings.h"

namespace leat::streams {
namespace {

/// A transaction that the broker ends before it is committed would never end well.
Result<void> check_transactions(const Settings& s) {
    constexpr std::string_view kName = "transaction.timeout.ms";
    if (!s.exactly_once) return {};
    const std::string_view text = client::find_property(s.producer, kName);
    std::int64_t timeout = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), timeout);
    if (failure != std::errc{} || end != text.data() + text.size())
        return Error{Errc::kInvalidSetting, std::string{kName} + ": " + std::string{text}};
    if (timeout > s.commit_interval.count()) return {};
    return Error{Errc::kInvalidSetting, std::string{kName} + ": " + std::to_string(timeout) +
                                            " is not more than commit.interval.ms: " +
                                            std::to_string(s.commit_interval.count())};
}

/// The class says more than default.dsl.store, as in Kafka Streams.
Result<void> read_store_suppliers(Settings& s) {
    const std::string_view name = s.dsl_store_suppliers;
    if (name.empty()) return {};
    const bool on_disk = name == "RocksDBDslStoreSuppliers";
    if (!on_disk && name != "InMemoryDslStoreSuppliers")
        return Error{Errc::kInvalidSetting,
                     "dsl.store.suppliers.class: '" + s.dsl_store_suppliers +
                         "' is none of RocksDBDslStoreSuppliers, InMemoryDslStoreSuppliers; a "
                         "function goes into Application::Options::dsl_stores"};
    s.dsl_store = on_disk ? StoreType::kRocksDb : StoreType::kInMemory;
    return {};
}

Result<void> read_offset_reset(Settings& s) {
    constexpr std::string_view kByDuration = "by_duration:";
    const auto wrong = [&](std::string_view why) {
        return Error{Errc::kInvalidSetting,
                     "auto.offset.reset: '" + s.offset_reset + "' " + std::string{why}};
    };
    for (const std::string_view known : {"earliest", "latest", "none"})
        if (s.offset_reset == known) return {};
    if (!s.offset_reset.starts_with(kByDuration))
        return wrong("is none of earliest, latest, none, by_duration:PT1H");
    const std::string_view length = std::string_view{s.offset_reset}.substr(kByDuration.size());
    const auto parsed = parse_iso_duration(length);
    if (!parsed) return wrong("has no duration as in PT1H30M or P2D");
    if (parsed->count() < 0) return wrong("looks into the future");
    s.offset_reset = "by_duration";
    s.offset_reset_duration = *parsed;
    return {};
}

}  // namespace

Result<void> check_together(Settings& s) {
    LEAT_TRY_VOID(check_transactions(s));
    LEAT_TRY_VOID(read_offset_reset(s));
    return read_store_suppliers(s);
}

}  // namespace leat::streams
