// SPDX-License-Identifier: Apache-2.0
#include "groups/topic_pattern.h"

#include <re2/re2.h>

namespace leat::groups {
namespace {

/// Of one expression, with what it keeps from matching.
constexpr std::int64_t kMemoryBytesMax = 1 << 20;

}  // namespace

TopicPattern::TopicPattern(std::unique_ptr<re2::RE2> compiled) : compiled_(std::move(compiled)) {}
TopicPattern::TopicPattern(TopicPattern&&) noexcept = default;
TopicPattern& TopicPattern::operator=(TopicPattern&&) noexcept = default;
TopicPattern::~TopicPattern() = default;

Result<TopicPattern> TopicPattern::compile(std::string_view text) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kMemoryBytesMax);
    auto compiled = std::make_unique<re2::RE2>(re2::StringPiece{text.data(), text.size()}, options);
    if (!compiled->ok()) return Error{Errc::kInvalidRegularExpression, compiled->error()};
    return TopicPattern{std::move(compiled)};
}

std::string pattern_fault(std::string_view text) {
    const Result<TopicPattern> pattern = TopicPattern::compile(text);
    if (pattern) return {};
    return "SubscribedTopicRegex `" + std::string{text} +
           "` is not a valid regular expression: " + std::string{pattern.error().detail()} + ".";
}

bool TopicPattern::matches(std::string_view topic) const {
    return re2::RE2::FullMatch(re2::StringPiece{topic.data(), topic.size()}, *compiled_);
}

}  // namespace leat::groups
