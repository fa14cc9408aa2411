// SPDX-License-Identifier: Apache-2.0
//
// leat version, completion and reference: what needs neither cluster nor data.
#include <boost/json.hpp>

#include <array>

#include "apps/commands.h"
#include "apps/help.h"
#include "apps/output.h"
#include "apps/reference.h"

namespace leat::apps {
namespace {

constexpr std::array kCompletionOptions{
    OptionSpec{.names = "SHELL",
               .value = {},
               .help = "which shell",
               .choices = "bash|zsh|fish",
               .required = true},
};
constexpr std::array kReferenceOptions{
    OptionSpec{.names = "--print",
               .value = "PAGE",
               .help = "which page",
               .choices = kReferencePages,
               .required = true},
};

Result<int> run_version(const Invocation& line) {
    const boost::json::value document{{"name", "leat"}, {"version", LEAT_VERSION}};
    static constexpr Column kColumns[] = {{"version", "leat"}};
    const Section sections[] = {{.pointer = "", .columns = kColumns}};
    LEAT_TRY_VOID(write_out(format_of(line) == Format::kTable
                                ? "leat " LEAT_VERSION "\n"
                                : render(format_of(line), document, sections)));
    return kExitDone;
}

Result<int> run_completion(const Invocation& line) {
    const std::string_view name = line.text("SHELL");
    const Shell shell = name == "bash" ? Shell::kBash : name == "zsh" ? Shell::kZsh : Shell::kFish;
    LEAT_TRY_VOID(write_out(completion_script(shell)));
    return kExitDone;
}

Result<int> run_reference(const Invocation& line) {
    LEAT_TRY_VOID(write_out(reference_page(line.text("print"))));
    return kExitDone;
}

constexpr std::array kCommands{
    Command{.path = "completion",
            .summary = "print a script that completes leat's commands in a shell",
            .example = "source <(leat completion bash)",
            .kind = CommandKind::kPlain,
            .options = kCompletionOptions,
            .run = run_completion},
    Command{.path = "reference",
            .summary = "print a reference page from the tables in the program",
            .example = "leat reference --print errors",
            .kind = CommandKind::kPlain,
            .options = kReferenceOptions,
            .run = run_reference},
    Command{.path = "version",
            .summary = "print the program's version",
            .example = "leat version --output json",
            .kind = CommandKind::kOffline,
            .options = {},
            .run = run_version},
};

}  // namespace

std::span<const Command> plain_commands() {
    return kCommands;
}

}  // namespace leat::apps
