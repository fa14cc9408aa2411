// SPDX-License-Identifier: Apache-2.0
#include "stream_endpoint/question.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "stream_endpoint/answer_text.h"
#include "stream_endpoint/instance.h"
#include "stream_endpoint/parameters.h"

namespace leat::stream_endpoint {
namespace {

using Kind = streams::detail::RawQuery::Kind;

constexpr std::string_view kStores = "/stores/";
/// Known to each kind.
constexpr std::string_view kGeneral = "partition position stale limit ";

/// The last part of an address.
struct Manner {
    std::string_view name;
    Kind kind{};
    std::string_view parameters;
};
constexpr auto kManners = std::to_array<Manner>({
    {"key", Kind::kKey, "key"},
    {"range", Kind::kRange, "from to order"},
    {"windows", Kind::kWindows, "key from to"},
    {"sessions", Kind::kSessionsOfKey, "key"},
    {"version", Kind::kVersion, "key as-of"},
    {"versions", Kind::kVersions, "key from to order"},
});

Error invalid(std::string_view what) {
    return Error{Errc::kInvalidRequest, what};
}

Result<std::optional<std::string>> key_in(const Parameters& in, std::string_view name,
                                          const ExposedStore& store) {
    const auto text = in.find(name);
    if (!text) return std::optional<std::string>{};
    auto bytes = store.key_of(*text);
    if (!bytes)
        return invalid("parameter " + std::string{name} + " is no key of " + store.name +
                       std::string{bytes.error().detail()});
    return std::optional<std::string>{*std::move(bytes)};
}

Result<bool> is_order(const Parameters& in, std::string_view wanted, std::string_view other) {
    const std::string order = in.find("order").value_or(std::string{other});
    if (order != wanted && order != other)
        return invalid("parameter order: expected " + std::string{wanted} + " or " +
                       std::string{other});
    return order == wanted;
}

/// Fills `out.query` but for its kind.
Result<void> read_query(const Parameters& in, Question& out) {
    constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max();
    auto& query = out.query;
    const ExposedStore& store = *out.store;
    if (query.kind == Kind::kRange) {
        LEAT_TRY(query.key, key_in(in, "from", store));
        LEAT_TRY(query.last, key_in(in, "to", store));
        LEAT_TRY(query.backwards, is_order(in, "desc", "asc"));
        return {};
    }
    LEAT_TRY(query.key, key_in(in, "key", store));
    if (query.kind == Kind::kWindows && query.key) query.kind = Kind::kWindowsOfKey;
    if (!query.key && query.kind != Kind::kWindows) return invalid("parameter key is missing");
    if (query.kind == Kind::kVersion) {
        LEAT_TRY(query.from_ms, in.number("as-of", 0));
        return {};
    }
    LEAT_TRY(query.from_ms, in.number("from", 0));
    LEAT_TRY(query.to_ms, in.number("to", 0));
    if (query.from_ms.value_or(0) > query.to_ms.value_or(kEver))
        return invalid("parameter from is above parameter to");
    if (query.kind == Kind::kVersions) {
        LEAT_TRY(const bool is_up, is_order(in, "asc", "desc"));
        query.backwards = !is_up;
    }
    return {};
}

Result<void> read_general(const Parameters& in, std::size_t rows_max, Question& out) {
    LEAT_TRY(const auto partition, in.number("partition", 0));
    if (partition) {
        if (*partition > std::numeric_limits<std::int32_t>::max())
            return invalid("parameter partition: there is no such partition");
        out.partition = static_cast<std::int32_t>(*partition);
    }
    LEAT_TRY(out.stale, in.truth("stale", false));
    LEAT_TRY(out.at_least, parse_position(in.find("position").value_or("")));
    LEAT_TRY(const auto limit, in.number("limit", 1));
    out.rows_max = rows_max;
    if (limit) out.rows_max = std::min(rows_max, static_cast<std::size_t>(*limit));
    return {};
}

http::Response refused(const Error& why) {
    return refusal(400, "INVALID_REQUEST", why.detail());
}

}  // namespace

bool Question::is_lookup() const noexcept {
    return query.kind == Kind::kKey || query.kind == Kind::kVersion;
}

std::string Question::target_of(std::int32_t of) const {
    if (partition && target.find("partition=") != std::string::npos) return target;
    return target + (target.find('?') == std::string::npos ? "?" : "&") +
           "partition=" + std::to_string(of);
}

std::variant<Question, http::Response> parse_question(const http::Request& request,
                                                      const std::vector<ExposedStore>& stores,
                                                      std::size_t rows_max) {
    std::string_view rest = request.path;
    if (!rest.starts_with(kStores)) return refusal(404, "NOT_FOUND", "there is nothing here");
    rest.remove_prefix(kStores.size());
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string_view name = rest.substr(0, slash);
    const std::string_view manner = rest.substr(std::min(slash + 1, rest.size()));
    const auto store = std::ranges::find(stores, name, &ExposedStore::name);
    if (store == stores.end())
        return refusal(404, "UNKNOWN_STORE", "no store " + std::string{name} + " is to be asked");
    const auto found = std::ranges::find(kManners, manner, &Manner::name);
    if (found == kManners.end())
        return refusal(404, "UNKNOWN_QUERY",
                       "a store is asked by /key, /range, /windows, /sessions, /version or "
                       "/versions");
    Question out{.store = &*store, .query = {.kind = found->kind}};
    auto in = Parameters::parse(request.query);
    if (!in) return refused(in.error());
    if (auto done = in->allow(std::string{kGeneral} + std::string{found->parameters}); !done)
        return refused(done.error());
    if (auto done = read_query(*in, out); !done) return refused(done.error());
    if (auto done = read_general(*in, rows_max, out); !done) return refused(done.error());
    out.was_forwarded = !request.header(kForwardedHeader).empty();
    out.target = std::string{kStores} + store->name + "/" + std::string{found->name};
    if (!request.query.empty()) out.target += "?" + request.query;
    return out;
}

}  // namespace leat::stream_endpoint
