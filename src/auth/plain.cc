// SPDX-License-Identifier: Apache-2.0
#include "auth/plain.h"

#include <utility>
#include <vector>

#include "auth/digest.h"

namespace leat::auth {
namespace {

class PlainServer final : public SaslServer {
  public:
    explicit PlainServer(PlainVerifier verify) : verify_(std::move(verify)) {}

    Result<SaslStep> next(std::string_view message) override {
        if (std::exchange(is_over_, true)) return sasl_failure();
        LEAT_TRY(const PlainMessage in, parse_plain(message));
        claimed_ = in.user.substr(0, kClaimedBytesMax);
        std::optional<Identity> identity = verify_(in.user, in.password);
        if (!identity) return sasl_failure("Authentication failed: Invalid username or password");
        // CVE-2017-12610: nobody acts as somebody else.
        if (!in.authorization.empty() && in.authorization != in.user)
            return sasl_failure(
                "Authentication failed: Client requested an authorization id that is different "
                "from username");
        return SaslStep{{}, std::move(identity)};
    }

    [[nodiscard]] std::string_view claimed() const noexcept override { return claimed_; }

  private:
    static constexpr std::size_t kClaimedBytesMax = 256;
    PlainVerifier verify_;
    std::string claimed_;
    bool is_over_ = false;
};

class PlainClient final : public SaslClient {
  public:
    PlainClient(std::string user, std::string password)
        : user_(std::move(user)), password_(std::move(password)) {}
    ~PlainClient() override { wipe(password_); }

    Result<std::optional<std::string>> next(std::string_view /*message*/) override {
        if (std::exchange(is_sent_, true)) return std::optional<std::string>{};
        return std::optional{plain_message(user_, password_)};
    }

  private:
    std::string user_;
    std::string password_;
    bool is_sent_ = false;
};

}  // namespace

Result<PlainMessage> parse_plain(std::string_view message) {
    std::vector<std::string_view> parts;
    std::string_view rest = message;
    while (parts.size() < 5) {
        const std::size_t end = rest.find('\0');
        parts.push_back(rest.substr(0, end));
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    if (parts.size() != 3)
        return sasl_failure("Invalid SASL/PLAIN response: expected 3 tokens, got " +
                            std::to_string(parts.size()));
    if (parts[1].empty()) return sasl_failure("Authentication failed: username not specified");
    if (parts[2].empty()) return sasl_failure("Authentication failed: password not specified");
    return PlainMessage{.authorization = parts[0], .user = parts[1], .password = parts[2]};
}

std::string plain_message(std::string_view user, std::string_view password) {
    std::string out(1, '\0');
    return out.append(user).append(1, '\0').append(password);
}

std::unique_ptr<SaslServer> make_plain_server(PlainVerifier verify) {
    return std::make_unique<PlainServer>(std::move(verify));
}

std::unique_ptr<SaslClient> make_plain_client(std::string user, std::string password) {
    return std::make_unique<PlainClient>(std::move(user), std::move(password));
}

bool has_password(const PlainUsers& users, std::string_view user, std::string_view password) {
    const auto found = users.find(user);
    // Digests have one length, so neither a name nor the length of a password shows in the time.
    const std::string known = digest(
        Hash::kSha256, found == users.end() ? std::string_view{} : std::string_view{found->second});
    const bool is_equal = equal_secrets(known, digest(Hash::kSha256, password));
    return is_equal && found != users.end();
}

}  // namespace leat::auth
