// SPDX-License-Identifier: Apache-2.0
#include "apps/start_point.h"

#include <charconv>
#include <chrono>
#include <cstdio>

#include "apps/command.h"

namespace leat::apps {
namespace {

template <class T>
std::optional<T> whole_number(std::string_view text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) return std::nullopt;
    const std::string_view part = text.substr(at, count);
    if (part.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    return whole_number<int>(part);
}

/// "Z", "+02:00" or nothing, in minutes.
std::optional<int> zone_minutes(std::string_view zone) {
    if (zone.empty() || zone == "Z" || zone == "z") return 0;
    if (zone.size() != 6 || zone[3] != ':' || (zone[0] != '+' && zone[0] != '-'))
        return std::nullopt;
    const std::optional<int> hours = digits(zone, 1, 2);
    const std::optional<int> minutes = digits(zone, 4, 2);
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    return (zone[0] == '-' ? -1 : 1) * (*hours * 60 + *minutes);
}

std::int64_t unit_ms(char unit) {
    switch (unit) {
        case 's':
            return 1000;
        case 'm':
            return 60'000;
        case 'h':
            return 3'600'000;
        case 'd':
            return 86'400'000;
        default:
            return 0;
    }
}

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text) {
    const auto year = digits(text, 0, 4);
    const auto month = digits(text, 5, 2);
    const auto day = digits(text, 8, 2);
    if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{*year},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return std::nullopt;
    std::int64_t ms =
        std::int64_t{std::chrono::sys_days{date}.time_since_epoch().count()} * 86'400'000;
    if (text.size() == 10) return ms;
    const auto hour = digits(text, 11, 2);
    const auto minute = digits(text, 14, 2);
    const auto second = digits(text, 17, 2);
    const bool shaped = (text[10] == 'T' || text[10] == 't' || text[10] == ' ') && hour && minute &&
                        second && text[13] == ':' && text[16] == ':';
    if (!shaped || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    ms += *hour * 3'600'000 + *minute * 60'000 + *second * 1000;
    std::string_view rest = text.substr(19);
    if (rest.starts_with('.')) {
        const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
        if (end == 1) return std::nullopt;
        std::string fraction{rest.substr(1, 3)};
        fraction.resize(std::min<std::size_t>(end - 1, 3));
        fraction.resize(3, '0');
        ms += whole_number<int>(fraction).value_or(0);
        rest.remove_prefix(end);
    }
    const std::optional<int> zone = zone_minutes(rest);
    if (!zone) return std::nullopt;
    return ms - std::int64_t{*zone} * 60'000;
}

/// 9999-12-31T23:59:59.999Z: a year of five digits is no date that others read.
constexpr std::int64_t kLastDate = 253'402'300'799'999;

std::string format_time(WallMs time) {
    if (time.value < 0) return "-";
    if (time.value > kLastDate) return std::to_string(time.value);
    const std::chrono::sys_time<std::chrono::milliseconds> point{
        std::chrono::milliseconds{time.value}};
    const auto day = std::chrono::floor<std::chrono::days>(point);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{point - day};
    char out[64];
    std::snprintf(
        out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
        static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
    return out;
}

Result<StartPoint> parse_start_point(std::string_view text, WallMs now) {
    using Kind = StartPoint::Kind;
    if (text == "beginning") return StartPoint{Kind::kBeginning, 0};
    if (text == "end") return StartPoint{Kind::kEnd, 0};
    if (const auto offset = whole_number<std::int64_t>(text))
        return *offset >= 0 && !text.starts_with('-') ? StartPoint{Kind::kOffset, *offset}
                                                      : StartPoint{Kind::kBeforeEnd, -*offset};
    if (text.starts_with('@')) {
        const auto ms = whole_number<std::int64_t>(text.substr(1));
        if (ms && *ms >= 0) return StartPoint{Kind::kTime, *ms};
    }
    if (text.starts_with('-') && text.size() > 2) {
        const auto count = whole_number<std::int64_t>(text.substr(1, text.size() - 2));
        const std::int64_t unit = unit_ms(text.back());
        if (count && unit != 0 && *count >= 0 && *count < 100'000'000)
            return StartPoint{Kind::kTime, std::max<std::int64_t>(0, now.value - *count * unit)};
    }
    if (const auto ms = parse_time(text); ms && *ms >= 0) return StartPoint{Kind::kTime, *ms};
    return usage_error(
        "'" + std::string{text} +
        "' is no place in a log: beginning, end, an offset (42), that many before the end "
        "(-5), a time (2026-01-31T12:00:00Z, @1769860800000) or a time ago (-10m)");
}

}  // namespace leat::apps
