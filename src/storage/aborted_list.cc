// SPDX-License-Identifier: Apache-2.0
#include "storage/aborted_list.h"

#include <array>
#include <charconv>
#include <optional>
#include <span>

#include "codec/crc32c.h"

namespace leat::storage {
namespace {

constexpr std::string_view kHead = "1\n";

/// Takes a number and the one character behind it off `text`.
template <class T>
std::optional<T> take(std::string_view& text, char behind) {
    T value{};
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto size = static_cast<std::size_t>(at - text.data());
    if (error != std::errc{} || size == text.size() || *at != behind) return std::nullopt;
    text.remove_prefix(size + 1);
    return value;
}

std::string sealed(std::string text) {
    const std::uint32_t crc = codec::crc32c(std::as_bytes(std::span{text}));
    return text + std::to_string(crc) + "\n";
}

Error malformed() {
    return Error{Errc::kMalformed, "aborted-segments: not as it was written"};
}

}  // namespace

Result<AbortedList> AbortedList::decode(std::string_view file) {
    if (!file.starts_with(kHead) || !file.ends_with('\n')) return malformed();
    const std::size_t last = file.rfind('\n', file.size() - 2) + 1;
    if (sealed(std::string{file.substr(0, last)}) != file) return malformed();
    std::string_view rest = file.substr(kHead.size(), last - kHead.size());
    AbortedList list;
    while (!rest.empty()) {
        const auto base = take<std::int64_t>(rest, ' ');
        const auto bytes = take<std::int64_t>(rest, ' ');
        const auto crc = take<std::uint32_t>(rest, '\n');
        if (!base || !bytes || !crc) return malformed();
        list.sums_[Offset{*base}] = {.bytes = *bytes, .crc = *crc};
    }
    return list;
}

std::string AbortedList::encode() const {
    std::string text{kHead};
    for (const auto& [base, sum] : sums_)
        text += std::to_string(base.value) + " " + std::to_string(sum.bytes) + " " +
                std::to_string(sum.crc) + "\n";
    return sealed(std::move(text));
}

AbortedList::Sum AbortedList::sum_of(Bytes index) {
    return {.bytes = static_cast<std::int64_t>(index.size()), .crc = codec::crc32c(index)};
}

bool AbortedList::note(Offset base, Bytes index) {
    if (index.empty()) return forget(base);
    const Sum sum = sum_of(index);
    Sum& known = sums_[base];
    const bool is_news = known != sum;
    known = sum;
    return is_news;
}

bool AbortedList::fits(Offset base, Bytes index) const {
    const auto found = sums_.find(base);
    return found != sums_.end() && found->second == sum_of(index);
}

}  // namespace leat::storage
