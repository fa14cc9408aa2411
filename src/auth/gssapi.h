// SPDX-License-Identifier: Apache-2.0
//
// GSSAPI (Kerberos 5), both sides, on MIT's library, which reads its own files: key tables, caches
// of tickets and krb5.conf. Layer: auth (L2).
// Spec:  RFC 4752; no security layer is offered: that is what TLS is for.
#pragma once

#include <memory>
#include <string>

#include "auth/principal_rules.h"
#include "auth/sasl.h"
#include "base/result.h"

namespace leat::auth {

struct GssapiOptions {
    std::string key_table;
    std::string principal;  ///< "kafka/host@REALM"; "": every one of the key table.
};

/// The service's own keys. Threading: immutable; used from every thread.
class GssapiKeys {
  public:
    struct Native;
    /// Runs on: a thread that may block.
    /// Errors: kInvalidSetting: no such key table, no such principal in it.
    static Result<std::shared_ptr<const GssapiKeys>> open(const GssapiOptions& options);
    explicit GssapiKeys(std::unique_ptr<Native> native) noexcept;
    ~GssapiKeys();

    [[nodiscard]] const Native& native() const noexcept { return *native_; }

  private:
    std::unique_ptr<Native> native_;
};

/// Its next() may block: it opens files.
[[nodiscard]] std::unique_ptr<SaslServer> make_gssapi_server(
    std::shared_ptr<const GssapiKeys> keys, std::shared_ptr<const KerberosRules> rules);

struct GssapiLogin {
    std::string service = "kafka";  ///< First part of the broker's principal.
    std::string host;               ///< Its second part.
    std::string key_table;          ///< "": the tickets of the user's cache.
    std::string principal;          ///< Whose key is taken out of the table; "": its first.
};

/// Its next() may block: it opens files and asks the KDC.
[[nodiscard]] std::unique_ptr<SaslClient> make_gssapi_client(GssapiLogin login);

}  // namespace leat::auth
