// SPDX-License-Identifier: Apache-2.0
#include "rt/tls_channel.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <climits>
#include <utility>

#include "base/check.h"
#include "rt/certificate_name.h"
#include "rt/socket_address.h"
#include "rt/tls_store.h"

namespace leat::rt {
namespace {

Error failure(SSL* ssl) {
    const long verdict = SSL_get_verify_result(ssl);
    std::string why = openssl_reason();
    if (verdict != X509_V_OK)
        why += std::string{why.empty() ? "" : ": "} + X509_verify_cert_error_string(verdict);
    return Error{Errc::kNetworkException, "TLS: " + (why.empty() ? "the peer broke off" : why)};
}

}  // namespace

struct TlsChannel::State {
    explicit State(const TlsContext& context)
        : ssl(SSL_new(context.native())), in(BIO_new(BIO_s_mem())), out(BIO_new(BIO_s_mem())) {
        LEAT_CHECK(ssl != nullptr && in != nullptr && out != nullptr);
        BIO_set_mem_eof_return(in, -1);  // Empty means "later", not "never again".
        SSL_set_bio(ssl, in, out);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { SSL_free(ssl); }

    SSL* ssl;
    BIO* in;   ///< Owned by `ssl`.
    BIO* out;  ///< The same.
    bool is_at_end = false;
    bool is_broken = false;
};

TlsChannel::TlsChannel(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
TlsChannel::TlsChannel(TlsChannel&&) noexcept = default;
TlsChannel::~TlsChannel() = default;

TlsChannel TlsChannel::server(const TlsContext& context) {
    auto state = std::make_unique<State>(context);
    SSL_set_accept_state(state->ssl);
    return TlsChannel{std::move(state)};
}

TlsChannel TlsChannel::client(const TlsContext& context, const std::string& host) {
    auto state = std::make_unique<State>(context);
    SSL_set_connect_state(state->ssl);
    if (!host.empty()) {
        X509_VERIFY_PARAM* check = SSL_get0_param(state->ssl);
        if (X509_VERIFY_PARAM_set1_ip_asc(check, host.c_str()) != 1) {
            LEAT_CHECK(SSL_set1_host(state->ssl, host.c_str()) == 1);
            SSL_set_tlsext_host_name(state->ssl, host.c_str());
        }
        ERR_clear_error();
    }
    return TlsChannel{std::move(state)};
}

void TlsChannel::feed(Bytes bytes) {
    LEAT_CHECK(bytes.size() <= INT_MAX);
    const int put = BIO_write(state_->in, bytes.data(), static_cast<int>(bytes.size()));
    LEAT_CHECK(put == static_cast<int>(bytes.size()));
}

Result<void> TlsChannel::handshake() {
    if (is_established() || state_->is_broken) return {};
    ERR_clear_error();
    const int done = SSL_do_handshake(state_->ssl);
    if (done == 1) return {};
    const int why = SSL_get_error(state_->ssl, done);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return {};
    state_->is_broken = true;
    return failure(state_->ssl);
}

bool TlsChannel::is_established() const {
    return SSL_is_init_finished(state_->ssl) == 1;
}

Result<std::size_t> TlsChannel::read(MutableBytes to) {
    if (state_->is_at_end || state_->is_broken || to.empty()) return std::size_t{0};
    ERR_clear_error();
    std::size_t got = 0;
    const int done = SSL_read_ex(state_->ssl, to.data(), to.size(), &got);
    if (done == 1) return got;
    switch (SSL_get_error(state_->ssl, done)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
            return std::size_t{0};
        case SSL_ERROR_ZERO_RETURN:
            state_->is_at_end = true;
            return std::size_t{0};
        default:
            state_->is_broken = true;
            return failure(state_->ssl);
    }
}

bool TlsChannel::is_at_end() const noexcept {
    return state_->is_at_end;
}

Result<void> TlsChannel::write(Bytes bytes) {
    LEAT_CHECK(is_established());
    while (!bytes.empty()) {
        ERR_clear_error();
        std::size_t put = 0;
        // A memory BIO takes everything, so that it never has to be tried again.
        if (SSL_write_ex(state_->ssl, bytes.data(), bytes.size(), &put) != 1) {
            state_->is_broken = true;
            return failure(state_->ssl);
        }
        bytes = bytes.subspan(put);
    }
    return {};
}

void TlsChannel::close() {
    if (!state_->is_broken && is_established()) SSL_shutdown(state_->ssl);
    ERR_clear_error();
}

Bytes TlsChannel::output() const {
    char* data = nullptr;
    const long size = BIO_get_mem_data(state_->out, &data);
    return std::as_bytes(std::span{data, static_cast<std::size_t>(size)});
}

void TlsChannel::drop_output(std::size_t bytes) {
    // Reading moves a position; the buffer starts over when it is empty.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only written to.
    std::byte sink[16'384];
    while (bytes > 0) {
        const int part = static_cast<int>(std::min(bytes, sizeof sink));
        const int got = BIO_read(state_->out, sink, part);
        LEAT_CHECK(got > 0);
        bytes -= static_cast<std::size_t>(got);
    }
}

TlsPeer TlsChannel::peer() const {
    TlsPeer out{.name = std::nullopt, .protocol = SSL_get_version(state_->ssl)};
    if (const X509* shown = SSL_get0_peer_certificate(state_->ssl))
        out.name = text_of_name(X509_get_subject_name(shown));
    return out;
}

}  // namespace leat::rt
