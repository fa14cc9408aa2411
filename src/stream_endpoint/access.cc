// SPDX-License-Identifier: Apache-2.0
#include "stream_endpoint/access.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "stream_endpoint/answer_text.h"

namespace leat::stream_endpoint {
namespace {

constexpr std::string_view kBasic = "Basic ";

/// RFC 4648, with padding.
std::string base64(std::string_view bytes) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    constexpr std::size_t kGroup = 3;
    constexpr std::uint32_t kDigitBits = 6;
    constexpr std::uint32_t kDigitMask = 63;
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += kGroup) {
        std::uint32_t bits = 0;
        const std::size_t count = std::min(kGroup, bytes.size() - at);
        for (std::size_t i = 0; i < kGroup; ++i)
            bits = (bits << 8U) | (i < count ? static_cast<std::uint8_t>(bytes[at + i]) : 0U);
        for (std::size_t i = 0; i <= kGroup; ++i) {
            const auto shift = static_cast<std::uint32_t>(kGroup - i) * kDigitBits;
            out += i <= count ? kDigits[(bits >> shift) & kDigitMask] : '=';
        }
    }
    return out;
}

/// Takes as long whatever the first difference is.
bool is_same_secret(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    volatile std::uint8_t differs = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        differs = differs | static_cast<std::uint8_t>(a[i] ^ b[i]);
    return differs == 0;
}

}  // namespace

Result<Access> Access::open(std::string_view user, std::string_view password) {
    Access out;
    if (user.empty() && password.empty()) return out;
    if (user.empty() || password.empty())
        return Error{Errc::kInvalidSetting,
                     "leat.endpoint.user and leat.endpoint.password go together"};
    if (user.find(':') != std::string_view::npos)
        return Error{Errc::kInvalidSetting, "leat.endpoint.user: a name has no colon"};
    out.expected_ = std::string{kBasic} + base64(std::string{user} + ":" + std::string{password});
    return out;
}

std::optional<http::Response> Access::refuse(const http::Request& request) const {
    if (expected_.empty() || request.path == "/healthz" || request.path == "/readyz")
        return std::nullopt;
    std::string given{request.header("authorization")};
    // The scheme's case does not matter.
    constexpr std::string_view kLower = "basic ";
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (given.size() > kLower.size() &&
        std::ranges::equal(given.substr(0, kLower.size()), kLower, {}, lower))
        given.replace(0, kBasic.size(), kBasic);
    if (is_same_secret(given, expected_)) return std::nullopt;
    http::Response out = refusal(401, "UNAUTHORIZED", "name and password are missing or wrong");
    out.headers.emplace_back("WWW-Authenticate", "Basic realm=\"leat\", charset=\"UTF-8\"");
    return out;
}

}  // namespace leat::stream_endpoint
