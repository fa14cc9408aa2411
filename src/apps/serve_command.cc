// SPDX-License-Identifier: Apache-2.0
//
// leat serve: puts the parts of the broker together, runs them, and takes them down again.
#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/commands.h"
#include "apps/fault_injection.h"
#include "apps/interrupt.h"
#include "apps/output.h"
#include "apps/serve_plan.h"
#include "base/bounded_time.h"
#include "broker/admin_http.h"
#include "broker/broker.h"
#include "broker/group_host.h"
#include "broker/log_level.h"
#include "broker/metrics.h"
#include "broker/server.h"
#include "broker/transaction_host.h"
#include "http/server.h"
#include "metadata/store.h"
#include "obs/log.h"
#include "obs/metrics.h"
#include "rt/event_loop.h"
#include "rt/loop_thread.h"
#include "rt/posix_disk.h"
#include "rt/process.h"
#include "rt/signals.h"
#include "rt/thread_pool.h"
#include "storage/data_directory.h"

namespace leat::apps {
namespace {

constexpr obs::Logger kLog{"serve"};

constexpr std::array kOptions{
    OptionSpec{.names = "--data",
               .value = "DIR",
               .help = "where records and metadata are kept [$XDG_DATA_HOME/leat, or else "
                       "~/.local/share/leat]"},
    OptionSpec{.names = "--listen",
               .value = "HOST:PORT",
               .help = "where Kafka clients connect [127.0.0.1:9092]; port 0 picks a free one. The "
                       "second is the listener PLAINTEXT_2, and so on; NAME://HOST:PORT names one",
               .repeated = true},
    OptionSpec{.names = "--http-listen",
               .value = "HOST:PORT",
               .help = "where /metrics, /healthz and /readyz are [127.0.0.1:8080]; empty: nowhere",
               .may_be_empty = true},
    OptionSpec{.names = "--config",
               .value = "FILE",
               .help = "settings, as a Kafka broker's server.properties"},
    OptionSpec{.names = "--set",
               .value = "NAME=VALUE",
               .help = "one setting; goes before the file",
               .repeated = true},
    OptionSpec{.names = "--insecure-allow-unauthenticated-network",
               .value = {},
               .help = "listen on addresses that others can reach, though nobody has to say who "
                       "they are"},
    OptionSpec{.names = "--output",
               .value = "FORMAT",
               .help = "form of the line that says the server is ready",
               .fallback = "table",
               .choices = "table|json"},
};

std::string address_of(const std::string& host, std::uint16_t port) {
    const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return (shown.empty() ? "*" : shown) + ":" + std::to_string(port);
}

Result<std::string> fresh_cluster_id(rt::Executor& random) {
    for (;;) {
        const Uuid id = Uuid::from_random(random.random(), random.random());
        if (id.is_usable()) return id.text();
    }
}

/// Everything that runs, in the order in which it is made; it goes in the opposite order.
///
/// Threading: made and destroyed on the main thread, which also runs the first loop.
class Process {
  public:
    explicit Process(ServePlan plan) : plan_(std::move(plan)) {}

    Result<void> open();
    /// After an open() that failed: the next start need not recover what no start touched.
    void give_up();
    /// Until a signal and the clean end. The exit code.
    int run();

  private:
    Result<void> inject_faults();
    Result<void> open_data();
    Result<void> open_broker();
    Result<void> open_http();
    rt::Task<void> start();
    rt::Task<void> stop();
    void on_signal(int number);
    void drain();
    [[nodiscard]] std::vector<ListeningAt> listening() const;

    ServePlan plan_;
    rt::PosixDisk kernel_disk_;
    rt::PosixDisk trusting_disk_ = rt::PosixDisk::trusting();  ///< For the crash harness only.
    std::unique_ptr<rt::FaultDisk> fault_disk_;
    rt::Disk* disk_ = &kernel_disk_;
    FaultInjection faults_;
    std::unique_ptr<rt::ThreadPool> pool_;
    std::vector<std::unique_ptr<rt::EventLoop>> loops_;
    std::unique_ptr<obs::Registry> registry_;
    std::unique_ptr<storage::DataDirectory> directory_;
    std::unique_ptr<metadata::MetadataStore> store_;
    std::unique_ptr<broker::Broker> broker_;
    std::unique_ptr<broker::Server> server_;
    std::unique_ptr<broker::AdminHttp> admin_;
    std::unique_ptr<http::Server> http_;
    std::string http_host_;
    std::optional<rt::StopSignals> signals_;
    bool is_started_ = false;
    bool is_stopping_ = false;
    Instant stop_asked_;  ///< When it began to stop.
    bool is_clean_ = false;
};

Result<void> Process::open() {
    const config::BrokerConfig& config = *plan_.config;
    for (const UnknownSetting& one : plan_.unknown_settings)
        kLog.warn("unknown setting ignored", {{"name", one.name}, {"place", one.place}});
    if (const auto limit = rt::raise_descriptor_limit(); !limit.has_value())
        kLog.warn("limit of open files not raised", {{"detail", limit.error().detail()}});
    const std::size_t shards =
        config.shards > 0 ? static_cast<std::size_t>(config.shards) : rt::core_count();
    for (std::size_t i = 0; i < shards; ++i)
        loops_.push_back(std::make_unique<rt::EventLoop>(rt::EventLoopOptions{
            .name = "shard-" + std::to_string(i),
            .patience = std::chrono::milliseconds{config.shard_blocked_max_ms}}));
    pool_ = std::make_unique<rt::ThreadPool>(rt::ThreadPoolOptions{
        .threads = static_cast<std::size_t>(config.blocking_threads), .name = "blocking"});
    registry_ = std::make_unique<obs::Registry>(shards + 1);
    LEAT_TRY_VOID(open_data());
    LEAT_TRY_VOID(open_broker());
    LEAT_TRY_VOID(open_http());
    LEAT_TRY(rt::StopSignals signals,
             rt::StopSignals::open(*loops_.front(), [this](int number) { on_signal(number); }));
    signals_.emplace(std::move(signals));
    return {};
}

void Process::give_up() {
    if (directory_ == nullptr) return;
    if (const Result<void> left = directory_->leave_as_found(); !left.has_value())
        kLog.warn("the next start recovers", {{"detail", left.error().detail()}});
}

Result<void> Process::inject_faults() {
    LEAT_TRY(faults_, faults_from_environment());
    if (faults_.trust_sync) disk_ = &trusting_disk_;
    if (faults_.disk.empty()) return {};
    fault_disk_ = std::make_unique<rt::FaultDisk>(*disk_, faults_.disk);
    disk_ = fault_disk_.get();
    return {};
}

Result<void> Process::open_data() {
    LEAT_TRY_VOID(inject_faults());
    LEAT_TRY(directory_,
             storage::DataDirectory::open(*disk_, plan_.data_directory, plan_.config->node_id));
    LEAT_TRY_VOID(directory_->check_has_store());
    LEAT_TRY(const std::string cluster_id, fresh_cluster_id(*loops_.front()));
    LEAT_TRY(store_,
             metadata::open_sqlite_store(*disk_, directory_->path() + "/metadata.db", cluster_id));
    if (faults_.metadata_behind) store_ = behind_by_some(std::move(store_));
    // Connections come later: no sync may ever wait for a descriptor that they have.
    return (faults_.trust_sync ? trusting_disk_ : kernel_disk_).hold(directory_->path());
}

/// Who gets how many descriptors, and which settings ask for more.
void tell_shares(const broker::DescriptorShares& shares, const config::BrokerConfig& config) {
    kLog.info("file descriptors", {{"limit", shares.limit},
                                   {"log_files", shares.log_files},
                                   {"connections", shares.connections},
                                   {"http_connections", shares.http_connections}});
    constexpr std::int32_t kUnlimited = 2'147'483'647;
    if (shares.is_cut)
        kLog.warn("the limit of file descriptors is too low for a setting",
                  {{"setting", "leat.open.files.max"},
                   {"value", config.open_files_max},
                   {"used", shares.log_files},
                   {"limit", shares.limit}});
    if (config.max_connections < kUnlimited && config.max_connections > shares.connections)
        kLog.warn("the limit of file descriptors is too low for a setting",
                  {{"setting", "max.connections"},
                   {"value", config.max_connections},
                   {"used", shares.connections},
                   {"limit", shares.limit}});
}

Result<void> Process::open_broker() {
    broker::BrokerParts parts{.disk = disk_,
                              .pool = pool_.get(),
                              .executors = {},
                              .directory = directory_.get(),
                              .store = store_.get(),
                              .registry = registry_.get(),
                              .layers = plan_.layers,
                              .faults = faults_.storage,
                              .make_groups =
                                  [faults = faults_.groups](broker::Shard& shard) {
                                      return std::make_unique<broker::GroupHost>(shard, faults);
                                  },
                              .make_transactions =
                                  [faults = faults_.transactions](broker::Shard& shard) {
                                      return std::make_unique<broker::TransactionHost>(shard,
                                                                                       faults);
                                  }};
    std::vector<rt::EventLoop*> loops;
    for (const auto& loop : loops_) {
        parts.executors.push_back(loop.get());
        loops.push_back(loop.get());
    }
    LEAT_TRY(broker_, broker::Broker::open(std::move(parts)));
    tell_shares(broker_->descriptors(), broker_->shard(0).config());
    server_ = std::make_unique<broker::Server>(*broker_, std::move(loops));
    return server_->listen();
}

Result<void> Process::open_http() {
    admin_ = std::make_unique<broker::AdminHttp>(*broker_);
    if (!plan_.config->http_listen) return {};
    const std::string text[] = {*plan_.config->http_listen};
    LEAT_TRY(const std::vector<config::Listener> where, config::parse_listeners(text, {}));
    http_host_ = where.front().host;
    http::ServerOptions options;
    options.host = http_host_;
    options.port = where.front().port;
    options.unsent_bytes_max = static_cast<std::size_t>(plan_.config->http_unsent_bytes_max);
    options.unsent_bytes_setting = "leat.http.unsent.max.bytes";
    options.connections_max = broker_->descriptors().http_connections;
    options.on_refused = [this](std::string_view limit, const std::string& peer) {
        broker_->metrics().count_refused(limit);
        kLog.warn("http connection refused", {{"peer", peer}, {"limit", limit}});
    };
    LEAT_TRY(http_, http::Server::open(*loops_.front(), std::move(options), admin_->handler()));
    return {};
}

std::vector<ListeningAt> Process::listening() const {
    std::vector<ListeningAt> out;
    for (const config::Listener& one : server_->bound())
        out.push_back({one.name, address_of(one.host, one.port)});
    if (http_) out.push_back({"HTTP", address_of(http_host_, http_->port())});
    return out;
}

rt::Task<void> Process::start() {
    co_await broker_->start();
    is_started_ = true;
    if (is_stopping_) {
        drain();
        co_return;
    }
    server_->accept();
    admin_->set_ready(true);
    const std::string line =
        ready_line(listening(), plan_.data_directory, plan_.is_ready_line_json);
    // Nobody may be reading any more: that is no reason to stop.
    ignore(write_out(line), "the line is a courtesy");
    ignore(flush_out(), "the line is a courtesy");
}

rt::Task<void> Process::stop() {
    const Result<void> stopped = co_await broker_->stop();
    is_clean_ = stopped.has_value();
    if (!is_clean_)
        kLog.error("not stopped cleanly",
                   {{"error", stopped.error().code()}, {"detail", stopped.error().detail()}});
    for (const auto& loop : loops_) loop->stop();
}

void Process::on_signal(int number) {
    const Instant now = loops_.front()->now();
    if (is_stopping_) {
        if (!ends_at_once(number, now - stop_asked_)) return;
        // As after a crash, the next start recovers.
        kLog.warn("stopped at once by a second signal", {{"signal", number}});
        obs::flush_log();
        std::_Exit(kExitFailed);
    }
    is_stopping_ = true;
    stop_asked_ = now;
    kLog.info("stopping", {{"signal", number}});
    admin_->set_ready(false);
    if (is_started_) drain();
}

void Process::drain() {
    server_->drain(bounded_ms(plan_.config->shutdown_timeout_ms), [this] { rt::start(stop()); });
}

int Process::run() {
    obs::set_thread_slot(1);
    loops_.front()->post([this] { rt::start(start()); });
    {
        std::vector<rt::LoopThread> threads;
        for (std::size_t i = 1; i < loops_.size(); ++i)
            threads.emplace_back(*loops_[i], [i] { obs::set_thread_slot(i + 1); });
        loops_.front()->run();
    }
    pool_->stop();
    obs::flush_log();
    if (signals_) signals_->disregard();
    return is_clean_ ? kExitDone : kExitFailed;
}

Result<int> run_serve(const Invocation& line) {
    LEAT_TRY(ServePlan plan, serve_plan(line));
    obs::start_logging({.level = broker::level_of(plan.config->log_level),
                        .format = plan.config->log_format == config::LogFormat::kJson
                                      ? obs::Format::kJson
                                      : obs::Format::kLogfmt,
                        .async = true});
    Process process{std::move(plan)};
    Result<void> opened = process.open();
    if (!opened.has_value()) {
        process.give_up();
        obs::flush_log();
        return std::move(opened).error();
    }
    return process.run();
}

constexpr std::array kCommands{
    Command{
        .path = "serve",
        .summary = "run the backbone",
        .details =
            "Everything in one process, until SIGTERM, SIGINT or SIGHUP: then requests that have "
            "begun are finished, everything is synced, and it exits with 0. A second "
            "SIGINT, or a SIGTERM a second later, ends it at once, and the next start "
            "recovers. When it is ready it prints one line that names every listener and "
            "the data directory. 'leat reference --print settings' lists what --set and "
            "the file take. An unknown name ends it with 2; one in the file that does not "
            "begin with 'leat.' is another program's and only warned of.",
        .example = "leat serve --data /var/lib/leat --set num.partitions=6",
        .kind = CommandKind::kPlain,
        .options = kOptions,
        .run = run_serve},
};

}  // namespace

std::span<const Command> serve_commands() {
    return kCommands;
}

}  // namespace leat::apps
