// SPDX-License-Identifier: Apache-2.0
#include "stream_endpoint/answer_head.h"

#include <algorithm>
#include <optional>

#include "stream_endpoint/number_text.h"

namespace leat::stream_endpoint {
namespace {

constexpr std::string_view kEnd = "\r\n";

Error malformed(std::string_view what) {
    return Error{Errc::kMalformed, "the answer is no HTTP: " + std::string{what}};
}

std::string_view line_of(std::string_view& rest) {
    const std::size_t end = std::min(rest.find(kEnd), rest.size());
    const std::string_view out = rest.substr(0, end);
    rest.remove_prefix(std::min(end + kEnd.size(), rest.size()));
    return out;
}

bool is_name(std::string_view text, std::string_view lower_case) {
    return std::ranges::equal(text, lower_case, [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    return text;
}

}  // namespace

Result<AnswerHead> parse_answer_head(std::string_view head) {
    constexpr std::size_t kStatusAt = 9;  // Behind "HTTP/1.1 ".
    constexpr std::size_t kStatusDigits = 3;
    std::string_view rest = head;
    const std::string_view first = line_of(rest);
    if (!first.starts_with("HTTP/1.") || first.size() < kStatusAt + kStatusDigits)
        return malformed("there is no status");
    AnswerHead out;
    const auto status = number_of<std::int16_t>(first.substr(kStatusAt, kStatusDigits));
    if (!status || *status < 100) return malformed("there is no status");
    out.status = *status;
    std::optional<std::size_t> length;
    for (std::string_view line = line_of(rest); !line.empty(); line = line_of(rest)) {
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) return malformed("a header without a colon");
        const std::string_view name = line.substr(0, colon);
        if (is_name(name, "transfer-encoding")) return malformed("its length is not told");
        if (!is_name(name, "content-length")) continue;
        const auto value = number_of<std::size_t>(trimmed(line.substr(colon + 1)));
        if (!value || (length && *length != *value)) return malformed("its length is no number");
        length = value;
    }
    if (!length) return malformed("its length is not told");
    out.body_bytes = *length;
    return out;
}

}  // namespace leat::stream_endpoint
