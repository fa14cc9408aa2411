// SPDX-License-Identifier: Apache-2.0
//
// leat version, completion and reference: what needs neither cluster nor data.
#include <boost/json.hpp>

#include "apps/commands.h"
#include "apps/help.h"
#include "apps/output.h"
#include "apps/reference.h"

namespace leat::apps {

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

}  // namespace leat::apps
