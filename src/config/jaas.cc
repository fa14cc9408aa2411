// SPDX-License-Identifier: Apache-2.0
#include "config/jaas.h"

#include <optional>

namespace leat::config {
namespace {

struct Token {
    std::string text;
    bool is_quoted = false;
};

Error bad(std::string_view why) {
    return Error{Errc::kInvalidSetting, "JAAS configuration: " + std::string{why}};
}

/// Words, quoted texts, "=" and ";".
Result<std::vector<Token>> tokens_of(std::string_view text) {
    std::vector<Token> out;
    std::size_t at = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            ++at;
        } else if (c == '=' || c == ';') {
            out.push_back({std::string(1, c)});
            ++at;
        } else if (c == '"' || c == '\'') {
            Token token{{}, true};
            for (++at; at < text.size() && text[at] != c; ++at) {
                if (text[at] == '\\' && at + 1 < text.size()) ++at;
                token.text += text[at];
            }
            if (at++ >= text.size()) return bad("a quote is not closed");
            out.push_back(std::move(token));
        } else {
            const std::size_t end = text.find_first_of(" \t\n\r=;\"'", at);
            out.push_back({std::string{text.substr(at, end - at)}});
            at = end == std::string_view::npos ? text.size() : end;
        }
    }
    return out;
}

bool is_mark(const Token& token, std::string_view mark) {
    return !token.is_quoted && token.text == mark;
}

}  // namespace

std::string_view LoginModule::short_name() const {
    const std::string_view whole = name;
    const std::size_t dot = whole.rfind('.');
    return dot == std::string_view::npos ? whole : whole.substr(dot + 1);
}

std::string_view LoginModule::option(std::string_view key) const {
    const auto found = options.find(key);
    return found == options.end() ? std::string_view{} : std::string_view{found->second};
}

Result<std::vector<LoginModule>> parse_jaas(std::string_view text) {
    LEAT_TRY(const std::vector<Token> tokens, tokens_of(text));
    std::vector<LoginModule> out;
    std::size_t at = 0;
    while (at < tokens.size()) {
        LoginModule module;
        if (at + 1 >= tokens.size() || is_mark(tokens[at], ";") || is_mark(tokens[at + 1], ";"))
            return bad("expected the name of a login module and 'required'");
        module.name = tokens[at].text;
        module.flag = tokens[at + 1].text;
        if (module.flag != "required" && module.flag != "requisite" &&
            module.flag != "sufficient" && module.flag != "optional")
            return bad("after the name of a login module comes 'required'");
        for (at += 2; at < tokens.size() && !is_mark(tokens[at], ";"); at += 3) {
            if (at + 2 >= tokens.size() || !is_mark(tokens[at + 1], "=") ||
                is_mark(tokens[at + 2], ";"))
                return bad("option " + std::to_string(module.options.size() + 1) +
                           " is no name=\"value\"");
            module.options[tokens[at].text] = tokens[at + 2].text;
        }
        if (at++ >= tokens.size()) return bad("the ';' at its end is missing");
        out.push_back(std::move(module));
    }
    if (out.empty()) return bad("it is empty");
    return out;
}

}  // namespace leat::config
