// SPDX-License-Identifier: Apache-2.0
#include "stream_endpoint/access.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <vector>

#include "stream_endpoint/answer_text.h"

namespace leat::stream_endpoint {
namespace {

constexpr std::string_view kBasic = "Basic ";

/// RFC 4648, with padding. Not auth's: the library of streams links without Kerberos and SASL.
std::string base64(const std::string& text) {
    std::vector<unsigned char> out(4 * ((text.size() + 2) / 3) + 1);
    const std::vector<unsigned char> bytes{text.begin(), text.end()};
    const int size = EVP_EncodeBlock(out.data(), bytes.data(), static_cast<int>(bytes.size()));
    return {out.begin(), out.begin() + size};
}

/// Takes as long whatever the first difference is.
bool is_same_secret(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
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
