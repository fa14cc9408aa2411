// SPDX-License-Identifier: Apache-2.0
#include "storage/leader_epochs.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

namespace leat::storage {
namespace {

/// The number that is all of `text`.
template <class T>
std::optional<T> number(std::string_view text) {
    T value{};
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || at != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Takes the next line off `text`; nullopt at its end.
std::optional<std::string_view> take_line(std::string_view& text) {
    if (text.empty()) return std::nullopt;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

Error malformed(std::string_view why) {
    return Error{Errc::kMalformed, why};
}

}  // namespace

Result<LeaderEpochs> LeaderEpochs::decode(std::string_view file) {
    if (take_line(file) != "0") return malformed("leader-epoch-checkpoint: unknown version");
    const auto count = number<std::int64_t>(take_line(file).value_or(""));
    if (!count || *count < 0) return malformed("leader-epoch-checkpoint: no count");
    LeaderEpochs epochs;
    for (std::int64_t i = 0; i < *count; ++i) {
        const auto line = take_line(file);
        if (!line) return malformed("leader-epoch-checkpoint: fewer entries than it says");
        const std::size_t space = std::min(line->find(' '), line->size());
        const auto epoch = number<std::int32_t>(line->substr(0, space));
        const auto start = number<std::int64_t>(line->substr(std::min(space + 1, line->size())));
        if (!epoch || !start || *epoch < 0 || *start < 0)
            return malformed("leader-epoch-checkpoint: not an epoch and an offset");
        if (*epoch <= epochs.latest() ||
            (!epochs.entries_.empty() && *start < epochs.entries_.back().start.value))
            return malformed("leader-epoch-checkpoint: out of order");
        epochs.entries_.push_back({.epoch = *epoch, .start = {*start}});
    }
    if (!file.empty()) return malformed("leader-epoch-checkpoint: more entries than it says");
    return epochs;
}

std::string LeaderEpochs::encode() const {
    std::string text = "0\n" + std::to_string(entries_.size()) + "\n";
    for (const EpochStart& entry : entries_)
        text += std::to_string(entry.epoch) + " " + std::to_string(entry.start.value) + "\n";
    return text;
}

bool LeaderEpochs::assign(std::int32_t epoch, Offset start) {
    if (epoch <= latest()) return false;
    // An epoch that begins where the last one did has taken all of that one's place.
    while (!entries_.empty() && entries_.back().start >= start) entries_.pop_back();
    entries_.push_back({.epoch = epoch, .start = start});
    return true;
}

bool LeaderEpochs::truncate_end(Offset end) {
    const std::size_t before = entries_.size();
    while (!entries_.empty() && entries_.back().start >= end) entries_.pop_back();
    return entries_.size() != before;
}

bool LeaderEpochs::truncate_start(Offset start) {
    // The last one that begins at or below `start` is the epoch of `start`.
    const auto after = std::ranges::upper_bound(entries_, start, {}, &EpochStart::start);
    if (after == entries_.begin()) return false;
    const auto current = std::prev(after);
    const bool changes = current != entries_.begin() || current->start != start;
    current->start = start;
    entries_.erase(entries_.begin(), current);
    return changes;
}

std::pair<std::int32_t, Offset> LeaderEpochs::end_of(std::int32_t epoch, Offset log_end) const {
    if (epoch < 0 || entries_.empty() || epoch > latest()) return {-1, Offset{-1}};
    const auto next = std::ranges::upper_bound(entries_, epoch, {}, &EpochStart::epoch);
    if (next == entries_.begin()) return {epoch, next->start};
    return {std::prev(next)->epoch, next == entries_.end() ? log_end : next->start};
}

}  // namespace leat::storage
