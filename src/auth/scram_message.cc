// SPDX-License-Identifier: Apache-2.0
#include "auth/scram_message.h"

#include <algorithm>
#include <charconv>

#include "auth/digest.h"

namespace leat::auth {
namespace {

Error malformed() {
    return Error{Errc::kMalformed, "Invalid SASL/SCRAM message format"};
}

/// Attributes "x=value", one after the other.
class Attributes {
  public:
    explicit Attributes(std::string_view text) : rest_(text) {}

    /// The value of the next attribute, which must be `name`.
    std::optional<std::string_view> take(char name) {
        if (rest_.size() < 2 || rest_[0] != name || rest_[1] != '=') return std::nullopt;
        return take_any().substr(2);
    }
    /// Up to the next comma, which is dropped.
    std::string_view take_any() {
        const std::size_t comma = rest_.find(',');
        const std::string_view out = rest_.substr(0, comma);
        rest_ = comma == std::string_view::npos ? std::string_view{} : rest_.substr(comma + 1);
        return out;
    }
    [[nodiscard]] std::string_view rest() const { return rest_; }
    [[nodiscard]] bool at_end() const { return rest_.empty(); }

  private:
    std::string_view rest_;
};

bool is_printable(std::string_view text) {
    return !text.empty() &&
           std::ranges::all_of(text, [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

/// "n," "y," or "p=...,", then the authorization id, then a comma. Length of all of it.
std::optional<std::size_t> header_bytes(std::string_view message) {
    if (!message.starts_with("n,") && !message.starts_with("y,")) return std::nullopt;
    const std::size_t end = message.find(',', 2);
    if (end == std::string_view::npos) return std::nullopt;
    return end + 1;
}

}  // namespace

std::string scram_escaped(std::string_view name) {
    std::string out;
    for (const char c : name) {
        if (c == '=') {
            out += "=3D";
        } else if (c == ',') {
            out += "=2C";
        } else {
            out += c;
        }
    }
    return out;
}

std::optional<std::string> scram_unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == ',' || text[i] == '\0') return std::nullopt;
        if (text[i] != '=') {
            out += text[i];
            continue;
        }
        const std::string_view code = text.substr(i, 3);
        if (code != "=2C" && code != "=3D") return std::nullopt;
        out += code == "=2C" ? ',' : '=';
        i += 2;
    }
    return out;
}

Result<ScramClientFirst> parse_client_first(std::string_view message) {
    const auto header = header_bytes(message);
    if (!header) return malformed();
    ScramClientFirst out;
    out.gs2_header = message.substr(0, *header);
    out.bare = message.substr(*header);
    if (const auto id = out.gs2_header.substr(2, *header - 3); !id.empty()) {
        const auto name = id.starts_with("a=") ? scram_unescaped(id.substr(2)) : std::nullopt;
        if (!name || name->empty()) return malformed();
        out.authorization = *name;
    }
    Attributes in{out.bare};
    const auto user = in.take('n');
    const auto nonce = in.take('r');
    if (!user || user->empty() || !nonce || !is_printable(*nonce)) return malformed();
    const auto name = scram_unescaped(*user);
    if (!name) return malformed();
    out.user = *name;
    out.nonce = *nonce;
    while (!in.at_end()) {
        const std::string_view extension = in.take_any();
        const std::size_t equals = extension.find('=');
        if (equals == 0 || equals == std::string_view::npos) return malformed();
        if (extension == "tokenauth=true") out.by_token = true;
    }
    return out;
}

Result<ScramClientFinal> parse_client_final(std::string_view message) {
    const std::size_t at = message.rfind(",p=");
    if (at == std::string_view::npos) return malformed();
    ScramClientFinal out;
    out.without_proof = message.substr(0, at);
    Attributes in{out.without_proof};
    const auto binding = in.take('c');
    const auto nonce = in.take('r');
    if (!binding || !nonce || !is_printable(*nonce)) return malformed();
    auto header = from_base64(*binding);
    auto proof = from_base64(message.substr(at + 3));
    if (!header || !proof || proof->empty()) return malformed();
    out.channel_binding = *std::move(header);
    out.nonce = *nonce;
    out.proof = *std::move(proof);
    return out;
}

Result<ScramServerFirst> parse_server_first(std::string_view message) {
    Attributes in{message};
    const auto nonce = in.take('r');
    const auto salt = in.take('s');
    const auto iterations = in.take('i');
    if (!nonce || !is_printable(*nonce) || !salt || !iterations) return malformed();
    ScramServerFirst out;
    out.nonce = *nonce;
    auto bytes = from_base64(*salt);
    const char* last = iterations->data() + iterations->size();
    const auto [end, error] = std::from_chars(iterations->data(), last, out.iterations);
    if (!bytes || bytes->empty() || error != std::errc{} || end != last || out.iterations <= 0)
        return malformed();
    out.salt = *std::move(bytes);
    return out;
}

Result<std::string> parse_server_final(std::string_view message) {
    if (message.starts_with("e="))
        return Error{Errc::kSaslAuthenticationFailed,
                     "the server refused: " + std::string{message.substr(2)}};
    if (!message.starts_with("v=")) return malformed();
    auto signature = from_base64(message.substr(2, message.find(',') - 2));
    if (!signature || signature->empty()) return malformed();
    return *std::move(signature);
}

}  // namespace leat::auth
