// SPDX-License-Identifier: Apache-2.0
#include "apps/command.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace leat::apps {

std::string_view OptionSpec::key() const {
    std::string_view last = names.substr(names.rfind(',') + 1);
    while (last.starts_with('-')) last.remove_prefix(1);
    return last;
}

std::string OptionSpec::shown() const {
    return (is_argument() ? "" : "--") + std::string{key()};
}

bool Invocation::is_given(std::string_view key) const {
    const auto found = values_.find(key);
    return found != values_.end() && !found->second.from_default;
}

std::string_view Invocation::text(std::string_view key) const {
    const auto values = all(key);
    return values.empty() ? std::string_view{} : std::string_view{values.back()};
}

std::span<const std::string> Invocation::all(std::string_view key) const {
    const auto found = values_.find(key);
    if (found == values_.end()) return {};
    return found->second.texts;
}

Result<std::int64_t> Invocation::integer(std::string_view key, std::int64_t low,
                                         std::int64_t high) const {
    const std::string_view text = this->text(key);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size() && value >= low && value <= high)
        return value;
    // Options that all commands have are not among the command's own; none of them is an argument.
    const auto spec = std::ranges::find(command_->options, key, &OptionSpec::key);
    const std::string shown =
        spec == command_->options.end() ? "--" + std::string{key} : spec->shown();
    return usage_error(shown + ": '" + std::string{text} + "' is not a whole number from " +
                       std::to_string(low) + " to " + std::to_string(high));
}

void Invocation::add(std::string_view key, std::string_view value, bool from_default) {
    Values& values = values_[std::string{key}];
    values.texts.emplace_back(value);
    values.from_default = from_default;
}

Error usage_error(std::string_view text) {
    return Error{Errc::kUsage, text};
}

}  // namespace leat::apps
