// SPDX-License-Identifier: Apache-2.0
#include "rt/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <utility>

#include "base/check.h"
#include "rt/tls_store.h"

namespace leat::rt {
namespace {

/// Forward secrecy and authenticated encryption, the cheap ones first.
constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

Error bad(std::string_view why) {
    std::string detail{why};
    if (const std::string reason = openssl_reason(); !reason.empty()) detail += ": " + reason;
    return Error{Errc::kInvalidSetting, detail};
}

using ContextPtr = std::shared_ptr<const TlsContext>;

Result<void> use_keys(SSL_CTX* context, const TlsStore& store) {
    LEAT_TRY(LoadedStore loaded, load_store(store, true));
    if (SSL_CTX_use_certificate(context, loaded.certificates.front().get()) != 1)
        return bad("the certificate cannot be used");
    if (SSL_CTX_use_PrivateKey(context, loaded.key.get()) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return bad("the private key does not fit the certificate");
    for (std::size_t i = 1; i < loaded.certificates.size(); ++i)
        if (SSL_CTX_add1_chain_cert(context, loaded.certificates[i].get()) != 1)
            return bad("the chain of certificates cannot be used");
    return {};
}

Result<void> trust(SSL_CTX* context, const TlsStore& store, bool tells_names) {
    LEAT_TRY(const LoadedStore loaded, load_store(store, false));
    X509_STORE* trusted = SSL_CTX_get_cert_store(context);
    for (const CertificatePtr& one : loaded.certificates) {
        if (X509_STORE_add_cert(trusted, one.get()) != 1) return bad("a trusted certificate");
        // Lets a client with several certificates choose.
        if (tells_names && SSL_CTX_add_client_CA(context, one.get()) != 1)
            return bad("a trusted certificate");
    }
    return {};
}

/// OpenSSL's own name beside IANA's, which Java uses; "" when it does not know the suite.
std::string native_name(SSL_CTX* context, const std::string& suite) {
    const std::string_view native{OPENSSL_cipher_name(suite.c_str())};
    if (native != "(NONE)") return std::string{native};
    // Not a name that IANA gave: one of OpenSSL's, or an expression of several.
    const bool is_known =
        std::string_view{"!-+@"}.contains(suite.front()) ||
        (!suite.starts_with("TLS_") && SSL_CTX_set_cipher_list(context, suite.c_str()) == 1);
    ERR_clear_error();
    return is_known ? suite : "";
}

/// Splits the suites into those of TLS 1.2 and of 1.3, which OpenSSL sets apart.
Result<void> use_ciphers(SSL_CTX* context, const std::vector<std::string>& suites) {
    std::string older;
    std::string newer;
    for (const std::string& suite : suites) {
        const bool is_13 = suite.starts_with("TLS_") && !suite.contains("_WITH_");
        std::string& list = is_13 ? newer : older;
        // What OpenSSL does not know it would leave out: a listener weaker than it was meant.
        const std::string name = native_name(context, suite);
        if (name.empty()) return bad("ssl.cipher.suites: " + suite + " is not known");
        list += (list.empty() ? "" : ":") + name;
    }
    if (SSL_CTX_set_cipher_list(context, suites.empty() ? kCiphers12 : older.c_str()) != 1 &&
        !older.empty())
        return bad("ssl.cipher.suites: none of TLS 1.2 is known");
    if (!suites.empty() && SSL_CTX_set_ciphersuites(context, newer.c_str()) != 1)
        return bad("ssl.cipher.suites: one of TLS 1.3 is not known");
    ERR_clear_error();
    return {};
}

int verify_mode(PeerCheck check) {
    switch (check) {
        case PeerCheck::kNone:
            return SSL_VERIFY_NONE;
        case PeerCheck::kIfShown:
            return SSL_VERIFY_PEER;
        case PeerCheck::kRequired:
            return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    return SSL_VERIFY_PEER;
}

Result<ContextPtr> make(const SSL_METHOD* method, const TlsOptions& options, bool is_server) {
    SSL_CTX* native = SSL_CTX_new(method);
    LEAT_CHECK(native != nullptr);
    auto context = std::make_shared<TlsContext>(native);
    if (!options.allow_tls12 && !options.allow_tls13) return bad("no version of TLS is allowed");
    SSL_CTX_set_min_proto_version(native, options.allow_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
    SSL_CTX_set_max_proto_version(native, options.allow_tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(
        native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    LEAT_TRY_VOID(use_ciphers(native, options.cipher_suites));
    SSL_CTX_set_verify(native, verify_mode(options.check), nullptr);
    if (!options.keys.is_empty()) LEAT_TRY_VOID(use_keys(native, options.keys));
    if (!options.trusted.is_empty()) {
        LEAT_TRY_VOID(trust(native, options.trusted, is_server));
    } else if (!is_server && SSL_CTX_set_default_verify_paths(native) != 1) {
        return bad("the system's trusted certificates");
    }
    return ContextPtr{std::move(context)};
}

}  // namespace

Result<ContextPtr> TlsContext::server(const TlsOptions& options) {
    LEAT_TRY(ContextPtr context, make(TLS_server_method(), options, true));
    // Sessions are resumed by tickets, which need a name to be told apart by when peers are
    // checked. A ticket would outlive the certificate behind it, so a checked peer gets none.
    constexpr std::string_view kName = "leat";
    SSL_CTX_set_session_id_context(context->native(),
                                   reinterpret_cast<const unsigned char*>(kName.data()),  // NOLINT
                                   static_cast<unsigned>(kName.size()));
    SSL_CTX_set_session_cache_mode(context->native(), SSL_SESS_CACHE_OFF);
    if (options.check != PeerCheck::kNone) {
        SSL_CTX_set_options(context->native(), SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context->native(), 0);
    }
    return context;
}

Result<ContextPtr> TlsContext::client(const TlsOptions& options) {
    return make(TLS_client_method(), options, false);
}

TlsContext::~TlsContext() {
    SSL_CTX_free(native_);
}

}  // namespace leat::rt
