// SPDX-License-Identifier: Apache-2.0
#include "apps/serve_plan.h"

#include <boost/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "apps/cluster_access.h"
#include "apps/command_line.h"
#include "apps/output.h"
#include "config/properties.h"

namespace leat::apps {
namespace {

constexpr std::string_view kExposureSwitch = "--insecure-allow-unauthenticated-network";

Result<void> read_file_layer(const Invocation& line, config::Layers& layers) {
    if (!line.has("config")) return {};
    const std::string path{line.text("config")};
    LEAT_TRY(const std::string text, read_text_file(path));
    const auto properties = config::parse_properties(text);
    if (!properties)
        return Error{Errc::kInvalidSetting, path + ": " + std::string{properties.error().detail()}};
    for (const config::Property& property : *properties)
        layers.file[property.name] = {property.value, path + ":" + std::to_string(property.line)};
    return {};
}

Result<void> read_set_options(const Invocation& line, config::PlacedValues& out) {
    for (const std::string& pair : line.all("set")) {
        const std::size_t equals = pair.find('=');
        if (equals == std::string::npos || equals == 0)
            return usage_error("--set: '" + pair + "' is no NAME=VALUE");
        out[pair.substr(0, equals)] = {pair.substr(equals + 1), "--set"};
    }
    return {};
}

/// Options that stand for a setting; both at once would leave one of them silently without effect.
Result<void> set_from_option(config::PlacedValues& out, const Invocation& line,
                             std::string_view key, const std::string& setting) {
    if (!line.has(key)) return {};
    if (out.contains(setting))
        return usage_error("--" + std::string{key} + " and --set " + setting +
                           " exclude each other");
    std::string value;
    for (const std::string& text : line.all(key)) value += (value.empty() ? "" : ",") + text;
    out[setting] = {value, "--" + std::string{key}};
    return {};
}

std::string from_environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string{} : std::string{value};
}

/// As Kafka makes it of a name: from the folder that the process began in, with single slashes and
/// none at the end; "." and ".." stay, since a link may lie before them.
Result<std::string> absolute(const std::string& path) {
    std::error_code failed;
    const std::filesystem::path whole = std::filesystem::absolute(path, failed);
    if (failed)
        return Error{Errc::kIoError, "the folder this process runs in: " + failed.message()};
    std::string out;
    for (const char c : whole.string())
        if (c != '/' || !out.ends_with('/')) out += c;
    if (out.size() > 1 && out.ends_with('/')) out.pop_back();
    return out;
}

Result<std::string> data_directory_of(const config::BrokerConfig& config) {
    if (!config.log_dirs.empty()) return absolute(config.log_dirs.front());
    // The XDG specification: relative paths in the variable are to be ignored.
    const std::string base = from_environment("XDG_DATA_HOME");
    if (base.starts_with('/')) return base + "/leat";
    const std::string home = from_environment("HOME");
    if (!home.empty()) return home + "/.local/share/leat";
    return usage_error(
        "no data directory: give --data DIR (neither XDG_DATA_HOME nor HOME is set)");
}

Result<void> refuse_exposed(std::string_view listener, std::string_view host) {
    if (config::is_loopback(host)) return {};
    return Error{
        Errc::kInvalidSetting,
        std::string{listener} +
            ": others can reach this address and nobody would have to authenticate; listen on "
            "127.0.0.1, or accept the risk with " +
            std::string{kExposureSwitch}};
}

Error refuse_readable(std::string_view listener) {
    return Error{Errc::kInvalidSetting,
                 std::string{listener} +
                     ": others can reach this address, and read and change what goes over it, "
                     "passwords included; use SASL_SSL, or accept the risk with " +
                     std::string{kExposureSwitch}};
}

/// Whether anybody may connect without saying who he is.
bool is_open(const config::Listener& listener, const config::ListenerSecurity& security) {
    if (config::has_sasl(listener.protocol)) return false;
    return !config::has_tls(listener.protocol) ||
           security.tls.client_auth != config::ClientAuth::kRequired;
}

Error refuse_unknown(const std::string& place, const std::string& name) {
    std::vector<std::string_view> known;
    for (const config::Setting& row : config::broker_settings()) known.push_back(row.name);
    const std::string_view near = nearest_word(name, known);
    return Error{Errc::kInvalidSetting,
                 place + ": " + name + ": there is no such setting" +
                     (near.empty() ? "" : "; did you mean '" + std::string{near} + "'?")};
}

/// The file is made, its folder is not: one that is missing is most likely misspelt. The data
/// directory comes with the first start, and what it lies in.
Result<void> check_audit_log(const ServePlan& plan) {
    if (plan.config->audit_path.empty()) return {};
    LEAT_TRY(const std::string path, absolute(plan.config->audit_path));
    const std::string folder = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
    std::error_code failed;
    const bool comes = (plan.data_directory + "/").starts_with(folder + "/");
    if (comes || std::filesystem::is_directory(folder, failed)) return {};
    const config::Winner told = config::winner(plan.layers, "leat.audit.log");
    return Error{Errc::kInvalidSetting,
                 std::string{told.place} + ": leat.audit.log: there is no folder '" + folder + "'"};
}

/// Splits them into those that are a mistake and those that another program may want.
Result<std::vector<UnknownSetting>> unknown_settings(const config::Layers& layers) {
    std::vector<UnknownSetting> out;
    for (const std::string& name : config::unknown_names(layers)) {
        if (const auto told = layers.command_line.find(name); told != layers.command_line.end())
            return refuse_unknown(told->second.place, name);
        const std::string& place = layers.file.at(name).place;
        if (name.starts_with("leat.")) return refuse_unknown(place, name);
        out.push_back({name, place});
    }
    return out;
}

}  // namespace

Result<void> check_exposure(const config::BrokerConfig& config) {
    for (const config::Listener& listener : config.listeners) {
        if (config.allow_unauthenticated_network || config::is_loopback(listener.host)) continue;
        const std::string shown = "listeners: " + config::text_of(listener);
        if (listener.protocol == config::Protocol::kSaslPlaintext) return refuse_readable(shown);
        if (is_open(listener, config.security.at(listener.name)))
            LEAT_TRY_VOID(refuse_exposed(shown, listener.host));
    }
    if (!config.http_listen || config.allow_unauthenticated_network) return {};
    const std::string text[] = {*config.http_listen};
    const auto where = config::parse_listeners(text, {});
    if (!where)
        return Error{Errc::kInvalidSetting,
                     "leat.http.listen: " + std::string{where.error().detail()}};
    return refuse_exposed("leat.http.listen: " + *config.http_listen, where->front().host);
}

Result<ServePlan> serve_plan(const Invocation& line) {
    ServePlan out;
    config::PlacedValues& options = out.layers.command_line;
    LEAT_TRY_VOID(read_file_layer(line, out.layers));
    LEAT_TRY_VOID(read_set_options(line, options));
    LEAT_TRY_VOID(set_from_option(options, line, "listen", "listeners"));
    LEAT_TRY_VOID(set_from_option(options, line, "http-listen", "leat.http.listen"));
    LEAT_TRY_VOID(set_from_option(options, line, "data", "log.dirs"));
    if (line.has("insecure-allow-unauthenticated-network"))
        options["leat.insecure.allow.unauthenticated.network"] = {"true",
                                                                  std::string{kExposureSwitch}};
    LEAT_TRY(out.config, config::resolve(out.layers));
    // First: the switch that allows exposure may be what is misspelt.
    LEAT_TRY(out.unknown_settings, unknown_settings(out.layers));
    LEAT_TRY_VOID(check_exposure(*out.config));
    LEAT_TRY(out.data_directory, data_directory_of(*out.config));
    LEAT_TRY_VOID(check_audit_log(out));
    out.is_ready_line_json = line.text("output") == "json";
    return out;
}

std::string ready_line(std::span<const ListeningAt> listeners, std::string_view data_directory,
                       bool is_json) {
    if (is_json) {
        boost::json::array all;
        for (const ListeningAt& one : listeners)
            all.push_back({{"name", one.name}, {"address", one.address}});
        return to_json_line({{"event", "ready"}, {"listeners", all}, {"data", data_directory}});
    }
    std::string out = "leat is ready:";
    for (const ListeningAt& one : listeners) out += " " + one.name + " " + one.address;
    return out + " data " + std::string{data_directory} + "\n";
}

}  // namespace leat::apps
