// SPDX-License-Identifier: Apache-2.0
#include "http/request_parser.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/check.h"
#include "http/percent.h"

namespace leat::http {
namespace {

constexpr std::size_t kHeadersMax = 100;
constexpr std::size_t kChunkLineMax = 256;
constexpr std::string_view kLineEnd = "\r\n";

Error malformed(std::string_view why) {
    return Error{Errc::kMalformed, why};
}

bool is_token(std::string_view text) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               kMarks.find(c) != std::string_view::npos;
    });
}

/// No control character: a bare CR or LF here is how one request is made to look like two.
bool is_field_text(std::string_view text) {
    return std::ranges::none_of(text, [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
    });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::string lower(std::string_view text) {
    std::string out{text};
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

/// A whole non-negative number in `base`; nullopt for anything else, also when it overflows.
std::optional<std::uint64_t> number(std::string_view text, int base) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// "http://host/path" (a proxy's form) is reduced to "/path".
std::string_view origin_form(std::string_view target) {
    if (target.starts_with('/')) return target;
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos) return target;
    const std::size_t slash = target.find('/', scheme + 3);
    return slash == std::string_view::npos ? std::string_view{"/"} : target.substr(slash);
}

/// "GET /path HTTP/1.1".
Result<void> parse_request_line(std::string_view line, Request& out) {
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || last == first) return malformed("no HTTP request line");
    const std::string_view method = line.substr(0, first);
    const std::string_view version = line.substr(last + 1);
    std::string_view target = line.substr(first + 1, last - first - 1);
    if (!is_token(method)) return malformed("no HTTP method");
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return malformed("not HTTP/1.1");
    if (target.empty() || !is_field_text(target) || target.find_first_of(" \t") != target.npos)
        return malformed("bad request target");
    target = origin_form(target);
    const std::size_t question = std::min(target.find('?'), target.size());
    out.method = std::string{method};
    out.path = percent_decode(target.substr(0, question), false);
    out.query = std::string{target.substr(std::min(question + 1, target.size()))};
    out.keep_alive = version == "HTTP/1.1";
    return {};
}

Result<void> parse_header_line(std::string_view line, Request& out) {
    const std::size_t colon = line.find(':');
    // A name with a space before the colon, or a folded line, is read differently by different
    // servers: refused, as RFC 9112 5.1 and 5.2 allow.
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
        return malformed("bad header name");
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (!is_field_text(value)) return malformed("control character in a header");
    out.headers.emplace_back(lower(line.substr(0, colon)), std::string{value});
    return {};
}

/// Looks for a word in a comma-separated header, such as "close" in Connection.
bool has_word(std::string_view list, std::string_view word) {
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        if (lower(trimmed(list.substr(0, comma))) == word) return true;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

/// How long the first line of `pending` is at least, without its end at `end` (npos: not there
/// yet). A CR that came last may be half of that end: it is not counted, or a line as long as its
/// limit would be refused when the bytes are cut just there.
std::size_t line_size(std::string_view pending, std::size_t end) {
    if (end != std::string_view::npos) return end;
    return pending.size() - (pending.ends_with('\r') ? 1 : 0);
}

}  // namespace

Result<std::size_t> RequestParser::feed(Bytes bytes) {
    if (is_done()) return std::size_t{0};
    pending_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    while (state_ != State::kDone) {
        LEAT_TRY(const bool moved, step());
        if (!moved) return bytes.size();
    }
    // What lies behind the request stays with the caller.
    LEAT_CHECK(pending_.size() <= bytes.size());
    const std::size_t taken = bytes.size() - pending_.size();
    pending_.clear();
    return taken;
}

Result<bool> RequestParser::step() {
    switch (state_) {
        case State::kHead:
            return read_head();
        case State::kSized:
            return read_data(State::kDone);
        case State::kChunkSize:
            return read_chunk_size();
        case State::kChunk:
            return read_data(State::kChunkEnd);
        case State::kChunkEnd:
            if (pending_.size() < kLineEnd.size()) return false;
            if (!pending_.starts_with(kLineEnd)) return malformed("chunk longer than its size");
            pending_.erase(0, kLineEnd.size());
            state_ = State::kChunkSize;
            return true;
        case State::kTrailer:
            return read_trailer();
        case State::kDone:
            return false;
    }
    return false;
}

Result<bool> RequestParser::read_head() {
    // A client of another protocol is told at once, not when it gives up.
    if (!pending_.empty() && !is_token(std::string_view{pending_}.substr(0, 1)))
        return malformed("no HTTP request");
    const std::size_t end = pending_.find("\r\n\r\n");
    const std::size_t size = end == std::string::npos ? pending_.size() : end + 4;
    if (size > limits_.header_bytes_max) return too_large(431, "header too large");
    if (end == std::string::npos) return false;
    std::string_view head = std::string_view{pending_}.substr(0, end);
    for (bool first = true; first || !head.empty(); first = false) {
        const std::size_t line_end = std::min(head.find(kLineEnd), head.size());
        const std::string_view line = head.substr(0, line_end);
        if (!first && request_.headers.size() == kHeadersMax)
            return too_large(431, "header count too large");
        LEAT_TRY_VOID(first ? parse_request_line(line, request_)
                            : parse_header_line(line, request_));
        head.remove_prefix(std::min(line_end + kLineEnd.size(), head.size()));
    }
    pending_.erase(0, end + 4);
    LEAT_TRY_VOID(choose_body());
    return true;
}

Result<void> RequestParser::choose_body() {
    std::size_t lengths = 0;
    std::size_t encodings = 0;
    for (const auto& [name, value] : request_.headers) {
        if (name == "content-length") ++lengths;
        if (name == "transfer-encoding") ++encodings;
        if (name == "connection" && has_word(value, "close")) request_.keep_alive = false;
    }
    if (lengths + encodings > 1) return malformed("more than one body length");
    if (encodings == 1) {
        if (lower(request_.header("transfer-encoding")) != "chunked")
            return malformed("transfer encoding other than chunked");
        state_ = State::kChunkSize;
    } else if (lengths == 1) {
        const std::optional<std::uint64_t> length = number(request_.header("content-length"), 10);
        if (!length) return malformed("bad Content-Length");
        if (*length > limits_.body_bytes_max) return too_large(413, "body too large");
        body_left_ = *length;
        state_ = body_left_ == 0 ? State::kDone : State::kSized;
    } else {
        state_ = State::kDone;
    }
    expects_continue_ = state_ != State::kDone && pending_.empty() &&
                        lower(request_.header("expect")) == "100-continue";
    return {};
}

bool RequestParser::read_data(State next) {
    if (pending_.empty()) return false;
    const std::size_t size = std::min(body_left_, pending_.size());
    request_.body.append(pending_, 0, size);
    pending_.erase(0, size);
    body_left_ -= size;
    if (body_left_ == 0) state_ = next;
    return true;
}

Result<bool> RequestParser::read_chunk_size() {
    const std::size_t end = pending_.find(kLineEnd);
    if (line_size(pending_, end) > kChunkLineMax) return malformed("chunk size line too long");
    if (end == std::string::npos) return false;
    const std::string_view line = std::string_view{pending_}.substr(0, end);
    if (!is_field_text(line)) return malformed("control character in a chunk size");
    const std::optional<std::uint64_t> size = number(trimmed(line.substr(0, line.find(';'))), 16);
    if (!size) return malformed("bad chunk size");
    if (*size > limits_.body_bytes_max - request_.body.size())
        return too_large(413, "body too large");
    pending_.erase(0, end + kLineEnd.size());
    body_left_ = *size;
    state_ = body_left_ == 0 ? State::kTrailer : State::kChunk;
    return true;
}

/// Trailer fields are read over, as RFC 9110 6.5.1 allows: nothing here uses one.
Result<bool> RequestParser::read_trailer() {
    const std::size_t end = pending_.find(kLineEnd);
    if (trailer_bytes_ + line_size(pending_, end) > limits_.header_bytes_max)
        return too_large(431, "header too large in the trailer");
    if (end == std::string::npos) return false;
    if (!is_field_text(std::string_view{pending_}.substr(0, end)))
        return malformed("control character in a trailer");
    trailer_bytes_ += end + kLineEnd.size();
    pending_.erase(0, end + kLineEnd.size());
    if (end == 0) state_ = State::kDone;
    return true;
}

bool RequestParser::take_expects_continue() noexcept {
    return std::exchange(expects_continue_, false);
}

Request RequestParser::take() {
    LEAT_CHECK(is_done());
    state_ = State::kHead;
    trailer_bytes_ = 0;
    expects_continue_ = false;
    return std::exchange(request_, {});
}

Error RequestParser::too_large(std::int16_t status, std::string_view what) {
    error_status_ = status;
    return Error{Errc::kLimitExceeded, what};
}

}  // namespace leat::http
