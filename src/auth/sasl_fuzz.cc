// SPDX-License-Identifier: Apache-2.0
//
// The first byte chooses what reads the rest: parsers of PLAIN, SCRAM and OAUTHBEARER, or a whole
// exchange whose messages are separated by a byte 0xFF.
// Properties: nothing crashes; without the password no exchange proves anybody; views lie inside
// the message; what is parsed of a good name is written back to the same.
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "auth/oauth.h"
#include "auth/plain.h"
#include "auth/scram.h"
#include "auth/scram_message.h"
#include "base/check.h"

namespace {

using namespace leat::auth;  // NOLINT(google-build-using-namespace): one fuzz target.

bool is_inside(std::string_view whole, std::string_view part) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

void parse_all(std::string_view text) {
    if (const auto plain = parse_plain(text); plain.has_value())
        LEAT_CHECK(is_inside(text, plain->user) && is_inside(text, plain->password));
    if (const auto first = parse_client_first(text); first.has_value()) {
        LEAT_CHECK(is_inside(text, first->nonce) && is_inside(text, first->bare));
        LEAT_CHECK(scram_unescaped(scram_escaped(first->user)) == first->user);
    }
    if (const auto final = parse_client_final(text); final.has_value())
        LEAT_CHECK(is_inside(text, final->without_proof));
    if (const auto first = parse_server_first(text); first.has_value())
        LEAT_CHECK(first->iterations > 0 && !first->salt.empty());
    leat::ignore(parse_server_final(text), "only must not crash");
    if (const auto token = parse_oauth(text); token.has_value())
        LEAT_CHECK(!token->token.empty() && is_inside(text, token->token));
}

std::unique_ptr<SaslServer> server_of(std::uint8_t kind) {
    static const ScramCredential kCredential =
        make_credential(ScramMechanism::kSha256, "a secret of 128 bits", "salt", 4096);
    switch (kind % 3) {
        case 0:
            return make_plain_server([](std::string_view user, std::string_view password) {
                const bool is_right =
                    has_password({{"alice", "a secret of 128 bits"}}, user, password);
                return is_right ? std::optional{Identity{}} : std::nullopt;
            });
        case 1:
            return make_scram_server({.mechanism = ScramMechanism::kSha256,
                                      .find =
                                          [](std::string_view, bool) {
                                              return std::optional{
                                                  ScramAccount{kCredential, {}, std::nullopt}};
                                          },
                                      .nonce = "nonce",
                                      .fake_secret = "x"});
        default:
            return make_oauth_server(
                [](std::string_view) -> leat::Result<Identity> { return sasl_failure(); }, false);
    }
}

void talk(std::uint8_t kind, std::string_view text) {
    const auto server = server_of(kind);
    while (true) {
        const std::size_t end = text.find('\xff');
        const auto step = server->next(text.substr(0, end));
        LEAT_CHECK(!step.has_value() || !step->identity);
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text{reinterpret_cast<const char*>(data + 1), size - 1};  // NOLINT
    if (data[0] < 4) {
        talk(data[0], text);
    } else {
        parse_all(text);
    }
    return 0;
}
