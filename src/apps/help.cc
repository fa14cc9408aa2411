// SPDX-License-Identifier: Apache-2.0
#include "apps/help.h"

#include <algorithm>
#include <vector>

#include "apps/command.h"

namespace leat::apps {
namespace {

constexpr std::size_t kWidth = 100;

/// "-b, --bootstrap HOST:PORT".
std::string signature(const OptionSpec& option) {
    std::string out;
    for (const char c : option.names) {
        out += c;
        if (c == ',') out += ' ';
    }
    if (!option.is_argument() && !option.value.empty()) out += " " + std::string{option.value};
    return out;
}

std::string explanation(const OptionSpec& option) {
    std::string out{option.help};
    if (!option.choices.empty()) out += " (" + std::string{option.choices} + ")";
    if (option.repeated) out += "; may be repeated";
    if (!option.fallback.empty()) out += " [" + std::string{option.fallback} + "]";
    if (!option.environment.empty()) out += " [env " + std::string{option.environment} + "]";
    return out;
}

/// `text` broken at spaces so that lines end by kWidth; lines after the first start at `indent`.
std::string wrapped(std::string_view text, std::size_t indent) {
    std::string out;
    std::size_t column = indent;
    while (!text.empty()) {
        const std::size_t space = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, space);
        if (column + word.size() > kWidth && column > indent) {
            out += '\n' + std::string(indent, ' ');
            column = indent;
        } else if (column > indent) {
            out += ' ';
        }
        out += word;
        column += word.size() + 1;
        text.remove_prefix(std::min(space + 1, text.size()));
    }
    return out;
}

std::string rows(std::span<const OptionSpec> options, bool arguments) {
    std::size_t width = 0;
    for (const OptionSpec& option : options)
        if (option.is_argument() == arguments) width = std::max(width, signature(option).size());
    width = std::min<std::size_t>(width, 30);
    std::string out;
    for (const OptionSpec& option : options) {
        if (option.is_argument() != arguments) continue;
        std::string left = signature(option);
        if (left.size() > width) {
            out += "  " + left + "\n" + std::string(width + 4, ' ');
        } else {
            left.resize(width, ' ');
            out += "  " + left + "  ";
        }
        out += wrapped(explanation(option), width + 4) + "\n";
    }
    return out;
}

std::string usage_line(const Command& command) {
    std::string out = "leat " + std::string{command.path};
    for (const OptionSpec& option : command.options) {
        if (!option.is_argument()) continue;
        std::string name{option.names};
        if (option.repeated) name += "...";
        out += option.required ? " " + name : " [" + name + "]";
    }
    return out + " [options]";
}

std::string indented(std::string_view text) {
    std::string out = "  ";
    for (const char c : text) {
        out += c;
        if (c == '\n') out += "  ";
    }
    return out + "\n";
}

std::string command_help(const Command& command) {
    std::string out = wrapped(command.summary, 0) + "\n\nusage: " + usage_line(command) + "\n";
    if (!command.details.empty()) out += "\n" + wrapped(command.details, 0) + "\n";
    if (const std::string text = rows(command.options, true); !text.empty())
        out += "\narguments:\n" + text;
    if (const std::string text = rows(command.options, false); !text.empty())
        out += "\noptions:\n" + text;
    if (const std::string text = rows(common_options(command.kind), false); !text.empty())
        out += "\ncommon options:\n" + text;
    return out + "\nexample:\n" + indented(command.example);
}

std::string group_help(const CommandGroup& group) {
    std::string out = std::string{group.summary} + "\n\nusage: leat " + std::string{group.name} +
                      " COMMAND [options]\n\ncommands:\n";
    for (const Command& command : all_commands()) {
        if (!command.path.starts_with(std::string{group.name} + " ")) continue;
        std::string left{command.path.substr(group.name.size() + 1)};
        left.resize(std::max<std::size_t>(left.size(), 10), ' ');
        out += "  " + left + "  " + wrapped(command.summary, 14) + "\n";
    }
    return out + "\n'leat " + std::string{group.name} +
           " COMMAND --help' has options and an example.\n";
}

const CommandGroup* find_group(std::string_view name) {
    const auto found = std::ranges::find(all_groups(), name, &CommandGroup::name);
    return found == all_groups().end() ? nullptr : &*found;
}

std::string_view first_word(std::string_view path) {
    return path.substr(0, path.find(' '));
}

/// {word, summary} of everything that may stand right after "leat".
std::vector<std::pair<std::string_view, std::string_view>> first_words() {
    std::vector<std::pair<std::string_view, std::string_view>> out;
    for (const Command& command : all_commands()) {
        const std::string_view word = first_word(command.path);
        if (!out.empty() && out.back().first == word) continue;
        const CommandGroup* group = find_group(word);
        out.emplace_back(word, group != nullptr ? group->summary : command.summary);
    }
    return out;
}

std::string program_help() {
    std::string out =
        "leat: a durable event backbone that any Kafka client can use, and its command line\n\n"
        "usage: leat COMMAND [options]\n\ncommands:\n";
    for (const auto& [word, summary] : first_words()) {
        std::string left{word};
        left.resize(std::max<std::size_t>(left.size(), 10), ' ');
        out += "  " + left + "  " + wrapped(summary, 14) + "\n";
    }
    return out +
           "\n'leat COMMAND --help' has options and an example. The client commands work against\n"
           "Apache Kafka too: name the cluster with -b HOST:PORT or LEAT_BOOTSTRAP.\n\n"
           "example:\n  leat serve &\n  echo hello | leat produce greetings\n"
           "  leat consume greetings --from beginning --until-end\n";
}

std::string markdown_rows(std::span<const OptionSpec> options) {
    std::string out;
    for (const OptionSpec& option : options) {
        std::string text = explanation(option);
        for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
            text.insert(at, 1, '\\');
        out += "| `" + signature(option) + "` | " + (option.required ? "required. " : "") + text +
               " |\n";
    }
    return out;
}

/// Of the common options of `command` those that the page's table for all client commands does not
/// tell: all of a command that is no client, and what a client has otherwise than the rest.
std::string own_common_rows(const Command& command) {
    const bool is_client = command.kind != CommandKind::kOffline;
    std::vector<OptionSpec> own;
    for (const OptionSpec& option : common_options(command.kind))
        if (!is_client || std::ranges::none_of(common_options(CommandKind::kClient),
                                               [&option](const OptionSpec& told) {
                                                   return told.names == option.names &&
                                                          told.choices == option.choices;
                                               }))
            own.push_back(option);
    return markdown_rows(own);
}

}  // namespace

std::string help_text(std::string_view path) {
    if (path.empty()) return program_help();
    const auto command = std::ranges::find(all_commands(), path, &Command::path);
    if (command != all_commands().end()) return command_help(*command);
    const CommandGroup* group = find_group(path);
    return group != nullptr ? group_help(*group) : std::string{};
}

std::string reference_markdown() {
    std::string out =
        "# Command line\n\n"
        "Printed by `leat reference --print cli` from the tables in `src/apps`; do not edit.\n\n"
        "Exit codes: 0 done, 1 failed, 2 bad usage or configuration. Data goes to stdout, "
        "messages\n"
        "to stderr. The shapes of `--output json` are in [cli-json.md](cli-json.md).\n\n"
        "## Options of all client commands\n\n| option | meaning |\n|---|---|\n" +
        markdown_rows(common_options(CommandKind::kClient));
    for (const Command& command : all_commands()) {
        out +=
            "\n## leat " + std::string{command.path} + "\n\n" + std::string{command.summary} + "\n";
        if (!command.details.empty()) out += "\n" + wrapped(command.details, 0) + "\n";
        out += "\n```\n" + usage_line(command) + "\n```\n";
        if (const std::string table = markdown_rows(command.options) + own_common_rows(command);
            !table.empty())
            out += "\n| option | meaning |\n|---|---|\n" + table;
        out += "\nExample:\n\n```sh\n" + std::string{command.example} + "\n```\n";
    }
    return out;
}

}  // namespace leat::apps
