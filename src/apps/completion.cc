// SPDX-License-Identifier: Apache-2.0
//
// The completion scripts. bash and zsh share one idea: a table of "path -> words" as a case
// statement.
#include <algorithm>

#include "apps/command.h"
#include "apps/help.h"

namespace leat::apps {
namespace {

std::string_view first_word(std::string_view path) {
    return path.substr(0, path.find(' '));
}

bool is_group(std::string_view word) {
    return std::ranges::any_of(all_groups(), [&](const CommandGroup& g) { return g.name == word; });
}

template <class Visit>
void each_option(const Command& command, Visit visit) {
    for (const OptionSpec& option : command.options) visit(option);
    for (const OptionSpec& option : common_options(command.kind)) visit(option);
}

/// "--yes -b --bootstrap": every spelling of every option.
std::string option_words(const Command& command) {
    std::string out = "--help";
    each_option(command, [&](const OptionSpec& option) {
        if (option.is_argument()) return;
        std::string names{option.names};
        std::ranges::replace(names, ',', ' ');
        out += " " + names;
    });
    return out;
}

std::string spaced(std::string_view choices) {
    std::string out{choices};
    std::ranges::replace(out, '|', ' ');
    return out;
}

std::string first_words() {
    std::string out;
    std::string_view last;
    for (const Command& command : all_commands()) {
        const std::string_view word = first_word(command.path);
        if (word == last) continue;
        out += (out.empty() ? "" : " ") + std::string{word};
        last = word;
    }
    return out;
}

std::string words_of_group(std::string_view group) {
    std::string out;
    for (const Command& command : all_commands())
        if (command.path.starts_with(std::string{group} + " "))
            out += (out.empty() ? "" : " ") + std::string{command.path.substr(group.size() + 1)};
    return out;
}

/// Body of a case over "$path" that sets `words`; the same text serves bash and zsh.
std::string word_cases() {
    std::string out = "        '') words='" + first_words() + "' ;;\n";
    for (const CommandGroup& group : all_groups())
        out += "        '" + std::string{group.name} + "') words='" + words_of_group(group.name) +
               "' ;;\n";
    for (const Command& command : all_commands()) {
        std::string words = option_words(command);
        for (const OptionSpec& option : command.options)
            if (option.is_argument() && !option.choices.empty())
                words += " " + spaced(option.choices);
        out += "        '" + std::string{command.path} + "') words='" + words + "' ;;\n";
    }
    return out;
}

/// Body of a case over "$path $previous-word" for options with choices, and for files.
std::string value_cases() {
    std::string out;
    for (const Command& command : all_commands()) {
        each_option(command, [&](const OptionSpec& option) {
            if (option.is_argument() || option.is_switch()) return;
            const std::string key =
                "'" + std::string{command.path} + " --" + std::string{option.key()} + "'";
            if (!option.choices.empty())
                out += "        " + key + ") words='" + spaced(option.choices) + "' ;;\n";
            else if (option.value == "FILE" || option.value == "DIR")
                out += "        " + key + ") files=1 ;;\n";
            else
                out += "        " + key + ") words='' ;;\n";
        });
    }
    return out;
}

/// The path is the first word, and the second too behind a group.
std::string path_shell() {
    std::string groups;
    for (const CommandGroup& group : all_groups())
        groups += (groups.empty() ? "" : "|") + std::string{group.name};
    return groups;
}

std::string bash_script() {
    return "# leat completion for bash: source <(leat completion bash)\n"
           "_leat() {\n"
           "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
           "    local path='' words='' files=0\n"
           "    if ((COMP_CWORD > 1)); then path=${COMP_WORDS[1]}; fi\n"
           "    case $path in\n"
           "        " +
           path_shell() +
           ") if ((COMP_CWORD > 2)); then path+=\" ${COMP_WORDS[2]}\"; fi ;;\n"
           "    esac\n"
           "    case $path in\n" +
           word_cases() +
           "    esac\n"
           "    case \"$path $previous\" in\n" +
           value_cases() +
           "    esac\n"
           "    if ((files)); then COMPREPLY=($(compgen -f -- \"$current\"));\n"
           "    else COMPREPLY=($(compgen -W \"$words\" -- \"$current\")); fi\n"
           "}\n"
           "complete -F _leat leat\n";
}

std::string zsh_script() {
    return "#compdef leat\n"
           "# leat completion for zsh: source <(leat completion zsh)\n"
           "_leat() {\n"
           "    local previous=${words[CURRENT-1]} list='' files=0\n"
           "    local -a typed; typed=(\"${words[@]}\")\n"
           "    _leat_table \"$typed[2]\" \"$typed[3]\" $CURRENT \"$previous\"\n"
           "}\n"
           "_leat_table() {\n"
           "    local path_='' words='' files=0 at=$3 previous=$4\n"
           "    if ((at > 2)); then path_=$1; fi\n"
           "    case $path_ in\n"
           "        " +
           path_shell() +
           ") if ((at > 3)); then path_+=\" $2\"; fi ;;\n"
           "    esac\n"
           "    case $path_ in\n" +
           word_cases() +
           "    esac\n"
           "    case \"$path_ $previous\" in\n" +
           value_cases() +
           "    esac\n"
           "    if ((files)); then _files; else compadd -- ${=words}; fi\n"
           "}\n"
           "if [ \"$funcstack[1]\" = _leat ]; then _leat; else compdef _leat leat; fi\n";
}

std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

void fish_option(std::string& out, const std::string& condition, const OptionSpec& option) {
    if (option.is_argument()) {
        if (!option.choices.empty())
            out += "complete -c leat -n " + quoted(condition) + " -a " +
                   quoted(spaced(option.choices)) + "\n";
        return;
    }
    out += "complete -c leat -n " + quoted(condition) + " -l " + std::string{option.key()};
    if (option.names[1] != '-') out += " -s " + std::string{option.names.substr(1, 1)};
    const bool is_path = option.value == "FILE" || option.value == "DIR";
    if (!option.is_switch()) out += is_path ? " -r -F" : " -x";
    if (!option.choices.empty()) out += " -a " + quoted(spaced(option.choices));
    out += " -d " + quoted(option.help) + "\n";
}

std::string fish_script() {
    std::string out =
        "# leat completion for fish: leat completion fish | source\n"
        "complete -c leat -f\n";
    for (const CommandGroup& group : all_groups())
        out += "complete -c leat -n __fish_use_subcommand -a " + std::string{group.name} + " -d " +
               quoted(group.summary) + "\n";
    for (const Command& command : all_commands()) {
        const std::string_view first = first_word(command.path);
        std::string seen = "__fish_seen_subcommand_from " + std::string{first};
        if (is_group(first)) {
            const std::string second{command.path.substr(first.size() + 1)};
            out += "complete -c leat -n " +
                   quoted(seen + "; and not __fish_seen_subcommand_from " + words_of_group(first)) +
                   " -a " + second + " -d " + quoted(command.summary) + "\n";
            seen += "; and __fish_seen_subcommand_from " + second;
        } else {
            out += "complete -c leat -n __fish_use_subcommand -a " + std::string{first} + " -d " +
                   quoted(command.summary) + "\n";
        }
        each_option(command, [&](const OptionSpec& option) { fish_option(out, seen, option); });
    }
    return out;
}

}  // namespace

std::string completion_script(Shell shell) {
    switch (shell) {
        case Shell::kBash:
            return bash_script();
        case Shell::kZsh:
            return zsh_script();
        case Shell::kFish:
            return fish_script();
    }
    return {};
}

}  // namespace leat::apps
