// SPDX-License-Identifier: Apache-2.0
#include "leat/stream_endpoint/form.h"

namespace leat::stream_endpoint {
namespace {

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

Result<std::string> bytes_of_hex(std::string_view digits) {
    const Error bad{Errc::kInvalidRecord, ": expected pairs of hex digits"};
    if (digits.size() % 2 != 0) return Error{bad.code(), bad.detail()};
    std::string out;
    for (std::size_t i = 0; i < digits.size(); i += 2) {
        const int high = digit_of(digits[i]);
        const int low = digit_of(digits[i + 1]);
        if (high < 0 || low < 0) return Error{bad.code(), bad.detail()};
        out.push_back(static_cast<char>(high * 16 + low));
    }
    return out;
}

std::string hex_of(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out.push_back(kDigits[byte >> 4U]);
        out.push_back(kDigits[byte & 15U]);
    }
    return out;
}

Result<void> Form<std::string>::write(const std::string& value, std::string& json) {
    std::string text;
    if (streams::detail::append_json_text(text, value))
        json += text;
    else
        json += R"({"hex":")" + hex_of(value) + "\"}";
    return {};
}

}  // namespace leat::stream_endpoint
