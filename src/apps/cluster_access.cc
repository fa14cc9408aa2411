// SPDX-License-Identifier: Apache-2.0
#include "apps/cluster_access.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>

#include "apps/output.h"
#include "config/properties.h"

namespace leat::apps {
namespace {

constexpr int kFirstOwnCode = 1000;

struct FileCloser {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

}  // namespace

Result<std::string> read_text_file(const std::string& path) {
    const std::unique_ptr<std::FILE, FileCloser> file{std::fopen(path.c_str(), "re")};
    if (file == nullptr)
        return Error{errno == ENOENT ? Errc::kNotFound : Errc::kIoError,
                     "cannot open '" + path + "': " + std::strerror(errno)};
    std::string out;
    char block[16384];
    for (std::size_t got = 1; got > 0;) {
        got = std::fread(block, 1, sizeof block, file.get());
        out.append(block, got);
    }
    if (std::ferror(file.get()) != 0)
        return Error{Errc::kIoError, "cannot read '" + path + "': " + std::strerror(errno)};
    return out;
}

Result<ClusterAccess> cluster_access(const Invocation& line) {
    ClusterAccess out;
    if (line.has("config")) {
        const std::string path{line.text("config")};
        LEAT_TRY(const std::string text, read_text_file(path));
        auto properties = config::parse_properties(text);
        if (!properties)
            return Error{Errc::kInvalidSetting,
                         path + ": " + std::string{properties.error().detail()}};
        out.properties = *std::move(properties);
    }
    const std::string_view in_file = client::find_property(out.properties, "bootstrap.servers");
    const bool use_file = !line.is_given("bootstrap") && !in_file.empty();
    out.where = std::string{use_file ? in_file : line.text("bootstrap")};
    LEAT_TRY(out.bootstrap, client::parse_endpoints(out.where));
    std::string servers;
    for (const client::Endpoint& one : out.bootstrap)
        servers += (servers.empty() ? "" : ",") + one.text();
    client::set_property(out.properties, "bootstrap.servers", servers);
    if (client::find_property(out.properties, "client.id").empty())
        client::set_property(out.properties, "client.id", "leat");
    return out;
}

std::string error_text(const Error& error) {
    const std::string_view name = info(error.code()).name;
    const std::string_view detail = error.detail();
    if (detail.empty()) return std::string{name};
    const bool is_kafkas = static_cast<int>(error.code()) < kFirstOwnCode;
    if (!is_kafkas || error.code() == Errc::kUnknownServerError || detail.starts_with(name))
        return std::string{detail};
    return std::string{name} + ": " + std::string{detail};
}

Error failed_to(std::string_view what, const Error& cause) {
    return Error{cause.code(), "cannot " + std::string{what} + ": " + error_text(cause)};
}

// tidy: a table as a switch; codes without an entry have no advice to give.
std::string_view next_step(Errc code) {
    switch (static_cast<int>(code)) {
        case static_cast<int>(Errc::kNetworkException):
        case static_cast<int>(Errc::kBrokerNotAvailable):
            return "check that a broker listens there ('leat serve' starts one) or name another "
                   "with -b "
                   "HOST:PORT";
        case static_cast<int>(Errc::kTimedOut):
        case static_cast<int>(Errc::kRequestTimedOut):
            return "check the broker's log and load, then try again; -b HOST:PORT names another "
                   "broker";
        case static_cast<int>(Errc::kUnknownTopicOrPartition):
            return "'leat topic list' shows the topics, 'leat topic create NAME' makes one";
        case static_cast<int>(Errc::kTopicAlreadyExists):
            return "'leat topic describe NAME' shows it; choose another name or delete it first";
        case static_cast<int>(Errc::kInvalidTopicException):
            return "a topic name has 1 to 249 of: letters, digits, '.', '_', '-', and is not '.' "
                   "or '..'";
        case static_cast<int>(Errc::kInvalidReplicationFactor):
            return "'leat cluster brokers' counts the brokers; --replication-factor cannot be "
                   "above it";
        case static_cast<int>(Errc::kInvalidPartitions):
            return "partitions can only be added: give more than 'leat topic describe NAME' shows";
        case static_cast<int>(Errc::kInvalidConfig):
        case static_cast<int>(Errc::kInvalidSetting):
            return "'leat reference --print settings' lists the settings and their values";
        case static_cast<int>(Errc::kMessageTooLarge):
            return "raise the topic's max.message.bytes ('leat config alter topic NAME --set "
                   "max.message.bytes=...') or send smaller records";
        case static_cast<int>(Errc::kNonEmptyGroup):
            return "stop the group's members ('leat group describe GROUP' lists them), then try "
                   "again";
        case static_cast<int>(Errc::kGroupIdNotFound):
            return "'leat group list' shows the groups";
        case static_cast<int>(Errc::kNotEnoughReplicas):
        case static_cast<int>(Errc::kNotEnoughReplicasAfterAppend):
            return "lower the topic's min.insync.replicas or bring the missing brokers back";
        case static_cast<int>(Errc::kTopicAuthorizationFailed):
        case static_cast<int>(Errc::kGroupAuthorizationFailed):
        case static_cast<int>(Errc::kClusterAuthorizationFailed):
            return "log in as a user who may do this (--config FILE with its credentials)";
        case static_cast<int>(Errc::kOffsetOutOfRange):
            return "'leat topic describe NAME' shows the offsets that exist";
        case static_cast<int>(Errc::kDataDirInUse):
            return "stop the other process first; each broker needs a directory of its own "
                   "(--data DIR)";
        case static_cast<int>(Errc::kUnsupportedVersion):
            return "the broker is too old or too new for this command; 'leat version' and 'leat "
                   "cluster "
                   "status' show both sides";
        default:
            return {};
    }
}

Result<void> confirm(const Invocation& line, std::string_view question) {
    if (line.has("yes")) return {};
    if (isatty(STDIN_FILENO) != 1 || !is_terminal())
        return usage_error(std::string{question} +
                           " Not asked, as there is no terminal: give --yes");
    std::fprintf(stderr, "%s [y/N] ", std::string{question}.c_str());
    std::fflush(stderr);
    char answer[16] = {};
    const bool read = std::fgets(answer, sizeof answer, stdin) != nullptr;
    if (read && (answer[0] == 'y' || answer[0] == 'Y')) return {};
    return Error{Errc::kCancelled, "nothing was done"};
}

WallMs wall_clock_now() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return WallMs{std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000};
}

}  // namespace leat::apps
