// SPDX-License-Identifier: Apache-2.0
#include "auth/scram.h"

#include <utility>

#include "auth/scram_message.h"

namespace leat::auth {
namespace {

constexpr std::size_t kNameBytesMax = 1'024;
constexpr std::size_t kNonceBytesMax = 1'024;

std::string exclusive_or(std::string a, std::string_view b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = static_cast<char>(a[i] ^ b[i]);
    return a;
}

std::string auth_message(std::string_view client_first_bare, std::string_view server_first,
                         std::string_view final_without_proof) {
    std::string out{client_first_bare};
    out.append(",").append(server_first).append(",").append(final_without_proof);
    return out;
}

class ScramServer final : public SaslServer {
  public:
    explicit ScramServer(ScramServerOptions options)
        : options_(std::move(options)), hash_(hash_of(options_.mechanism)) {}

    Result<SaslStep> next(std::string_view message) override {
        switch (std::exchange(state_, State::kOver)) {
            case State::kFirst:
                return first(message);
            case State::kFinal:
                return final(message);
            case State::kOver:
                return sasl_failure();
        }
        return sasl_failure();
    }

    [[nodiscard]] std::string_view claimed() const noexcept override { return claimed_; }

  private:
    enum class State : std::uint8_t { kFirst, kFinal, kOver };

    Result<SaslStep> first(std::string_view message) {
        const auto in = parse_client_first(message);
        if (!in || in->user.size() > kNameBytesMax || in->nonce.size() > kNonceBytesMax)
            return sasl_failure();
        if (!in->authorization.empty() && in->authorization != in->user)
            return sasl_failure(
                "Authentication failed: Client requested an authorization id that is different "
                "from username");
        claimed_ = in->user;
        by_token_ = in->by_token;
        account_ = options_.find(in->user, by_token_);
        if (!account_) account_ = stranger(in->user);
        nonce_.append(in->nonce).append(options_.nonce);
        client_nonce_bytes_ = in->nonce.size();
        gs2_header_ = in->gs2_header;
        client_first_bare_ = in->bare;
        server_first_ = "r=" + nonce_ + ",s=" + base64(account_->credential.salt) +
                        ",i=" + std::to_string(account_->credential.iterations);
        state_ = State::kFinal;
        return SaslStep{server_first_};
    }

    /// An account that no password opens and that looks like any other from outside.
    ScramAccount stranger(std::string_view user) {
        is_stranger_ = true;
        ScramAccount out;
        // Salts of one name differ by mechanism, as real ones do.
        std::string of{user};
        of.append(1, '\0').append(by_token_ ? "token" : "user");
        of.append(hash_ == Hash::kSha256 ? "256" : "512");
        out.credential.salt =
            hmac(Hash::kSha256, options_.fake_secret, of).substr(0, kScramSaltBytes);
        out.credential.iterations = by_token_ ? kScramIterationsMin : kScramIterationsDefault;
        out.credential.stored_key = hmac(hash_, options_.fake_secret, "stored key");
        out.credential.server_key = hmac(hash_, options_.fake_secret, "server key");
        return out;
    }

    Result<SaslStep> final(std::string_view message) {
        const auto in = parse_client_final(message);
        if (!in) return sasl_failure();
        // CVE-2024-56128: both must be what this exchange began with.
        if (!is_nonce_of_this_exchange(in->nonce) || in->channel_binding != gs2_header_)
            return sasl_failure();
        const ScramCredential& known = account_->credential;
        if (in->proof.size() != size_of(hash_)) return sasl_failure();
        const std::string signed_text =
            auth_message(client_first_bare_, server_first_, in->without_proof);
        const std::string signature = hmac(hash_, known.stored_key, signed_text);
        const std::string client_key = exclusive_or(in->proof, signature);
        const bool is_right = equal_secrets(digest(hash_, client_key), known.stored_key);
        std::string reply = "v=" + base64(hmac(hash_, known.server_key, signed_text));
        if (!is_right || is_stranger_) return sasl_failure();
        return SaslStep{std::move(reply),
                        Identity{account_->principal, by_token_, account_->expires,
                                 account_->token_id, known.stored_key}};
    }

    /// librdkafka before 2.6.1 puts its own half in front once more; nothing is left out by that.
    [[nodiscard]] bool is_nonce_of_this_exchange(std::string_view nonce) const {
        const std::string_view own = std::string_view{nonce_}.substr(0, client_nonce_bytes_);
        if (nonce.size() == nonce_.size() + own.size() && nonce.starts_with(own))
            nonce.remove_prefix(own.size());
        return nonce == nonce_;
    }

    ScramServerOptions options_;
    Hash hash_;
    State state_ = State::kFirst;
    std::size_t client_nonce_bytes_ = 0;
    bool by_token_ = false;
    bool is_stranger_ = false;
    std::string claimed_;
    std::optional<ScramAccount> account_;
    std::string nonce_;
    std::string gs2_header_;
    std::string client_first_bare_;
    std::string server_first_;
};

class ScramClient final : public SaslClient {
  public:
    explicit ScramClient(ScramClientOptions options)
        : options_(std::move(options)), hash_(hash_of(options_.mechanism)) {}
    ~ScramClient() override { wipe(options_.password); }

    Result<std::optional<std::string>> next(std::string_view message) override {
        switch (state_++) {
            case 0:
                first_bare_ = "n=" + scram_escaped(options_.user) + ",r=" + options_.nonce;
                if (options_.by_token) first_bare_ += ",tokenauth=true";
                return std::optional{"n,," + first_bare_};
            case 1:
                return prove(message);
            case 2:
                return check(message);
            default:
                return Error{Errc::kSaslAuthenticationFailed, "the SCRAM exchange is over"};
        }
    }

  private:
    Result<std::optional<std::string>> prove(std::string_view message) {
        LEAT_TRY(const ScramServerFirst in, parse_server_first(message));
        if (!in.nonce.starts_with(options_.nonce) || in.nonce.size() <= options_.nonce.size())
            return Error{Errc::kSaslAuthenticationFailed, "the server changed the nonce"};
        if (in.iterations < kScramIterationsMin || in.iterations > options_.iterations_max)
            return Error{Errc::kSaslAuthenticationFailed,
                         "the server asks for " + std::to_string(in.iterations) + " iterations"};
        std::string salted = pbkdf2(hash_, options_.password, in.salt, in.iterations);
        const std::string client_key = hmac(hash_, salted, "Client Key");
        std::string final = "c=biws,r=" + std::string{in.nonce};
        const std::string signed_text = auth_message(first_bare_, message, final);
        server_signature_ = hmac(hash_, hmac(hash_, salted, "Server Key"), signed_text);
        wipe(salted);
        const std::string proof =
            exclusive_or(client_key, hmac(hash_, digest(hash_, client_key), signed_text));
        return std::optional{final + ",p=" + base64(proof)};
    }

    Result<std::optional<std::string>> check(std::string_view message) {
        LEAT_TRY(const std::string signature, parse_server_final(message));
        if (!equal_secrets(signature, server_signature_))
            return Error{Errc::kSaslAuthenticationFailed,
                         "the server did not prove that it knows the password"};
        return std::optional<std::string>{};
    }

    ScramClientOptions options_;
    Hash hash_;
    int state_ = 0;
    std::string first_bare_;
    std::string server_signature_;
};

}  // namespace

Hash hash_of(ScramMechanism mechanism) noexcept {
    return mechanism == ScramMechanism::kSha256 ? Hash::kSha256 : Hash::kSha512;
}

std::string_view name_of(ScramMechanism mechanism) noexcept {
    return mechanism == ScramMechanism::kSha256 ? "SCRAM-SHA-256" : "SCRAM-SHA-512";
}

std::optional<ScramMechanism> scram_mechanism(std::string_view name) noexcept {
    if (name == "SCRAM-SHA-256") return ScramMechanism::kSha256;
    if (name == "SCRAM-SHA-512") return ScramMechanism::kSha512;
    return std::nullopt;
}

ScramCredential credential_from_salted(ScramMechanism mechanism, std::string_view salted_password,
                                       std::string_view salt, std::int32_t iterations) {
    const Hash hash = hash_of(mechanism);
    return {.salt = std::string{salt},
            .stored_key = digest(hash, hmac(hash, salted_password, "Client Key")),
            .server_key = hmac(hash, salted_password, "Server Key"),
            .iterations = iterations};
}

ScramCredential make_credential(ScramMechanism mechanism, std::string_view password,
                                std::string_view salt, std::int32_t iterations) {
    std::string salted = pbkdf2(hash_of(mechanism), password, salt, iterations);
    ScramCredential out = credential_from_salted(mechanism, salted, salt, iterations);
    wipe(salted);
    return out;
}

std::unique_ptr<SaslServer> make_scram_server(ScramServerOptions options) {
    return std::make_unique<ScramServer>(std::move(options));
}

std::unique_ptr<SaslClient> make_scram_client(ScramClientOptions options) {
    return std::make_unique<ScramClient>(std::move(options));
}

std::string scram_nonce() {
    return base64(random_bytes(18));
}

}  // namespace leat::auth
