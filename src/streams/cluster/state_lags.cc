// SPDX-License-Identifier: Apache-2.0
#include "streams/cluster/state_lags.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace leat::streams {
namespace {

std::optional<std::int32_t> number_in(std::string_view text) {
    std::int32_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || end != text.data() + text.size() || out < 0) return std::nullopt;
    return out;
}

std::optional<TaskId> task_in(std::string_view text) {
    const auto middle = text.find('_');
    if (middle == std::string_view::npos) return std::nullopt;
    const auto subtopology = number_in(text.substr(0, middle));
    const auto partition = number_in(text.substr(middle + 1));
    if (!subtopology || !partition) return std::nullopt;
    return TaskId{*subtopology, *partition};
}

/// Of others an offset may be noted too: from when they were on disk, or of a task that was closed.
bool is_on_disk(const detail::StoreSpec& spec) {
    return spec.persistent && spec.kind != detail::StoreSpec::Kind::kSuppress;
}

}  // namespace

Result<std::map<TaskId, std::int64_t>> lags_of(
    const std::map<std::string, detail::TaskState::Offsets>& states, const Layout& layout,
    const EndsOf& ends_of) {
    struct Asked {
        TaskId task;
        std::int64_t offset = 0;
    };
    std::vector<Asked> asked;
    std::vector<client::TopicPartition> where;
    std::map<TaskId, std::int64_t> out;
    for (const auto& [folder, offsets] : states) {
        const auto task = task_in(folder);
        if (!task) continue;
        const auto index = static_cast<std::size_t>(task->subtopology);
        if (index >= layout.subtopologies().size()) continue;
        const auto& stores = layout.subtopologies()[index].stores;
        const bool has_any = std::ranges::any_of(stores, [&](const detail::StoreSpec& spec) {
            return is_on_disk(spec) && offsets.contains(spec.name);
        });
        if (!has_any) continue;
        out[*task] = 0;
        for (const detail::StoreSpec& spec : stores) {
            // A source that serves as changelog is followed as far as it was processed only.
            if (spec.source_topic || !spec.logging) continue;
            // One that is in memory, or was never restored, is missing whole.
            const auto offset = offsets.find(spec.name);
            const bool is_here = is_on_disk(spec) && offset != offsets.end();
            asked.push_back({*task, is_here ? offset->second : 0});
            where.push_back({layout.changelog_name(spec.name), task->partition});
        }
    }
    if (where.empty()) return out;
    LEAT_TRY(const auto ends, ends_of(where));
    for (std::size_t i = 0; i < asked.size(); ++i) {
        const std::int64_t behind = ends[i] - asked[i].offset;
        // What ends before the state is another changelog: all of it is to be restored.
        out[asked[i].task] += behind >= 0 ? behind : ends[i];
    }
    return out;
}

}  // namespace leat::streams
