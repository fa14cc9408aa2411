// SPDX-License-Identifier: Apache-2.0
//
// What TLS connections of one kind share: key, certificates, what they accept. Layer: rt (L1).
// Spec:  RFC 5246 (TLS 1.2), RFC 8446 (TLS 1.3); files: PEM (RFC 7468), PKCS12 (RFC 7292).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

struct ssl_ctx_st;

namespace leat::rt {

/// A key with its certificates, or certificates that are trusted: a file, or texts.
struct TlsStore {
    std::string file = {};  ///< PEM or PKCS12; its content decides which.
    std::string key_text = {};
    std::string certificates_text = {};
    std::string password = {};      ///< Of a PKCS12 file.
    std::string key_password = {};  ///< Of an encrypted key; "": as `password`.

    [[nodiscard]] bool is_empty() const noexcept {
        return file.empty() && key_text.empty() && certificates_text.empty();
    }
};

enum class PeerCheck : std::uint8_t {
    kNone,
    kIfShown,  ///< A peer may show a certificate; a bad one is refused.
    kRequired,
};

struct TlsOptions {
    TlsStore keys = {};
    TlsStore trusted = {};  ///< Empty, for a client: the system's.
    PeerCheck check = PeerCheck::kNone;
    bool allow_tls12 = true;
    bool allow_tls13 = true;
    std::vector<std::string> cipher_suites = {};  ///< Empty: those with forward secrecy and AEAD.
};

/// Threading: immutable; used from every thread.
class TlsContext {
  public:
    /// Runs on: a thread that may block.
    /// Errors: kInvalidSetting: a file that is missing, readable for everybody, of a format that is
    ///         not read (JKS: the detail says how to convert it), a wrong password, a key that does
    ///         not fit its certificate. Never has a secret in its detail.
    static Result<std::shared_ptr<const TlsContext>> server(const TlsOptions& options);
    static Result<std::shared_ptr<const TlsContext>> client(const TlsOptions& options);

    explicit TlsContext(ssl_ctx_st* native) noexcept : native_(native) {}
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    ~TlsContext();

    [[nodiscard]] ssl_ctx_st* native() const noexcept { return native_; }

  private:
    ssl_ctx_st* native_;
};

}  // namespace leat::rt
