// SPDX-License-Identifier: Apache-2.0
//
// leat: finds the command, runs it, turns its error into a message and an exit code.
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include "apps/cluster_access.h"
#include "apps/command_line.h"
#include "apps/output.h"

namespace {

using leat::Errc;
using leat::Error;

/// Exit code for `error`, after telling the user.
int report(const Error& error) {
    // The reader of our output went away (such as `| head`): nothing is wrong and nobody is left to
    // tell.
    if (error.code() == Errc::kClosed && error.detail().empty()) return leat::apps::kExitDone;
    const std::string_view what =
        error.detail().empty() ? leat::info(error.code()).name : error.detail();
    leat::apps::say("leat: " + std::string{what});
    const std::string_view next = leat::apps::next_step(error.code());
    if (!next.empty()) leat::apps::say("  next: " + std::string{next});
    const bool is_usage = error.code() == Errc::kUsage || error.code() == Errc::kInvalidSetting;
    return is_usage ? leat::apps::kExitUsage : leat::apps::kExitFailed;
}

leat::Result<int> run(const std::vector<std::string>& arguments) {
    LEAT_TRY(const leat::apps::ParsedLine line, leat::apps::parse_command_line(arguments));
    int code = leat::apps::kExitDone;
    if (line.invocation.empty()) {
        LEAT_TRY_VOID(leat::apps::write_out(line.help));
    } else {
        const leat::apps::Invocation& invocation = line.invocation.front();
        LEAT_TRY(code, invocation.command().run(invocation));
    }
    LEAT_TRY_VOID(leat::apps::flush_out());
    return code;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const std::vector<std::string> arguments{argv + 1, argv + argc};
    const leat::Result<int> done = run(arguments);
    return done ? *done : report(done.error());
}
