// SPDX-License-Identifier: Apache-2.0
#include "apps/offset_plan.h"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <string>

#include "apps/cluster_access.h"

namespace leat::apps {
namespace {

namespace json = boost::json;
using client::PartitionOffset;
using client::TopicPartition;

template <class Number>
bool number_in(std::string_view text, Number& out) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size() && out >= 0;
}

std::string name_of(const TopicPartition& where) {
    return where.topic + "-" + std::to_string(where.partition);
}

}  // namespace

Result<OffsetRule> offset_rule(const Invocation& line) {
    OffsetRule out;
    if (line.has("to")) {
        LEAT_TRY(out.to, parse_start_point(line.text("to"), wall_clock_now()));
    } else if (line.has("shift-by")) {
        LEAT_TRY(out.shift_by, line.integer("shift-by", INT64_MIN / 4, INT64_MAX / 4));
    }
    return out;
}

Result<Offsets> parse_offsets(std::string_view text) {
    Offsets out;
    for (int number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with('#')) continue;
        const std::size_t second = line.rfind(',');
        const std::size_t first =
            second == std::string_view::npos || second == 0 ? second : line.rfind(',', second - 1);
        TopicPartition where;
        std::int64_t offset = 0;
        if (first == std::string_view::npos || first == 0 || first >= second ||
            !number_in(line.substr(first + 1, second - first - 1), where.partition) ||
            !number_in(line.substr(second + 1), offset))
            return usage_error("line " + std::to_string(number) + ": '" + std::string{line} +
                               "' is no topic,partition,offset");
        where.topic = line.substr(0, first);
        out[where] = offset;
    }
    return out;
}

Result<void> check_committed(std::span<const TopicPartition> where, const Offsets& committed) {
    for (const TopicPartition& one : where)
        if (!committed.contains(one))
            return Error{Errc::kNotFound, "nothing is committed to " + name_of(one) +
                                              " that could be shifted; give --to"};
    return {};
}

KeptOffset kept_within(const TopicPartition& where, std::int64_t target, std::int64_t first,
                       std::int64_t end) {
    if (target > end)
        return {end, "offset " + std::to_string(target) + " lies behind the end of " +
                         name_of(where) + ": it is " + std::to_string(end) + " instead"};
    if (target < first)
        return {first, "offset " + std::to_string(target) + " lies before the start of " +
                           name_of(where) + ": it is " + std::to_string(first) + " instead"};
    return {target, {}};
}

std::vector<PartitionOffset> targets_of(const LogPlaces& found, const Offsets& committed,
                                        const OffsetRule& rule) {
    const auto& [first, ends, timed] = found;
    std::vector<PartitionOffset> out = ends;
    const bool is_exact = !rule.to || rule.to->kind == StartPoint::Kind::kOffset;
    for (std::size_t i = 0; i < out.size(); ++i) {
        // An answer that failed has no offset: it would look like a time behind the last record.
        for (const std::vector<PartitionOffset>* each : {&first, &timed})
            if (out[i].code == Errc::kNone && !each->empty()) out[i].code = (*each)[i].code;
        if (out[i].code != Errc::kNone) continue;
        const std::int64_t end = out[i].offset;
        std::int64_t& target = out[i].offset;
        if (rule.given) {
            if (const auto at = rule.given->find(out[i].where); at != rule.given->end())
                target = at->second;
        } else if (!rule.to) {
            const auto at = committed.find(out[i].where);
            if (at != committed.end()) target = at->second + rule.shift_by;
        } else if (rule.to->kind == StartPoint::Kind::kBeginning) {
            target = first[i].offset;
        } else if (rule.to->kind == StartPoint::Kind::kOffset) {
            target = rule.to->value;
        } else if (rule.to->kind == StartPoint::Kind::kBeforeEnd) {
            target = end - rule.to->value;
        } else if (rule.to->kind == StartPoint::Kind::kTime && timed[i].offset >= 0) {
            target = timed[i].offset;
        }
        const KeptOffset kept = kept_within(out[i].where, target, first[i].offset, end);
        if (is_exact && !kept.warning.empty()) say("leat: " + kept.warning);
        target = kept.offset;
    }
    return out;
}

Result<std::vector<PartitionOffset>> target_offsets(client::Admin& admin,
                                                    std::span<const TopicPartition> where,
                                                    const Offsets& committed,
                                                    const OffsetRule& rule) {
    LogPlaces found;
    LEAT_TRY(found.first, admin.list_offsets(where, client::kEarliest));
    LEAT_TRY(found.ends, admin.list_offsets(where, client::kLatest));
    if (rule.to && rule.to->kind == StartPoint::Kind::kTime) {
        LEAT_TRY(found.timed, admin.list_offsets(where, rule.to->value));
    }
    return targets_of(found, committed, rule);
}

Result<void> commit_plan(client::Admin& admin, std::string_view group,
                         std::span<const PartitionOffset> plan) {
    LEAT_TRY(const std::vector<PartitionOffset> done, admin.commit_offsets(group, plan));
    for (const PartitionOffset& one : done) {
        if (one.code == Errc::kNone) continue;
        // A member is there: the coordinator takes commits from members only.
        const bool has_members = one.code == Errc::kUnknownMemberId ||
                                 one.code == Errc::kIllegalGeneration ||
                                 one.code == Errc::kStaleMemberEpoch;
        return Error{has_members ? Errc::kNonEmptyGroup : one.code, name_of(one.where)};
    }
    return {};
}

json::array moves_json(std::span<const PartitionOffset> plan, const Offsets& committed) {
    json::array rows;
    for (const PartitionOffset& one : plan) {
        const auto old = committed.find(one.where);
        rows.push_back(
            {{"topic", one.where.topic},
             {"partition", one.where.partition},
             {"old_offset", old == committed.end() ? json::value{} : json::value(old->second)},
             {"new_offset", one.offset}});
    }
    return rows;
}

}  // namespace leat::apps
