// SPDX-License-Identifier: Apache-2.0
#include "streams/iso_duration.h"

#include <cctype>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace leat::streams {
namespace {

constexpr std::int64_t kSecond = 1'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

char upper(char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}

bool take(std::string_view& text, char c) {
    if (text.empty() || upper(text.front()) != c) return false;
    text.remove_prefix(1);
    return true;
}

/// -1 or 1; a sign that is there is taken.
std::int64_t sign_of(std::string_view& text) {
    if (take(text, '-')) return -1;
    take(text, '+');
    return 1;
}

std::string_view digits(std::string_view& text) {
    std::size_t count = 0;
    while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
    const std::string_view out = text.substr(0, count);
    text.remove_prefix(count);
    return out;
}

/// One part, as "-15M", in milliseconds; takes nothing when it has another unit. Nothing: no
/// number, or too large.
struct Part {
    bool present = false;
    std::int64_t ms = 0;
};
std::optional<Part> take_part(std::string_view& text, char unit, std::int64_t unit_ms) {
    std::string_view rest = text;
    const std::int64_t sign = sign_of(rest);
    const std::string_view whole = digits(rest);
    if (whole.empty()) return text.empty() ? std::optional{Part{}} : std::nullopt;
    std::string_view fraction;
    const bool is_split = unit == 'S' && (take(rest, '.') || take(rest, ','));
    if (is_split) fraction = digits(rest);
    if (!take(rest, unit)) return is_split ? std::nullopt : std::optional{Part{}};
    if (fraction.size() > 9) return std::nullopt;
    Part out{.present = true};
    std::int64_t number = 0;
    if (std::from_chars(whole.data(), whole.data() + whole.size(), number).ec != std::errc{})
        return std::nullopt;
    if (__builtin_mul_overflow(number, unit_ms, &out.ms)) return std::nullopt;
    std::int64_t scale = kSecond / 10;
    for (const char c : fraction.substr(0, 3)) {
        if (__builtin_add_overflow(out.ms, (c - '0') * scale, &out.ms)) return std::nullopt;
        scale /= 10;
    }
    out.ms *= sign;
    text = rest;
    return out;
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_iso_duration(std::string_view text) {
    const std::int64_t sign = sign_of(text);
    if (!take(text, 'P')) return std::nullopt;
    std::int64_t sum = 0;
    bool any = false;
    const auto add = [&](char unit, std::int64_t unit_ms) {
        const auto part = take_part(text, unit, unit_ms);
        if (!part || __builtin_add_overflow(sum, part->ms, &sum)) return false;
        any = any || part->present;
        return true;
    };
    if (!text.empty() && upper(text.front()) != 'T' && !add('D', kDay)) return std::nullopt;
    if (take(text, 'T')) {
        any = false;  // Something must follow.
        if (!add('H', kHour) || !add('M', kMinute) || !add('S', kSecond)) return std::nullopt;
    }
    if (!any || !text.empty() || sum == INT64_MIN) return std::nullopt;
    return std::chrono::milliseconds{sign * sum};
}

}  // namespace leat::streams
