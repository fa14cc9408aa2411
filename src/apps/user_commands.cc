// SPDX-License-Identifier: Apache-2.0
//
// leat user list, add, remove; leat token create, list, renew, expire.
#include <boost/json.hpp>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>

#include "apps/admin_access.h"
#include "apps/cluster_access.h"
#include "apps/commands.h"
#include "apps/offline_users.h"
#include "apps/output.h"
#include "auth/digest.h"
#include "client/users.h"

namespace leat::apps {
namespace {

namespace json = boost::json;

constexpr OptionSpec kUser{
    .names = "USER", .value = {}, .help = "name of the user", .required = true};
constexpr OptionSpec kMechanism{.names = "--mechanism",
                                .value = "MECHANISM",
                                .help = "which SCRAM credential; all unless given",
                                .choices = "SCRAM-SHA-256|SCRAM-SHA-512",
                                .repeated = true};
constexpr OptionSpec kData{.names = "--data",
                           .value = "DIR",
                           .help = "write into the data directory of a stopped server instead"};
constexpr OptionSpec kHmac{
    .names = "HMAC", .value = {}, .help = "secret of the token, in base64", .required = true};

constexpr auto kAdd = std::to_array<OptionSpec>({
    kUser,
    {.names = "--password-file",
     .value = "FILE",
     .help = "its first line is the password; asked for on the terminal, or read from standard "
             "input, unless given"},
    kMechanism,
    {.names = "--iterations",
     .value = "N",
     .help = "rounds of hashing, 4096 to 16384",
     .fallback = "16384"},
    kData,
    {.names = "--super", .value = {}, .help = "the user may do everything; with --data only"},
});
constexpr auto kRemove = std::to_array<OptionSpec>({kUser, kMechanism, kData});
constexpr auto kList = std::to_array<OptionSpec>({
    {.names = "--data",
     .value = "DIR",
     .help = "read the data directory of a stopped server instead, which also tells who is super"},
});
constexpr auto kTokenCreate = std::to_array<OptionSpec>({
    {.names = "--owner",
     .value = "USER",
     .help = "for whom it stands; you unless given. Takes the right create-tokens on that user"},
    {.names = "--renewer",
     .value = "USER",
     .help = "who may renew it beside its owner",
     .repeated = true},
    {.names = "--max-lifetime-ms",
     .value = "MS",
     .help = "how long it can be renewed; -1 for the broker's longest",
     .fallback = "-1"},
});
constexpr auto kTokenRenew = std::to_array<OptionSpec>({
    kHmac,
    {.names = "--period-ms",
     .value = "MS",
     .help = "for how long, at most as long as a new one is given; -1 for that",
     .fallback = "-1"},
});
constexpr auto kTokenExpire = std::to_array<OptionSpec>({
    kHmac,
    {.names = "--period-ms",
     .value = "MS",
     .help = "in how long; -1 for at once",
     .fallback = "-1"},
});

/// Reads a line that is typed on the terminal, which is as `shown`, without showing it.
std::string ask_hidden(const std::string& question, const termios& shown) {
    termios hidden = shown;
    hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    std::fputs(question.c_str(), stderr);
    std::string line;
    std::getline(std::cin, line);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    say("");
    return line;
}

/// A line of standard input; asked for twice when somebody types what he does not see.
/// Errors: kCancelled: these were not the same.
Result<std::string> ask_password(const std::string& user) {
    termios shown{};
    std::string password;
    if (::isatty(STDIN_FILENO) != 1 || ::tcgetattr(STDIN_FILENO, &shown) != 0) {
        std::getline(std::cin, password);
        return password;
    }
    password = ask_hidden("password of " + user + ": ", shown);
    if (password.empty()) return password;
    std::string again = ask_hidden("the same again: ", shown);
    const bool is_same = again == password;
    auth::wipe(again);
    if (is_same) return password;
    auth::wipe(password);
    return Error{Errc::kCancelled, "the two passwords differ: nothing was done"};
}

Result<std::string> password_of(const Invocation& line) {
    std::string password;
    if (line.has("password-file")) {
        LEAT_TRY(const std::string text, read_text_file(std::string{line.text("password-file")}));
        password = text.substr(0, text.find('\n'));
    } else {
        LEAT_TRY(password, ask_password(std::string{line.text("USER")}));
    }
    if (!password.empty() && password.back() == '\r') password.pop_back();
    if (password.empty()) return usage_error("the password is empty");
    return password;
}

std::vector<auth::ScramMechanism> mechanisms_of(const Invocation& line) {
    std::vector<auth::ScramMechanism> out;
    for (const std::string& name : line.all("mechanism"))
        if (const auto one = auth::scram_mechanism(name);
            one && std::ranges::find(out, *one) == out.end())
            out.push_back(*one);
    if (out.empty()) out = {auth::ScramMechanism::kSha256, auth::ScramMechanism::kSha512};
    return out;
}

/// What `user remove` takes from its user.
std::string what_goes(const Invocation& line) {
    std::string out;
    for (const std::string& name : line.all("mechanism")) out += (out.empty() ? "" : ", ") + name;
    return out.empty() ? "all credentials" : "the credential " + out;
}

std::string user_at(const Invocation& line, std::string_view verb, std::string_view where) {
    return std::string{verb} + " user '" + std::string{line.text("USER")} + "' " +
           std::string{where};
}

Result<int> tell(const Invocation& line, const json::object& document,
                 std::span<const Column> columns) {
    const Section sections[] = {{.pointer = "", .columns = columns}};
    LEAT_TRY_VOID(write_out(render(format_of(line), document, sections)));
    return kExitDone;
}

Result<int> tell_users(const Invocation& line, std::string_view where, json::array rows,
                       std::span<const Column> columns) {
    if (rows.empty() && format_of(line) == Format::kTable)
        say("no users with SCRAM credentials " + std::string{where});
    const Section sections[] = {{.pointer = "/users", .columns = columns}};
    json::object document;
    document["users"] = std::move(rows);
    LEAT_TRY_VOID(write_out(render(format_of(line), document, sections)));
    return kExitDone;
}

/// Who may do everything stands there whether or not he has a password.
Result<int> list_offline(const std::string& directory, const Invocation& line) {
    const Result<metadata::Credentials> known = offline_credentials(directory);
    if (!known) return failed_to("list the users of " + directory, known.error());
    json::array rows;
    for (const auto& [name, credentials] : known->users())
        for (const auto& [mechanism, credential] : credentials)
            rows.push_back(
                {{"user", name},
                 {"mechanism", auth::name_of(mechanism)},
                 {"iterations", credential->iterations},
                 {"super", known->supers().contains(auth::Principal::user(name).text())}});
    for (const std::string& principal : known->supers()) {
        const auth::Principal parsed = auth::Principal::parse(principal);
        if (known->find_user(parsed.name()) == nullptr)
            rows.push_back({{"user", parsed.name()},
                            {"mechanism", nullptr},
                            {"iterations", nullptr},
                            {"super", true}});
    }
    static constexpr Column kColumns[] = {{"user", "user"},
                                          {"mechanism", "mechanism"},
                                          {"iterations", "iterations"},
                                          {"super", "super"}};
    return tell_users(line, "in " + directory, std::move(rows), kColumns);
}

json::object token_json(const client::TokenInfo& token) {
    json::array renewers;
    for (const std::string& one : token.renewers) renewers.emplace_back(one);
    return {{"id", token.id},
            {"hmac", auth::base64(token.hmac)},
            {"owner", token.owner},
            {"renewers", std::move(renewers)},
            {"issued_ms", token.issued_ms},
            {"expires_ms", token.expires_ms},
            {"ends_ms", token.ends_ms}};
}

constexpr auto kTokenColumns = std::to_array<Column>({{"id", "id"},
                                                      {"hmac", "hmac"},
                                                      {"owner", "owner"},
                                                      {"expires_ms", "expires (ms)"},
                                                      {"ends_ms", "ends (ms)"}});

Result<int> change_token(const Invocation& line, bool renews) {
    const auto hmac = auth::from_base64(line.text("HMAC"));
    if (!hmac) return usage_error("HMAC: is no base64");
    LEAT_TRY(const std::int64_t period, line.integer("period-ms", -1, INT64_MAX));
    if (!renews) LEAT_TRY_VOID(confirm(line, "End the token, for all who log in with it?"));
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const auto expires = renews ? client::renew_token(*access.admin, *hmac, period)
                                : client::expire_token(*access.admin, *hmac, period);
    if (!expires)
        return failed_to(std::string{renews ? "renew" : "expire"} + " the token on " + access.where,
                         expires.error());
    static constexpr Column kColumns[] = {{"expires_ms", "expires (ms)"}};
    return tell(line, {{"expires_ms", *expires}}, kColumns);
}

Result<int> run_user_list(const Invocation& line) {
    if (line.has("data")) return list_offline(std::string{line.text("data")}, line);
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const auto users = client::list_users(*access.admin);
    if (!users) return failed_to("list the users of " + access.where, users.error());
    json::array rows;
    for (const client::ScramUser& user : *users)
        for (const auto& credential : user.credentials)
            rows.push_back({{"user", user.name},
                            {"mechanism", auth::name_of(credential.mechanism)},
                            {"iterations", credential.iterations}});
    static constexpr Column kColumns[] = {
        {"user", "user"}, {"mechanism", "mechanism"}, {"iterations", "iterations"}};
    return tell_users(line, "on " + access.where, std::move(rows), kColumns);
}

Result<int> run_user_add(const Invocation& line) {
    const bool is_offline = line.has("data");
    if (line.has("super") && !is_offline)
        return usage_error("--super needs --data: a running server takes super.users or ACLs");
    LEAT_TRY(const std::int64_t iterations,
             line.integer("iterations", auth::kScramIterationsMin, auth::kScramIterationsMax));
    LEAT_TRY(std::string password, password_of(line));
    client::NewUser user{.name = std::string{line.text("USER")},
                         .password = std::move(password),
                         .mechanisms = mechanisms_of(line),
                         .iterations = static_cast<std::int32_t>(iterations)};
    if (is_offline) {
        const std::string directory{line.text("data")};
        OfflineUser offline{.name = user.name,
                            .password = user.password,
                            .mechanisms = user.mechanisms,
                            .iterations = user.iterations,
                            .is_super = line.has("super")};
        const Result<bool> is_super = put_offline_user(directory, offline);
        auth::wipe(offline.password);
        auth::wipe(user.password);
        if (!is_super) return failed_to(user_at(line, "add", "to " + directory), is_super.error());
        static constexpr Column kColumns[] = {{"user", "user"}, {"super", "super"}};
        return tell(line, {{"user", user.name}, {"super", *is_super}}, kColumns);
    }
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const auto outcome = client::put_user(*access.admin, user);
    auth::wipe(user.password);
    if (!outcome) return failed_to(user_at(line, "add", "to " + access.where), outcome.error());
    Outcomes outcomes{"add", "user", access.where};
    if (!outcomes.note(*outcome)) return outcomes.exit_code();
    // Whether he is super is not told by a server: nothing is said of it rather than "no".
    static constexpr Column kColumns[] = {{"user", "user"}};
    return tell(line, {{"user", user.name}}, kColumns);
}

Result<int> run_user_remove(const Invocation& line) {
    const std::string name{line.text("USER")};
    std::vector<auth::ScramMechanism> mechanisms;
    if (line.has("mechanism")) mechanisms = mechanisms_of(line);
    LEAT_TRY_VOID(confirm(line, "Remove " + what_goes(line) + " of user '" + name + "'?"));
    static constexpr Column kColumns[] = {{"removed", "removed"}};
    if (line.has("data")) {
        const std::string directory{line.text("data")};
        const Result<void> done = remove_offline_user(directory, name, mechanisms);
        if (!done) return failed_to(user_at(line, "remove", "from " + directory), done.error());
        return tell(line, {{"removed", name}}, kColumns);
    }
    LEAT_TRY(AdminAccess access, connect_admin(line));
    if (mechanisms.empty()) {
        const auto users = client::list_users(*access.admin);
        if (!users)
            return failed_to(user_at(line, "remove", "from " + access.where), users.error());
        for (const client::ScramUser& user : *users)
            if (user.name == name)
                for (const auto& credential : user.credentials)
                    mechanisms.push_back(credential.mechanism);
        if (mechanisms.empty()) mechanisms = {auth::ScramMechanism::kSha256};
    }
    const auto outcome = client::remove_user(*access.admin, name, mechanisms);
    if (!outcome)
        return failed_to(user_at(line, "remove", "from " + access.where), outcome.error());
    Outcomes outcomes{"remove", "user", access.where};
    if (!outcomes.note(*outcome)) return outcomes.exit_code();
    return tell(line, {{"removed", name}}, kColumns);
}

Result<int> run_token_create(const Invocation& line) {
    LEAT_TRY(const std::int64_t lifetime, line.integer("max-lifetime-ms", -1, INT64_MAX));
    const auto principal = [](std::string_view name) {
        return (name.starts_with("User:") ? "" : "User:") + std::string{name};
    };
    std::vector<std::string> renewers;
    for (const std::string& name : line.all("renewer")) renewers.push_back(principal(name));
    const std::string owner = line.has("owner") ? principal(line.text("owner")) : "";
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const auto token = client::create_token(*access.admin, renewers, lifetime, owner);
    if (!token) return failed_to("create a token on " + access.where, token.error());
    return tell(line, token_json(*token), kTokenColumns);
}

Result<int> run_token_list(const Invocation& line) {
    LEAT_TRY(AdminAccess access, connect_admin(line));
    const auto tokens = client::list_tokens(*access.admin);
    if (!tokens) return failed_to("list the tokens of " + access.where, tokens.error());
    json::array rows;
    for (const client::TokenInfo& token : *tokens) rows.push_back(token_json(token));
    json::object document;
    document["tokens"] = std::move(rows);
    const Section sections[] = {{.pointer = "/tokens", .columns = kTokenColumns}};
    if (tokens->empty() && format_of(line) == Format::kTable)
        say("no tokens of yours on " + access.where);
    LEAT_TRY_VOID(write_out(render(format_of(line), document, sections)));
    return kExitDone;
}

Result<int> run_token_renew(const Invocation& line) {
    return change_token(line, true);
}

Result<int> run_token_expire(const Invocation& line) {
    return change_token(line, false);
}

constexpr std::array kCommands{
    Command{.path = "user list",
            .summary = "list users and their SCRAM credentials",
            .example = "leat user list",
            .options = kList,
            .run = run_user_list},
    Command{.path = "user add",
            .summary = "add a user, or give one another password",
            .details =
                "The password is read from standard input, a file or the terminal, never from "
                "the command line. --data writes into the directory of a server that does not "
                "run: that is how the first administrator is made.",
            .example = "leat user add admin --data /var/lib/leat --super --password-file admin.txt",
            .options = kAdd,
            .run = run_user_add},
    Command{.path = "user remove",
            .summary = "remove a user's credentials",
            .details =
                "Who has none left is gone, and so is his right to do everything, if --super "
                "gave it.",
            .example = "leat user remove alice --mechanism SCRAM-SHA-256 --yes",
            .options = kRemove,
            .run = run_user_remove},
    Command{.path = "token create",
            .summary = "make a token that stands for you",
            .details =
                "The hmac is its secret: clients log in by SCRAM with the id as name and the "
                "hmac as password, and say tokenauth=true. Of leat's own commands produce, "
                "consume and bench do not: their client library knows no tokens.",
            .example = "leat token create --renewer operator --max-lifetime-ms 86400000",
            .options = kTokenCreate,
            .run = run_token_create},
    Command{.path = "token list",
            .summary = "list your tokens and those you may renew",
            .example = "leat token list --output json",
            .options = {},
            .run = run_token_list},
    Command{.path = "token renew",
            .summary = "let a token hold for longer",
            .example = "leat token renew 3q2+7w== --period-ms 3600000",
            .options = kTokenRenew,
            .run = run_token_renew},
    Command{.path = "token expire",
            .summary = "end a token",
            .example = "leat token expire 3q2+7w== --yes",
            .options = kTokenExpire,
            .run = run_token_expire},
};

}  // namespace

std::span<const Command> user_commands() {
    return kCommands;
}

}  // namespace leat::apps
