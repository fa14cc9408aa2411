// SPDX-License-Identifier: Apache-2.0
//
// leat: finds the command, runs it, turns its error into a message and an exit code.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "apps/command_line.h"
#include "apps/next_step.h"
#include "apps/output.h"

namespace {

using leat::Errc;
using leat::Error;
using leat::apps::CommandKind;

/// Exit code for `error` of a command of this kind, after telling the user.
int report(const Error& error, CommandKind kind) {
    // The reader of our output went away (such as `| head`): nothing is wrong and nobody is left to
    // tell.
    if (leat::apps::is_reader_gone(error)) return leat::apps::kExitDone;
    const std::string_view what =
        error.detail().empty() ? leat::info(error.code()).name : error.detail();
    leat::apps::say("leat: " + std::string{what});
    const std::string_view next = leat::apps::next_step(error, kind);
    if (!next.empty()) leat::apps::say("  next: " + std::string{next});
    const bool is_usage = error.code() == Errc::kUsage || error.code() == Errc::kInvalidSetting;
    return is_usage ? leat::apps::kExitUsage : leat::apps::kExitFailed;
}

leat::Result<int> run(const leat::apps::ParsedLine& line) {
    int code = leat::apps::kExitDone;
    if (line.invocation.empty()) {
        LEAT_TRY_VOID(leat::apps::write_out(line.help));
    } else {
        const leat::apps::Invocation& invocation = line.invocation.front();
        LEAT_TRY(code, invocation.command().run(invocation));
    }
    // What the command found holds, whoever reads it.
    if (leat::Result<void> done = leat::apps::flush_out();
        !done && !leat::apps::is_reader_gone(done.error()))
        return std::move(done).error();
    return code;
}

/// Else the next files and sockets that are opened would be taken for input and output. Each is
/// opened for the other direction: to use it fails with "Bad file descriptor".
void occupy_standard_descriptors() {
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(standard, F_GETFD) >= 0 || errno != EBADF) continue;
        // The lowest that is free: this one.
        static_cast<void>(::open("/dev/null", standard == STDIN_FILENO ? O_WRONLY : O_RDONLY));
    }
}

}  // namespace

int main(int argc, char** argv) {
    occupy_standard_descriptors();
    std::signal(SIGPIPE, SIG_IGN);
    const std::vector<std::string> arguments{argv + 1, argv + argc};
    const auto line = leat::apps::parse_command_line(arguments);
    if (!line) return report(line.error(), CommandKind::kPlain);
    const CommandKind kind =
        line->invocation.empty() ? CommandKind::kPlain : line->invocation.front().command().kind;
    const leat::Result<int> done = run(*line);
    return done ? *done : report(done.error(), kind);
}
