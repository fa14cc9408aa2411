// SPDX-License-Identifier: Apache-2.0
#include "auth/oauth.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "auth/digest.h"
#include "auth/scram_message.h"

namespace leat::auth {
namespace {

constexpr char kBetween = '\x01';

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_token_char(char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~' ||
           c == '+' || c == '/' || c == '=';
}

Error malformed() {
    return sasl_failure("Invalid OAUTHBEARER client first message");
}

/// "Bearer x" of any case. Empty when it is none.
std::string_view bearer_of(std::string_view value) {
    constexpr std::string_view kScheme = "bearer ";
    if (value.size() <= kScheme.size()) return {};
    for (std::size_t i = 0; i < kScheme.size(); ++i) {
        const char c = value[i];
        if ((is_letter(c) ? static_cast<char>(c | 0x20) : c) != kScheme[i]) return {};
    }
    value.remove_prefix(kScheme.size());
    return std::ranges::all_of(value, is_token_char) ? value : std::string_view{};
}

class OAuthServer final : public SaslServer {
  public:
    OAuthServer(TokenVerifier verify, bool blocks, TokenSubject subject)
        : verify_(std::move(verify)), subject_(std::move(subject)), may_block_(blocks) {}

    [[nodiscard]] bool may_block() const noexcept override { return may_block_; }
    [[nodiscard]] std::string_view claimed() const noexcept override { return claimed_; }

    Result<SaslStep> next(std::string_view message) override {
        // After an error the client says one more byte, and then it is over (RFC 7628 3.2.3).
        if (std::exchange(is_over_, true)) return sasl_failure(refused_ ? kRefusal : "");
        LEAT_TRY(const OAuthMessage in, parse_oauth(message));
        Result<Identity> identity = verify_(in.token);
        if (!identity) {
            refused_ = true;
            if (subject_) claimed_ = subject_(in.token);
            return SaslStep{.reply = std::string{kRefusal}, .is_refused = true};
        }
        if (!in.authorization.empty() && in.authorization != identity->principal.name()) {
            claimed_ = identity->principal.name();
            return sasl_failure(
                "Authentication failed: Client requested an authorization id that is different "
                "from the token's principal name");
        }
        return SaslStep{.reply = {}, .identity = *std::move(identity)};
    }

  private:
    static constexpr std::string_view kRefusal = R"({"status":"invalid_token"})";
    TokenVerifier verify_;
    TokenSubject subject_;
    std::string claimed_;
    bool may_block_;
    bool is_over_ = false;
    bool refused_ = false;
};

class OAuthClient final : public SaslClient {
  public:
    explicit OAuthClient(std::string token) : token_(std::move(token)) {}
    ~OAuthClient() override { wipe(token_); }

    Result<std::optional<std::string>> next(std::string_view message) override {
        if (!std::exchange(is_sent_, true)) return std::optional{oauth_message(token_)};
        if (message.empty()) return std::optional<std::string>{};
        return std::optional{std::string(1, kBetween)};
    }

  private:
    std::string token_;
    bool is_sent_ = false;
};

}  // namespace

Result<OAuthMessage> parse_oauth(std::string_view message) {
    // gs2-header \x01 (key=value \x01)* \x01
    if (!message.starts_with("n,")) return malformed();
    const std::size_t comma = message.find(',', 2);
    if (comma == std::string_view::npos || message.size() < comma + 3 ||
        message[comma + 1] != kBetween || message.back() != kBetween)
        return malformed();
    OAuthMessage out;
    if (const std::string_view id = message.substr(2, comma - 2); !id.empty()) {
        const auto name = id.starts_with("a=") ? scram_unescaped(id.substr(2)) : std::nullopt;
        if (!name || name->empty()) return malformed();
        out.authorization = *name;
    }
    std::string_view rest = message.substr(comma + 2);
    while (rest.size() > 1) {
        const std::size_t end = rest.find(kBetween);
        const std::string_view pair = rest.substr(0, end);
        const std::size_t equals = pair.find('=');
        if (end == std::string_view::npos || equals == std::string_view::npos || equals == 0 ||
            !std::ranges::all_of(pair.substr(0, equals), is_letter))
            return malformed();
        if (pair.substr(0, equals) == "auth") {
            if (!out.token.empty()) return malformed();
            out.token = bearer_of(pair.substr(equals + 1));
            if (out.token.empty()) return malformed();
        }
        rest.remove_prefix(end + 1);
    }
    if (out.token.empty() || rest.size() != 1 || rest.front() != kBetween) return malformed();
    return out;
}

std::string oauth_message(std::string_view token) {
    std::string out = "n,,";
    out.append(1, kBetween).append("auth=Bearer ").append(token);
    return out.append(2, kBetween);
}

std::unique_ptr<SaslServer> make_oauth_server(TokenVerifier verify, bool may_block,
                                              TokenSubject subject) {
    return std::make_unique<OAuthServer>(std::move(verify), may_block, std::move(subject));
}

std::unique_ptr<SaslClient> make_oauth_client(std::string token) {
    return std::make_unique<OAuthClient>(std::move(token));
}

}  // namespace leat::auth
