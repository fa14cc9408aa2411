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
    if (file == nullptr) return usage_error("cannot open '" + path + "': " + std::strerror(errno));
    std::string out;
    char block[16384];
    for (std::size_t got = 1; got > 0;) {
        got = std::fread(block, 1, sizeof block, file.get());
        out.append(block, got);
    }
    if (std::ferror(file.get()) != 0)
        return Error{errno == EISDIR ? Errc::kUsage : Errc::kIoError,
                     "cannot read '" + path + "': " + std::strerror(errno)};
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
