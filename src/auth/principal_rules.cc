// SPDX-License-Identifier: Apache-2.0
#include "auth/principal_rules.h"

#include <re2/re2.h>

#include <algorithm>

namespace leat::auth {
namespace {

Error bad(std::string_view rule, std::string_view why) {
    return Error{Errc::kInvalidSetting, "rule '" + std::string{rule} + "': " + std::string{why}};
}

/// Up to the next '/' that no backslash hides; both are taken off `rest`.
std::optional<std::string_view> part_of(std::string_view& rest) {
    for (std::size_t i = 0; i < rest.size(); ++i) {
        if (rest[i] == '\\') {
            ++i;
        } else if (rest[i] == '/') {
            const std::string_view out = rest.substr(0, i);
            rest.remove_prefix(i + 1);
            return out;
        }
    }
    return std::nullopt;
}

/// Java writes "$1" where RE2 writes "\1".
std::string to_re2(std::string_view replacement) {
    std::string out;
    for (std::size_t i = 0; i < replacement.size(); ++i) {
        const char c = replacement[i];
        if (c == '$' && i + 1 < replacement.size() && replacement[i + 1] >= '0' &&
            replacement[i + 1] <= '9') {
            out += '\\';
        } else if (c == '\\' && i + 1 < replacement.size()) {
            const char escaped = replacement[++i];
            if (escaped == '\\') out += '\\';
            out += escaped;
        } else {
            out += c;
        }
    }
    return out;
}

Result<std::shared_ptr<const RE2>> compiled(std::string_view rule, std::string_view pattern) {
    RE2::Options options;
    options.set_log_errors(false);
    auto out =
        std::make_shared<const RE2>(re2::StringPiece{pattern.data(), pattern.size()}, options);
    if (!out->ok()) return bad(rule, out->error());
    return out;
}

char take_case(std::string_view& rest) {
    if (rest.empty() || (rest.front() != 'L' && rest.front() != 'U')) return 0;
    const char out = rest.front();
    rest.remove_prefix(1);
    return out;
}

std::string in_case(std::string text, char letter_case) {
    for (char& c : text) {
        if (letter_case == 'L' && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
        if (letter_case == 'U' && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    }
    return text;
}

re2::StringPiece piece(std::string_view text) {
    return {text.data(), text.size()};
}

}  // namespace

Result<CertificateRules> CertificateRules::parse(std::string_view text) {
    CertificateRules out;
    std::string_view rest = text;
    const auto skip = [&rest](std::string_view what) {
        rest.remove_prefix(std::min(rest.find_first_not_of(what), rest.size()));
    };
    for (skip(" \t\n\r"); !rest.empty(); skip(" \t\n\r,")) {
        Rule rule;
        if (rest.starts_with("DEFAULT")) {
            rest.remove_prefix(7);
        } else if (rest.starts_with("RULE:")) {
            rest.remove_prefix(5);
            const auto pattern = part_of(rest);
            const auto replacement = pattern ? part_of(rest) : std::nullopt;
            if (!replacement) return bad(text, "expected RULE:pattern/replacement/");
            LEAT_TRY(rule.pattern, compiled(text, *pattern));
            rule.replacement = to_re2(*replacement);
            std::string why;
            if (!rule.pattern->CheckRewriteString(piece(rule.replacement), &why))
                return bad(text, why);
            rule.letter_case = take_case(rest);
        } else {
            return bad(text, "expected DEFAULT or RULE:pattern/replacement/");
        }
        skip(" \t\n\r");
        if (!rest.empty() && rest.front() != ',')
            return bad(text, "expected a comma before '" + std::string{rest.substr(0, 8)} + "'");
        out.rules_.push_back(std::move(rule));
    }
    if (out.rules_.empty()) out.rules_.emplace_back();
    return out;
}

std::optional<std::string> CertificateRules::user_of(std::string_view distinguished_name) const {
    for (const Rule& rule : rules_) {
        if (rule.pattern == nullptr) return std::string{distinguished_name};
        if (!RE2::FullMatch(piece(distinguished_name), *rule.pattern)) continue;
        std::string name{distinguished_name};
        RE2::GlobalReplace(&name, *rule.pattern, piece(rule.replacement));
        return in_case(std::move(name), rule.letter_case);
    }
    return std::nullopt;
}

std::optional<KerberosName> KerberosName::parse(std::string_view text) {
    KerberosName out;
    if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
        out.realm = text.substr(at + 1);
        text = text.substr(0, at);
        if (out.realm.empty()) return std::nullopt;
    }
    for (;;) {
        const std::size_t end = text.find('/');
        out.components.emplace_back(text.substr(0, end));
        if (out.components.back().empty()) return std::nullopt;
        if (end == std::string_view::npos) return out;
        text.remove_prefix(end + 1);
    }
}

Result<KerberosRules::Rule> KerberosRules::parse_one(std::string_view text) {
    Rule out;
    if (text == "DEFAULT") {
        out.is_default = true;
        return out;
    }
    std::string_view rest = text;
    const std::size_t colon = rest.find(':', 6);
    const std::size_t close = rest.find(']');
    if (!rest.starts_with("RULE:[") || colon == std::string_view::npos ||
        close == std::string_view::npos || colon > close)
        return bad(text, "expected DEFAULT or RULE:[n:string](pattern)s/from/to/");
    const std::string_view count = rest.substr(6, colon - 6);
    if (count.size() != 1 || count[0] < '1' || count[0] > '9')
        return bad(text, "the number of parts must be 1 to 9");
    out.components = static_cast<std::size_t>(count[0] - '0');
    out.format = rest.substr(colon + 1, close - colon - 1);
    rest.remove_prefix(close + 1);
    if (rest.starts_with("(")) {
        const std::size_t end = rest.find(')');
        if (end == std::string_view::npos) return bad(text, "the pattern is not closed");
        LEAT_TRY(out.match, compiled(text, rest.substr(1, end - 1)));
        rest.remove_prefix(end + 1);
    }
    if (rest.starts_with("s/")) {
        rest.remove_prefix(2);
        const auto from = part_of(rest);
        const auto to = from ? part_of(rest) : std::nullopt;
        if (!to) return bad(text, "expected s/from/to/");
        LEAT_TRY(out.from, compiled(text, *from));
        out.to = to_re2(*to);
        std::string why;
        if (!out.from->CheckRewriteString(piece(out.to), &why)) return bad(text, why);
        if (rest.starts_with("g")) {
            out.everywhere = true;
            rest.remove_prefix(1);
        }
    }
    if (rest.starts_with("/")) rest.remove_prefix(1);
    out.letter_case = take_case(rest);
    if (!rest.empty()) return bad(text, "has '" + std::string{rest} + "' at its end");
    return out;
}

Result<KerberosRules> KerberosRules::parse(const std::vector<std::string>& rules,
                                           std::string default_realm) {
    KerberosRules out;
    out.default_realm_ = std::move(default_realm);
    for (const std::string& text : rules) {
        LEAT_TRY(Rule rule, parse_one(text));
        out.rules_.push_back(std::move(rule));
    }
    return out;
}

std::optional<std::string> KerberosRules::user_of(const KerberosName& name) const {
    if (name.realm.empty() && name.components.size() == 1) return name.components.front();
    for (const Rule& rule : rules_) {
        if (rule.is_default) {
            if (name.realm == default_realm_) return name.components.front();
            continue;
        }
        if (rule.components != name.components.size()) continue;
        std::string user;
        bool is_good = true;
        for (std::size_t i = 0; i < rule.format.size(); ++i) {
            const char c = rule.format[i];
            const char next = i + 1 < rule.format.size() ? rule.format[i + 1] : '\0';
            if (c != '$' || next < '0' || next > '9') {
                user += c;
                continue;
            }
            const auto which = static_cast<std::size_t>(next - '0');
            is_good = is_good && which <= name.components.size();
            if (is_good) user += which == 0 ? name.realm : name.components[which - 1];
            ++i;
        }
        if (!is_good || (rule.match && !RE2::FullMatch(piece(user), *rule.match))) continue;
        if (rule.from && rule.everywhere) RE2::GlobalReplace(&user, *rule.from, piece(rule.to));
        if (rule.from && !rule.everywhere) RE2::Replace(&user, *rule.from, piece(rule.to));
        // A name that still has its realm belongs to nobody here.
        if (user.empty() || user.find_first_of("/@") != std::string::npos) return std::nullopt;
        return in_case(std::move(user), rule.letter_case);
    }
    return std::nullopt;
}

}  // namespace leat::auth
