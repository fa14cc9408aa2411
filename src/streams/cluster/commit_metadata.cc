// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/commit_metadata.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "leat/streams/detail/big_endian.h"

namespace leat::streams {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kOldestMagic = 1;
constexpr std::uint8_t kMagic = 2;

std::string to_base64(std::string_view bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8U | (j < count ? static_cast<std::uint8_t>(bytes[i + j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j)
            out.push_back(j <= count ? kDigits[(group >> (18 - 6 * j)) & 63U] : '=');
    }
    return out;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 4) {
        std::uint32_t group = 0;
        std::size_t count = 3;
        for (std::size_t j = 0; j < 4; ++j) {
            const char c = text[i + j];
            const bool pads = c == '=' && j >= 2 && i + 4 == text.size();
            if (pads) count = std::min(count, j - 1);
            const std::size_t digit = pads ? 0 : kDigits.find(c);
            if (digit == std::string_view::npos) return std::nullopt;
            group = group << 6U | static_cast<std::uint32_t>(digit);
        }
        for (std::size_t j = 0; j < count; ++j)
            out.push_back(static_cast<char>(group >> (16 - 8 * j) & 0xFFU));
    }
    return out;
}

/// Reads from the front of `in`; nothing when it is too short.
template <class T>
std::optional<T> take(std::string_view& in) {
    if (in.size() < sizeof(T)) return std::nullopt;
    const T value = detail::read_be<T>(in);
    in.remove_prefix(sizeof(T));
    return value;
}

}  // namespace

std::string encode_commit_metadata(const CommitMetadata& metadata) {
    std::string bytes;
    detail::append_be(bytes, kMagic);
    detail::append_be(bytes, metadata.partition_time);
    if (!metadata.remembered.empty()) {
        detail::append_be(bytes, static_cast<std::int32_t>(metadata.remembered.size()));
        for (const auto& [name, value] : metadata.remembered) {
            detail::append_be(bytes, static_cast<std::int32_t>(name.size()));
            bytes.append(name);
            detail::append_be(bytes, value);
        }
    }
    return to_base64(bytes);
}

CommitMetadata decode_commit_metadata(std::string_view text) {
    const std::optional<std::string> bytes = from_base64(text);
    if (!bytes) return {};
    std::string_view in = *bytes;
    const auto magic = take<std::uint8_t>(in);
    const auto time = take<std::int64_t>(in);
    if (!magic || !time || *magic < kOldestMagic || *magic > kMagic) return {};
    CommitMetadata out{.partition_time = *time};
    const std::int32_t count = take<std::int32_t>(in).value_or(0);
    for (std::int32_t i = 0; i < count; ++i) {
        const auto size = take<std::int32_t>(in);
        if (!size || *size < 0 || static_cast<std::size_t>(*size) > in.size()) break;
        std::string name{in.substr(0, static_cast<std::size_t>(*size))};
        in.remove_prefix(static_cast<std::size_t>(*size));
        const auto value = take<std::int64_t>(in);
        if (!value) break;
        out.remembered.emplace(std::move(name), *value);
    }
    return out;
}

}  // namespace leat::streams
