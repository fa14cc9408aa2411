// SPDX-License-Identifier: Apache-2.0
#include "apps/command_line.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>

#include "apps/help.h"

namespace leat::apps {
namespace {

/// Edits from `a` to `b`: insert, delete, replace, swap of neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1,
                                   cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
    }
    return cost[a.size()][b.size()];
}

std::vector<std::string_view> choices_of(const OptionSpec& option) {
    std::vector<std::string_view> out;
    std::string_view rest = option.choices;
    while (!rest.empty()) {
        const std::size_t bar = std::min(rest.find('|'), rest.size());
        out.push_back(rest.substr(0, bar));
        rest.remove_prefix(std::min(bar + 1, rest.size()));
    }
    return out;
}

std::vector<const OptionSpec*> options_of(const Command& command) {
    std::vector<const OptionSpec*> out;
    out.reserve(command.options.size());
    for (const OptionSpec& option : command.options) out.push_back(&option);
    for (const OptionSpec& option : common_options(command.kind)) out.push_back(&option);
    return out;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
    const std::string_view near = nearest_word(word, candidates);
    return near.empty() ? std::string{} : "; did you mean '" + std::string{near} + "'?";
}

/// Before a word that CLI11 shall take as it is: an empty value, what follows "--", and "[a,b]",
/// which it would take for a list.
constexpr char kVerbatim = '\x01';

bool is_guarded(std::string_view word) {
    return word.empty() || word.starts_with('[') || word.starts_with(kVerbatim);
}

std::string unguarded(const std::string& text) {
    return text.starts_with(kVerbatim) ? text.substr(1) : text;
}

Error unknown_option(const Command& command, const std::string& word) {
    std::vector<std::string> flags{"--help"};
    for (const OptionSpec* option : options_of(command))
        if (!option->is_argument()) flags.push_back("--" + std::string{option->key()});
    const std::vector<std::string_view> views{flags.begin(), flags.end()};
    if (!word.starts_with('-'))
        return usage_error("'leat " + std::string{command.path} + "' does not take the argument '" +
                           unguarded(word) + "'; 'leat " + std::string{command.path} +
                           " --help' shows what it takes");
    return usage_error("'leat " + std::string{command.path} + "' has no option '" + word + "'" +
                       suggestion(word, views) + " ('leat " + std::string{command.path} +
                       " --help' lists them)");
}

Error missing(const Command& command, const OptionSpec& option) {
    const std::string name =
        option.shown() + (option.is_argument() ? "" : " " + std::string{option.value});
    return usage_error("'leat " + std::string{command.path} + "' needs " + name + ": " +
                       std::string{option.help});
}

/// One CLI11 option a table row; CLI11 only splits the line, checks and defaults are ours.
void declare(CLI::App& app, const OptionSpec& option,
             std::map<std::string_view, std::vector<std::string>>& found,
             std::map<std::string_view, bool>& switches) {
    const std::string names{option.names};
    if (option.is_switch()) {
        app.add_flag(names, switches[option.key()]);
        return;
    }
    CLI::Option* added = app.add_option(names, found[option.key()]);
    if (option.is_argument() && option.repeated) {
        added->expected(0, -1);
    } else {
        // One value an occurrence: what follows it is not swallowed.
        added->expected(1)->take_all();
        if (option.is_argument()) added->required(false);
    }
    added->allow_extra_args(option.is_argument() && option.repeated);
}

/// The option that takes what follows `word` for its value; nullptr when there is none.
const OptionSpec* waiting_for_value(const Command& command, std::string_view word) {
    for (const OptionSpec* option : options_of(command)) {
        if (option->is_argument() || option->is_switch()) continue;
        const std::string names = "," + std::string{option->names} + ",";
        if (names.contains("," + std::string{word} + ",")) return option;
    }
    return nullptr;
}

/// CLI11 takes the next word for the value of "--option=", of what follows "--" knows options that
/// begin so, and takes brackets off. Errors: kUsage: the last option has no value.
Result<std::vector<std::string>> guarded(const Command& command,
                                         std::span<const std::string> words) {
    std::vector<std::string> out;
    bool only_arguments = false;
    const OptionSpec* value_of = nullptr;  // What the word is the value of.
    for (const std::string& word : words) {
        if (only_arguments || is_guarded(word)) {
            out.push_back(kVerbatim + word);
        } else if (value_of == nullptr && word == "--") {
            only_arguments = true;
        } else if (value_of == nullptr && word.starts_with("--") &&
                   word.find('=') == word.size() - 1) {
            out.push_back(word + kVerbatim);
        } else {
            out.push_back(word);
        }
        value_of =
            only_arguments || value_of != nullptr ? nullptr : waiting_for_value(command, word);
    }
    if (value_of != nullptr)
        return usage_error(value_of->shown() + " needs a value: " + std::string{value_of->value});
    return out;
}

Result<void> fill(const OptionSpec& option, std::vector<std::string> texts, Invocation& out) {
    const std::string_view key = option.key();
    bool from_default = false;
    for (std::string& text : texts) {
        text = unguarded(text);
        if (text.empty() && !option.is_argument() && !option.may_be_empty)
            return usage_error(option.shown() + ": the value is empty");
    }
    if (texts.empty() && !option.environment.empty()) {
        const char* set = std::getenv(std::string{option.environment}.c_str());
        if (set != nullptr && *set != '\0') texts.emplace_back(set);
    }
    if (texts.empty() && !option.fallback.empty()) {
        texts.emplace_back(option.fallback);
        from_default = true;
    }
    if (texts.empty()) {
        if (option.required) return missing(out.command(), option);
        return {};
    }
    if (texts.size() > 1 && !option.repeated)
        return usage_error(option.shown() + " is given twice: '" + texts[0] + "' and '" + texts[1] +
                           "'");
    const std::vector<std::string_view> choices = choices_of(option);
    for (const std::string& text : texts) {
        if (!choices.empty() && std::ranges::find(choices, text) == choices.end())
            return usage_error(option.shown() + ": '" + text + "' is none of " +
                               std::string{option.choices} + suggestion(text, choices));
        out.add(key, text, from_default);
    }
    return {};
}

Result<Invocation> parse_options(const Command& command, std::span<const std::string> arguments) {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    std::map<std::string_view, std::vector<std::string>> found;
    std::map<std::string_view, bool> switches;
    for (const OptionSpec* option : options_of(command)) declare(app, *option, found, switches);
    LEAT_TRY(std::vector<std::string> words, guarded(command, arguments));
    std::ranges::reverse(words);
    try {
        app.parse(words);
    } catch (const CLI::ArgumentMismatch& problem) {
        return usage_error("'leat " + std::string{command.path} + "': " + problem.what());
    } catch (const CLI::Error& problem) {
        return usage_error("'leat " + std::string{command.path} + "': " + problem.what());
    }
    if (const std::vector<std::string> extra = app.remaining(); !extra.empty())
        return unknown_option(command, extra.front());
    Invocation out{command};
    for (const OptionSpec* option : options_of(command)) {
        if (!option->is_switch()) {
            LEAT_TRY_VOID(fill(*option, found[option->key()], out));
        } else if (switches[option->key()]) {
            out.add(option->key(), "true", false);
        }
    }
    return out;
}

bool is_help(std::string_view word) {
    return word == "--help" || word == "-h" || word == "help";
}

const Command* find_command(std::string_view path) {
    const auto found = std::ranges::find(all_commands(), path, &Command::path);
    return found == all_commands().end() ? nullptr : &*found;
}

/// The words that may follow `group` ("" for the first word).
std::vector<std::string_view> words_after(std::string_view group) {
    std::vector<std::string_view> out;
    for (const Command& command : all_commands()) {
        const std::size_t space = std::min(command.path.find(' '), command.path.size());
        if (group.empty()) {
            if (out.empty() || out.back() != command.path.substr(0, space))
                out.push_back(command.path.substr(0, space));
        } else if (command.path.substr(0, space) == group && space < command.path.size()) {
            out.push_back(command.path.substr(space + 1));
        }
    }
    return out;
}

std::string joined(std::span<const std::string_view> words) {
    std::string out;
    for (const std::string_view word : words) out += (out.empty() ? "" : ", ") + std::string{word};
    return out;
}

Error unknown_word(std::string_view group, const std::string& word) {
    const std::vector<std::string_view> known = words_after(group);
    const std::string where = group.empty() ? "leat" : "leat " + std::string{group};
    if (word.starts_with('-'))
        return usage_error("'" + where + "' needs a command before '" + word +
                           "'; options follow the command. Commands: " + joined(known));
    return usage_error("'" + where + "' has no command '" + word + "'" + suggestion(word, known) +
                       "; its commands are " + joined(known));
}

}  // namespace

std::string_view nearest_word(std::string_view word, std::span<const std::string_view> candidates) {
    constexpr std::size_t kShort = 3;
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string_view candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance >= best_distance) continue;
        // Of so few letters another first one makes another word: "ksh" is no "zsh".
        if (word.size() <= kShort && word.substr(0, 1) != candidate.substr(0, 1)) continue;
        best = candidate;
        best_distance = distance;
    }
    return best;
}

Result<ParsedLine> parse_command_line(std::span<const std::string> arguments) {
    ParsedLine out;
    if (arguments.empty() || is_help(arguments[0])) {
        // "leat help topic create" is "leat topic create --help".
        std::string path;
        for (std::size_t i = 1; i < arguments.size(); ++i)
            path += (path.empty() ? "" : " ") + arguments[i];
        out.help = help_text(path);
        if (out.help.empty())
            return usage_error("no help on '" + path + "'; 'leat help' lists all");
        return out;
    }
    std::string path = arguments[0] == "--version" ? "version" : arguments[0];
    std::size_t used = 1;
    if (find_command(path) == nullptr) {
        if (words_after(path).empty()) return unknown_word("", path);
        if (arguments.size() == 1 || is_help(arguments[1])) {
            out.help = help_text(path);
            return out;
        }
        if (find_command(path + " " + arguments[1]) == nullptr)
            return unknown_word(path, arguments[1]);
        path += " " + arguments[1];
        used = 2;
    }
    const Command& command = *find_command(path);
    const std::span<const std::string> rest = arguments.subspan(used);
    const auto end_of_options = std::ranges::find(rest, "--");
    if (std::any_of(rest.begin(), end_of_options,
                    [](const std::string& word) { return word == "--help" || word == "-h"; })) {
        out.help = help_text(path);
        return out;
    }
    LEAT_TRY(Invocation parsed, parse_options(command, rest));
    out.invocation.push_back(std::move(parsed));
    return out;
}

}  // namespace leat::apps
