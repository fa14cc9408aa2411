// SPDX-License-Identifier: Apache-2.0
//
// What an application tells of itself and of the other instances.
#include <algorithm>
#include <utility>

#include "client/admin.h"
#include "client/murmur2.h"
#include "streams/cluster/application_impl.h"

namespace leat::streams {
namespace {

void note(const Layout& layout, const std::set<TaskId>& tasks, std::set<std::string>& ids,
          std::set<std::string>& stores) {
    const auto& all = layout.subtopologies();
    for (const TaskId& task : tasks) {
        ids.insert(task.text());
        // The leader may be of a version that tells no shape, and run something else.
        if (task.subtopology < 0 || static_cast<std::size_t>(task.subtopology) >= all.size())
            continue;
        for (const auto& spec : all[static_cast<std::size_t>(task.subtopology)].stores)
            stores.insert(spec.name);
    }
}

}  // namespace

std::vector<ThreadMetadata> Application::Impl::thread_metadata() const {
    const std::lock_guard lock{mutex_};
    std::vector<ThreadMetadata> out;
    out.reserve(threads_.size());
    for (const auto& [index, thread] : threads_) out.push_back(thread->metadata());
    return out;
}

std::vector<StreamsMetadata> Application::Impl::all_metadata() const {
    std::vector<StreamsMetadata> out;
    for (const auto& [endpoint, share] : membership_->view().others) {
        StreamsMetadata one{.endpoint = endpoint};
        note(layout_, share.active, one.tasks, one.stores);
        note(layout_, share.standby, one.standby_tasks, one.standby_stores);
        // Every instance has all of these.
        for (const std::string& store : globals_.store_names()) one.stores.insert(store);
        out.push_back(std::move(one));
    }
    return out;
}

Result<std::size_t> Application::Impl::subtopology_of(std::string_view store) const {
    const auto& all = layout_.subtopologies();
    const auto found = std::ranges::find_if(all, [&](const Subtopology& one) {
        return std::ranges::find(one.stores, store, &detail::StoreSpec::name) != one.stores.end();
    });
    if (found == all.end())
        return Error{Errc::kNotFound, "there is no store " + std::string{store}};
    return static_cast<std::size_t>(found - all.begin());
}

Result<KeyQueryMetadata> Application::Impl::query_metadata(std::string_view store,
                                                           std::string_view key) const {
    LEAT_TRY(auto all, query_metadata(store));
    const auto count = static_cast<std::int32_t>(all.size());
    return std::move(all[static_cast<std::size_t>(client::partition_of(key, count))]);
}

Result<std::vector<KeyQueryMetadata>> Application::Impl::query_metadata(
    std::string_view store) const {
    // Every instance has all of it.
    if (topology_.parts().is_global_store(std::string{store}))
        return std::vector{KeyQueryMetadata{.active = settings_.application_server}};
    LEAT_TRY(const std::size_t number, subtopology_of(store));
    const Membership::View view = membership_->view();
    if (number >= view.task_counts.size() || view.task_counts[number] < 1)
        return Error{Errc::kNotCoordinator, "the group has not laid out its tasks yet"};
    std::vector<KeyQueryMetadata> out;
    for (std::int32_t i = 0; i < view.task_counts[number]; ++i) {
        const TaskId task{static_cast<std::int32_t>(number), i};
        auto& one = out.emplace_back(KeyQueryMetadata{.partition = i});
        for (const auto& [endpoint, share] : view.others) {
            if (share.active.contains(task)) one.active = endpoint;
            if (share.standby.contains(task)) one.standby.push_back(endpoint);
        }
    }
    return out;
}

Result<Application::Impl::Lags> Application::Impl::lags() const {
    std::vector<StorePlace> places;
    {
        const std::lock_guard lock{mutex_};
        for (const auto& [index, thread] : threads_) {
            auto more = thread->store_places();
            places.insert(places.end(), std::make_move_iterator(more.begin()),
                          std::make_move_iterator(more.end()));
        }
    }
    Lags out;
    if (places.empty()) return out;
    std::vector<client::TopicPartition> where;
    where.reserve(places.size());
    for (const auto& place : places) where.push_back(place.changelog);
    LEAT_TRY(const auto admin, client::Admin::connect(settings_.admin));
    LEAT_TRY(const auto ends, admin->list_offsets(where, client::kLatest));
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto& place = places[i];
        if (ends[i].code != Errc::kNone) return Error{ends[i].code, place.changelog.topic};
        const std::int64_t end = ends[i].offset;
        const std::int64_t next = place.is_running ? end : place.next;
        out[place.store][place.changelog.partition] = {
            .position = next, .end = end, .lag = std::max<std::int64_t>(end - next, 0)};
    }
    return out;
}

std::vector<ThreadMetadata> Application::thread_metadata() const {
    return impl_->thread_metadata();
}
std::vector<StreamsMetadata> Application::all_metadata() const {
    return impl_->all_metadata();
}
std::vector<StreamsMetadata> Application::streams_metadata_for_store(std::string_view store) const {
    std::vector<StreamsMetadata> out = impl_->all_metadata();
    std::erase_if(out, [name = std::string{store}](const StreamsMetadata& one) {
        return !one.stores.contains(name) && !one.standby_stores.contains(name);
    });
    return out;
}
Result<KeyQueryMetadata> Application::query_metadata_for_bytes(std::string_view store,
                                                               std::string_view key) const {
    return impl_->query_metadata(store, key);
}
Result<std::vector<KeyQueryMetadata>> Application::query_metadata_for_store(
    std::string_view store) const {
    return impl_->query_metadata(store);
}
const EndpointSettings& Application::endpoint_settings() const {
    return impl_->endpoint_settings();
}
Result<std::map<std::string, std::map<std::int32_t, LagInfo>>>
Application::all_local_store_partition_lags() const {
    return impl_->lags();
}

std::vector<MetricValue> Application::Impl::metrics() const {
    {
        const std::lock_guard lock{mutex_};
        metrics_.find(SensorId::kClientState)->set(static_cast<int>(state_.load()));
        metrics_.find(SensorId::kClientThreads)->set(static_cast<std::int64_t>(alive_));
    }
    return room_.gather(rt::system_time().wall_now().value);
}

Result<std::vector<detail::RawAnswer>> Application::Impl::ask(std::string_view store,
                                                              const detail::RawQuery& query,
                                                              const QueryOptions& options) const {
    const detail::StoreSpec* spec = topology_.parts().find_store(store);
    if (spec == nullptr) return Error{Errc::kNotFound, "no store '" + std::string{store} + "'"};
    const ApplicationState now = state_;
    if (now != ApplicationState::kRunning && now != ApplicationState::kRebalancing)
        return Error{Errc::kUsage, "the application is " + name_of(now)};
    if (topology_.parts().is_global_store(spec->name)) {
        {
            const std::lock_guard lock{mutex_};
            if (!works_)
                return std::vector{
                    detail::RawAnswer{.partition = -1,
                                      .failure = QueryFailure::kNotActive,
                                      .reason = "the global stores are being restored"}};
        }
        return std::vector{globals_.ask(store, query, options)};
    }
    LEAT_TRY(auto out, desk_.ask_within(store, query, options));
    if (now == ApplicationState::kRebalancing)
        for (auto& one : out)
            if (one.failure == QueryFailure::kNotPresent)
                one.reason = "it is not on this instance; the group is being laid out anew";
    if (std::ranges::any_of(out, detail::may_be_elsewhere)) {
        if (const auto places = query_metadata(store)) detail::name_owners(*places, out);
    }
    return out;
}

std::vector<MetricValue> Application::metrics() const {
    return impl_->metrics();
}
Result<std::vector<detail::RawAnswer>> Application::ask(std::string_view store,
                                                        const detail::RawQuery& query,
                                                        const QueryOptions& options) const {
    return impl_->ask(store, query, options);
}

}  // namespace leat::streams
