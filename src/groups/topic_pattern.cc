// SPDX-License-Identifier: Apache-2.0
#include "groups/topic_pattern.h"

#include <re2/re2.h>

namespace leat::groups {

TopicPattern::TopicPattern(std::unique_ptr<re2::RE2> compiled) : compiled_(std::move(compiled)) {}
TopicPattern::TopicPattern(TopicPattern&&) noexcept = default;
TopicPattern& TopicPattern::operator=(TopicPattern&&) noexcept = default;
TopicPattern::~TopicPattern() = default;

Result<TopicPattern> TopicPattern::compile(std::string_view text) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto compiled = std::make_unique<re2::RE2>(re2::StringPiece{text.data(), text.size()}, options);
    if (!compiled->ok()) return Error{Errc::kInvalidRegularExpression, compiled->error()};
    return TopicPattern{std::move(compiled)};
}

bool TopicPattern::matches(std::string_view topic) const {
    return re2::RE2::FullMatch(re2::StringPiece{topic.data(), topic.size()}, *compiled_);
}

}  // namespace leat::groups
