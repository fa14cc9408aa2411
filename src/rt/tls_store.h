// SPDX-License-Identifier: Apache-2.0
//
// Reads keys and certificates from PEM and PKCS12. Layer: rt (L1).
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "rt/tls_context.h"

namespace leat::rt {

struct KeyDeleter {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct CertificateDeleter {
    void operator()(X509* one) const noexcept { X509_free(one); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyDeleter>;
using CertificatePtr = std::unique_ptr<X509, CertificateDeleter>;

struct LoadedStore {
    KeyPtr key;                                ///< Null in a store of trusted certificates.
    std::vector<CertificatePtr> certificates;  ///< The key's own first.
};

/// `wants_key`: one must be there. Errors: kInvalidSetting.
Result<LoadedStore> load_store(const TlsStore& store, bool wants_key);

/// All certificates, one after the other.
[[nodiscard]] std::string certificates_as_pem(const LoadedStore& store);

/// What OpenSSL says went wrong, "" when it says nothing; its queue is emptied.
[[nodiscard]] std::string openssl_reason();

}  // namespace leat::rt
