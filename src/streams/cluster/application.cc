// SPDX-License-Identifier: Apache-2.0
#include "leat/streams/application.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include "leat/streams/detail/guarded.h"
#include "obs/log.h"
#include "rt/posix_disk.h"
#include "streams/cluster/application_impl.h"
#include "streams/error_judge.h"

namespace leat::streams {
namespace {

constexpr obs::Logger kLog{"streams"};

bool is_over(ApplicationState state) {
    return state == ApplicationState::kNotRunning || state == ApplicationState::kError;
}
bool is_open(ApplicationState state) {
    return state == ApplicationState::kRebalancing || state == ApplicationState::kRunning;
}

/// Settings that something in Options::handlers stands in front of.
void note_handlers(const Application::Options& options) {
    const ErrorHandlers& given = options.handlers;
    const std::array<std::pair<std::string_view, bool>, 4> all{
        {{"deserialization.exception.handler", given.deserialization != nullptr},
         {"processing.exception.handler", given.processing != nullptr},
         {"production.exception.handler", given.production != nullptr},
         {"errors.dead.letter.queue.topic.name", !given.dead_letter_topic.empty()}}};
    for (const auto& [name, is_given] : all) {
        for (const std::string& spelt : {std::string{name}, "default." + std::string{name}})
            if (is_given && options.properties.contains(spelt))
                kLog.warn("setting without effect",
                          {{"setting", spelt}, {"why", "Options::handlers has one of its own"}});
    }
}

Result<std::string> new_process_id() {
    std::uint64_t bits[2] = {};
    if (::getrandom(bits, sizeof bits, 0) != static_cast<ssize_t>(sizeof bits))
        return Error{Errc::kIoError, "the system gives no random bits"};
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out;
    for (int i = 0; i < 32; ++i) {
        if (i == 8 || i == 12 || i == 16 || i == 20) out.push_back('-');
        out.push_back(kHex[(bits[i / 16] >> (4 * (i % 16))) & 15U]);
    }
    return out;
}

}  // namespace

std::string name_of(ApplicationState state) {
    switch (state) {
        case ApplicationState::kCreated:
            return "CREATED";
        case ApplicationState::kRebalancing:
            return "REBALANCING";
        case ApplicationState::kRunning:
            return "RUNNING";
        case ApplicationState::kPendingShutdown:
            return "PENDING_SHUTDOWN";
        case ApplicationState::kNotRunning:
            return "NOT_RUNNING";
        case ApplicationState::kPendingError:
            return "PENDING_ERROR";
        case ApplicationState::kError:
            return "ERROR";
    }
    return {};
}

namespace {

constexpr std::array kClientSensors{SensorId::kClientState, SensorId::kClientThreads,
                                    SensorId::kClientFailedThreads};

std::string client_of(const Settings& settings, const std::string& process) {
    return settings.client_id.empty() ? settings.application_id + "-" + process
                                      : settings.client_id;
}

}  // namespace

Application::Impl::Impl(const Topology& topology, Options options, Settings settings,
                        std::unique_ptr<detail::StateHome> states)
    : topology_(topology),
      options_(std::move(options)),
      settings_(std::move(settings)),
      handlers_(detail::ErrorJudge::complete(options_.handlers, settings_)),
      globals_(topology_.parts(), settings_.application_id, handlers_, rt::system_time()),
      room_(settings_.recording, settings_.samples),
      layout_(topology_.parts(), settings_.application_id),
      states_(std::move(states)),
      metrics_(&room_, {{"client-id", client_of(settings_, states_->process_id())}},
               kClientSensors),
      leaves_(settings_.instance_id.empty()) {
    environment_ = {.settings = &settings_,
                    .parts = &topology_.parts(),
                    .layout = &layout_,
                    .states = states_.get(),
                    .handlers = &handlers_,
                    .globals = &globals_,
                    .board = &board_,
                    .gate = &gate_,
                    .watch = &watch_,
                    .clock = &rt::system_time(),
                    .paused = &paused_,
                    .cache_bytes = &cache_bytes_,
                    .restore_listener = options_.restore_listener.get(),
                    .metrics = &room_,
                    .desk = &desk_,
                    .process = states_->process_id(),
                    .on_progress = [this] { look(); },
                    .on_end = [this](int index, const Error* why) { end_thread(index, why); }};
    membership_ = std::make_unique<Membership>(
        Membership::Environment{
            .settings = &settings_,
            .parts = &topology_.parts(),
            .layout = &layout_,
            .board = &board_,
            .gate = &gate_,
            .watch = &watch_,
            .clock = &rt::system_time(),
            .process = states_->process_id(),
            .topology = pack_topology(topology_.describe(), settings_.topology_bytes_max),
            .states = states_.get()},
        MembershipEvents{.on_rebalance =
                             [this] {
                                 {
                                     const std::lock_guard lock{mutex_};
                                     joining_ = true;
                                 }
                                 look();
                             },
                         .on_assigned =
                             [this] {
                                 {
                                     const std::lock_guard lock{mutex_};
                                     joining_ = false;
                                     for (const auto& [id, thread] : threads_) thread->wake();
                                 }
                                 look();
                             },
                         .on_failure = [this](const Error& why) { return fail(why, true); },
                         .on_shutdown =
                             [this] {
                                 kLog.info("the application ends, as a member asked", {});
                                 begin_shutdown(ApplicationState::kPendingError);
                             }});
    if (globals_.is_empty()) return;
    globals_.meter(room_, client_of(settings_, states_->process_id()) + "-GlobalStreamThread");
    global_thread_ = std::make_unique<GlobalThread>(
        GlobalThread::Environment{.settings = &settings_,
                                  .clock = &rt::system_time(),
                                  .state = &globals_,
                                  .states = states_.get(),
                                  .listener = options_.restore_listener.get()},
        GlobalEvents{.on_ready =
                         [this] {
                             const std::lock_guard lock{mutex_};
                             begin_work_locked();
                         },
                     .on_failure = [this](const Error& why) { fail(why, false); }});
}

Application::Impl::~Impl() {
    ignore(close(Duration{-1}, std::nullopt), "a destructor waits as long as it takes");
}

Result<void> Application::Impl::start() {
    {
        const std::lock_guard lock{mutex_};
        if (state_ != ApplicationState::kCreated || closing_)
            return Error{Errc::kUsage, "an application is started once"};
        set_state(ApplicationState::kRebalancing);
        states_->start_cleaning();
        if (global_thread_ != nullptr)
            global_thread_->start();
        else
            begin_work_locked();
    }
    tell();
    return {};
}

void Application::Impl::begin_work_locked() {
    if (closing_) return;
    works_ = true;
    for (int i = 1; i <= settings_.threads; ++i) start_thread_locked(i);
    member_thread_ = rt::NamedThread{"stream-group", [this] { membership_->run(); }};
}

void Application::Impl::set_state(ApplicationState next) {
    const ApplicationState before = state_.exchange(next);
    if (before == next) return;
    kLog.info("state", {{"application", settings_.application_id},
                        {"now", name_of(next)},
                        {"before", name_of(before)}});
    changed_.notify_all();
    if (options_.on_state) news_.emplace_back(next, before);
}

void Application::Impl::tell() {
    std::unique_lock lock{mutex_};
    if (std::exchange(telling_, true)) return;
    while (!news_.empty()) {
        const auto change = news_.front();
        news_.pop_front();
        lock.unlock();
        const Result<void> told = detail::guarded("on_state", [&]() -> Result<void> {
            options_.on_state(change.first, change.second);
            return {};
        });
        if (!told) kLog.error("a listener failed", {{"why", told.error().detail()}});
        lock.lock();
    }
    telling_ = false;
    changed_.notify_all();
}

void Application::Impl::look() {
    membership_->wake();
    {
        const std::lock_guard lock{mutex_};
        if (!is_open(state_)) return;
        const bool busy = joining_ || (threads_.empty() && !rests_) || board_.has_any_news() ||
                          std::ranges::any_of(threads_, [](const auto& one) {
                              return one.second->is_busy_restoring();
                          });
        set_state(busy ? ApplicationState::kRebalancing : ApplicationState::kRunning);
    }
    tell();
}

std::pair<UncaughtResponse, Error> Application::Impl::ask_uncaught(const Error& why) const {
    UncaughtResponse out = UncaughtResponse::kShutdownClient;
    if (!options_.on_uncaught) return {out, Error{why.code(), why.detail()}};
    const Result<void> asked = detail::guarded("on_uncaught failed", [&]() -> Result<void> {
        out = options_.on_uncaught(why);
        return {};
    });
    if (asked) return {out, Error{why.code(), why.detail()}};
    Error both = detail::with_cause(asked.error(), why);
    kLog.error("an exception handler failed", {{"why", both.detail()}});
    return {out, std::move(both)};
}

bool Application::Impl::fail(const Error& why, bool can_go_on) {
    kLog.error("the application cannot run", {{"code", why.code()}, {"why", why.detail()}});
    {
        const std::lock_guard lock{mutex_};
        if (closing_) return false;
    }
    const auto [response, failure] = ask_uncaught(why);
    if (response == UncaughtResponse::kReplaceThread) {
        if (can_go_on) return true;
        kLog.warn("the thread of global stores is not replaced", {});
    }
    {
        const std::lock_guard lock{mutex_};
        if (!failure_) failure_.emplace(failure.code(), std::string{failure.detail()});
    }
    const bool is_for_all = response == UncaughtResponse::kShutdownApplication;
    if (is_for_all) membership_->shut_down_application();
    begin_shutdown(ApplicationState::kPendingError);
    return is_for_all && can_go_on;  // The others hear of it when this one joins again.
}

void Application::Impl::begin_shutdown(ApplicationState pending, std::optional<bool> leave_group) {
    {
        const std::lock_guard lock{mutex_};
        if (closing_) return;
        closing_ = true;
        if (leave_group) leaves_ = *leave_group;
        const bool was_started = state_ != ApplicationState::kCreated;
        set_state(pending);
        if (was_started) {
            closer_ = rt::NamedThread{"stream-closer", [this] { shut_down(); }};
        } else {
            states_->close();
            set_state(ApplicationState::kNotRunning);
        }
    }
    tell();
}

void Application::Impl::shut_down() {
    bool leaves = false;
    {
        std::unique_lock lock{mutex_};
        for (const auto& [id, thread] : threads_) thread->stop();
        changed_.wait(lock, [&] { return alive_ == 0; });
        leaves = leaves_;
    }
    membership_->stop(leaves);
    member_thread_ = {};
    global_thread_.reset();
    globals_.close();
    states_->close();
    {
        const std::lock_guard lock{mutex_};
        set_state(state_ == ApplicationState::kPendingError ? ApplicationState::kError
                                                            : ApplicationState::kNotRunning);
    }
    tell();
}

ApplicationState Application::Impl::state() const {
    return state_;
}

bool Application::Impl::wait_for(ApplicationState state, Duration at_most) {
    std::unique_lock lock{mutex_};
    const auto there = [&] { return state_ == state || is_over(state_); };
    if (at_most.count() < 0) {
        changed_.wait(lock, there);
        return state_ == state;
    }
    return changed_.wait_for(lock, at_most, there) && state_ == state;
}

std::optional<Error> Application::Impl::failure() const {
    const std::lock_guard lock{mutex_};
    if (!failure_) return std::nullopt;
    return Error{failure_->first, failure_->second};
}

Result<void> Application::Impl::close(Duration at_most, std::optional<bool> leave_group) {
    begin_shutdown(ApplicationState::kPendingShutdown, leave_group);
    std::unique_lock lock{mutex_};
    const auto over = [&] { return is_over(state_) && is_told(); };
    if (at_most.count() < 0)
        changed_.wait(lock, over);
    else if (!changed_.wait_for(lock, at_most, over))
        return Error{Errc::kTimedOut, "closing goes on in the background"};
    return {};
}

Result<void> Application::Impl::clean_up() {
    const std::lock_guard lock{mutex_};
    if (state_ != ApplicationState::kCreated && !is_over(state_))
        return Error{Errc::kUsage, "state is not removed while the application runs"};
    return states_->clean_up();
}

Application::Application(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Application::~Application() = default;

Result<std::unique_ptr<Application>> Application::open(const Topology& declared,
                                                       const Options& options) {
    std::vector<config::Property> properties;
    properties.reserve(options.properties.size());
    for (const auto& [name, value] : options.properties) properties.push_back({name, value, 0});
    const auto set = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) properties.push_back({std::string{name}, value, 0});
    };
    set("application.id", options.application_id);
    set("bootstrap.servers", options.bootstrap_servers);
    if (options.guarantee)
        set("processing.guarantee",
            *options.guarantee == Guarantee::kExactlyOnceV2 ? "exactly_once_v2" : "at_least_once");
    if (options.threads) set("num.stream.threads", std::to_string(*options.threads));
    LEAT_TRY(Settings settings, read_settings(properties));
    for (const SettingNote& note : settings.notes)
        kLog.warn("setting without effect", {{"setting", note.name}, {"why", note.text}});
    note_handlers(options);
    LEAT_TRY(const Topology topology, detail::guarded("dsl_stores", [&]() -> Result<Topology> {
                 Topology placed = declared.placed(options.dsl_stores, settings.dsl_store);
                 LEAT_TRY_VOID(placed.parts().check());
                 return placed;
             }));
    const Layout layout{topology.parts(), settings.application_id};
    if (layout.sources().empty() && !layout.has_patterns() && !topology.parts().has_global_stores())
        return Error{Errc::kStreamsInvalidTopology,
                     "the topology reads nothing: it needs a source topic or a global table"};
    if (settings.require_names) LEAT_TRY_VOID(layout.check_names());
    LEAT_TRY(const Optimization wanted, Optimization::parse(settings.optimization));
    if (settings.optimization != "none" && !(wanted == topology.parts().optimization()))
        return Error{Errc::kInvalidSetting,
                     "topology.optimization: the topology was built with another one; it is chosen "
                     "in Builder::build()"};
    LEAT_TRY(std::string process, new_process_id());
    static rt::PosixDisk disk;  // Without state of its own.
    LEAT_TRY(auto states,
             detail::StateHome::open(
                 disk, rt::system_time(),
                 {.state_dir = settings.state_dir,
                  .application_id = settings.application_id,
                  .fresh_id = std::move(process),
                  .persistent = layout.keeps_state_on_disk(),
                  .exactly_once = settings.exactly_once,
                  .statistics = settings.recording >= RecordingLevel::kDebug,
                  .memory_bytes = static_cast<std::size_t>(settings.state_memory_bytes),
                  .cleanup_delay = settings.cleanup_delay,
                  .rocksdb_options = settings.rocksdb_options}));
    auto impl = std::make_unique<Impl>(topology, options, std::move(settings), std::move(states));
    return std::unique_ptr<Application>{
        new Application{std::move(impl)}};  // tidy: right here, the constructor is private
}

Result<std::unique_ptr<Application>> Application::open(Result<Topology> built,
                                                       const Options& options) {
    if (!built) return std::move(built).error();
    return open(*built, options);
}

Result<void> Application::start() {
    return impl_->start();
}
ApplicationState Application::state() const {
    return impl_->state();
}
std::optional<Error> Application::failure() const {
    return impl_->failure();
}
bool Application::wait_for(ApplicationState state, Duration at_most) {
    return impl_->wait_for(state, at_most);
}
Result<void> Application::close(Duration at_most, std::optional<bool> leave_group) {
    return impl_->close(at_most, leave_group);
}
void Application::pause() {
    impl_->pause(true);
}
void Application::resume() {
    impl_->pause(false);
}
Result<void> Application::clean_up() {
    return impl_->clean_up();
}
bool Application::is_paused() const {
    return impl_->is_paused();
}
Result<int> Application::add_thread() {
    return impl_->add_thread();
}
Result<int> Application::remove_thread(Duration at_most) {
    return impl_->remove_thread(at_most);
}

namespace {

constexpr Duration kSlice{100};
/// Who passes signals on, as timeout(1) and shells do, sends what was one request twice.
constexpr std::chrono::seconds kSameRequest{1};

/// One that waits for us; 0: none does.
int taken_signal(const sigset_t& of) {
    const timespec at_once{};
    return std::max(::sigtimedwait(&of, nullptr, &at_once), 0);
}

/// As if nobody had waited for it: unless the program has a handler of its own, that is the end.
void pass_on(int signal, const sigset_t& before, const sigset_t& ends) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::raise(signal);
    ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
}

}  // namespace

Result<void> Application::run_until_signal() {
    sigset_t ends;
    ::sigemptyset(&ends);
    ::sigaddset(&ends, SIGINT);
    ::sigaddset(&ends, SIGTERM);
    // Threads inherit the mask: the signal waits for us.
    sigset_t before;
    ::pthread_sigmask(SIG_BLOCK, &ends, &before);
    Result<void> started = impl_->start();
    if (started) {
        const timespec slice{.tv_sec = 0, .tv_nsec = 100'000'000};
        while (!is_over(impl_->state()) && ::sigtimedwait(&ends, nullptr, &slice) < 0) {
        }
        const auto asked = rt::system_time().now();
        while (!impl_->close(kSlice, std::nullopt)) {
            const int again = taken_signal(ends);
            if (again > 0 && rt::system_time().now() - asked >= kSameRequest)
                pass_on(again, before, ends);
        }
    }
    while (taken_signal(ends) > 0) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (!started) return started;
    if (auto failure = impl_->failure()) return *std::move(failure);
    return {};
}

}  // namespace leat::streams
