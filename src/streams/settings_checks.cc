// SPDX-License-Identifier: Apache-2.0
#include "streams/settings_checks.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "client/client_properties.h"
#include "client/endpoint.h"
#include "streams/iso_duration.h"
#include "streams/settings.h"

namespace leat::streams {
namespace {

/// Java's producers take a time to deliver that is longer than the transaction's, which is over
/// then whatever they do; to Leat's writer, as to librdkafka, that is a contradiction.
void cap_delivery(Settings& s, std::int64_t timeout) {
    for (const std::string_view name : {"delivery.timeout.ms", "message.timeout.ms"}) {
        const std::string_view text = client::find_property(s.producer, name);
        std::int64_t given = 0;
        if (std::from_chars(text.data(), text.data() + text.size(), given).ec != std::errc{} ||
            (given != 0 && given <= timeout))
            continue;
        s.notes.push_back({std::string{name}, "transaction.timeout.ms counts, which is less"});
        client::set_property(s.producer, name, std::to_string(timeout));
    }
}

/// A transaction that the broker ends before it is committed would never end well.
Result<void> check_transactions(Settings& s) {
    constexpr std::string_view kName = "transaction.timeout.ms";
    if (!s.exactly_once) return {};
    const std::string_view text = client::find_property(s.producer, kName);
    std::int64_t timeout = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), timeout);
    if (failure != std::errc{} || end != text.data() + text.size())
        return Error{Errc::kInvalidSetting, std::string{kName} + ": " + std::string{text}};
    if (timeout <= s.commit_interval.count())
        return Error{Errc::kInvalidSetting, std::string{kName} + ": " + std::to_string(timeout) +
                                                " is not more than commit.interval.ms: " +
                                                std::to_string(s.commit_interval.count())};
    cap_delivery(s, timeout);
    return {};
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

/// Silent for longer than the session, an instance would be put out of the group again and again.
Result<void> check_session(const Settings& s) {
    if (s.heartbeat_interval < s.session_timeout) return {};
    return Error{
        Errc::kInvalidSetting,
        "heartbeat.interval.ms: " + std::to_string(s.heartbeat_interval.count()) +
            " is not less than session.timeout.ms: " + std::to_string(s.session_timeout.count())};
}

bool is_host_and_port(const std::string& text) {
    const auto found = client::parse_endpoints(text, 0);
    return found && found->size() == 1 && found->front().port != 0 && found->front().text() == text;
}

/// Others are told it as it stands there, so it stands there as it is read.
Result<void> check_address(const Settings& s) {
    if (s.application_server.empty() || is_host_and_port(s.application_server)) return {};
    return Error{Errc::kInvalidSetting,
                 "application.server: '" + s.application_server + "' is no HOST:PORT"};
}

/// Characters as Java counts them, of UTF-8: those beyond 16 bits are two.
std::size_t length_of(std::string_view text) {
    std::size_t out = 0;
    for (const char byte : text) {
        const auto bits = static_cast<unsigned char>(byte);
        if ((bits & 0xC0U) != 0x80U) out += bits >= 0xF0U ? 2U : 1U;
    }
    return out;
}

/// They are in what the group keeps of each member, so they are bounded.
Result<void> check_tags(Settings& s) {
    constexpr std::size_t kTagsMax = 5;
    constexpr std::size_t kKeyMax = 20;
    constexpr std::size_t kValueMax = 30;
    const std::string front = "client.tag.";
    const auto wrong = [](const std::string& what, std::string_view why) {
        return Error{Errc::kInvalidSetting, what + ": " + std::string{why}};
    };
    if (s.tags.size() > kTagsMax) return wrong(front, "there are more than 5 tags");
    for (const std::string& key : s.racks.tags)
        if (!s.tags.contains(key))
            return wrong("rack.aware.assignment.tags",
                         std::string{"there is no "}.append(front).append(key));
    for (const auto& [key, value] : s.tags) {
        if (length_of(key) > kKeyMax)
            return wrong(front + key, "the key is longer than 20 characters");
        if (length_of(value) > kValueMax)
            return wrong(front + key, "the value is longer than 30 characters");
        if (std::ranges::find(s.racks.tags, key) == s.racks.tags.end())
            s.notes.push_back(
                {front + key, "has no effect: rack.aware.assignment.tags does not name it"});
    }
    return {};
}

}  // namespace

Result<void> check_together(Settings& s) {
    LEAT_TRY_VOID(check_transactions(s));
    LEAT_TRY_VOID(check_session(s));
    LEAT_TRY_VOID(check_address(s));
    LEAT_TRY_VOID(read_offset_reset(s));
    LEAT_TRY_VOID(read_store_suppliers(s));
    return check_tags(s);
}

}  // namespace leat::streams
