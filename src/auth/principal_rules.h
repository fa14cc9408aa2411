// SPDX-License-Identifier: Apache-2.0
//
// Rules that turn names of certificates and of Kerberos into names of users. Layer: auth (L2).
// Pure.
// Spec:  Kafka's ssl.principal.mapping.rules (KIP-371) and sasl.kerberos.principal.to.local.rules;
//        patterns are RE2's, which has no look-around.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace leat::auth {

/// "DEFAULT" or "RULE:pattern/replacement/[LU]", separated by commas; the first that fits the whole
/// name wins.
///
/// Threading: immutable.
class CertificateRules {
  public:
    /// Errors: kInvalidSetting.
    static Result<CertificateRules> parse(std::string_view text);

    /// nullopt when no rule fits: nobody.
    [[nodiscard]] std::optional<std::string> user_of(std::string_view distinguished_name) const;

  private:
    struct Rule {
        std::shared_ptr<const re2::RE2> pattern;  ///< Null: DEFAULT.
        std::string replacement;                  ///< In RE2's form.
        char letter_case = 0;                     ///< 'L', 'U' or neither.
    };
    std::vector<Rule> rules_;
};

/// "service/host@REALM".
struct KerberosName {
    std::vector<std::string> components;
    std::string realm;

    /// nullopt when it is none.
    static std::optional<KerberosName> parse(std::string_view text);
};

/// "DEFAULT" or "RULE:[n:string](pattern)s/from/to/[g]/[LU]".
///
/// Threading: immutable.
class KerberosRules {
  public:
    /// `default_realm`: names of this realm are users as they are under DEFAULT.
    /// Errors: kInvalidSetting.
    static Result<KerberosRules> parse(const std::vector<std::string>& rules,
                                       std::string default_realm);

    /// nullopt when no rule fits: nobody.
    [[nodiscard]] std::optional<std::string> user_of(const KerberosName& name) const;

  private:
    struct Rule {
        bool is_default = false;
        std::size_t components = 0;
        std::string format;
        std::shared_ptr<const re2::RE2> match;  ///< Null: all.
        std::shared_ptr<const re2::RE2> from;   ///< Null: nothing is replaced.
        std::string to;
        bool everywhere = false;
        char letter_case = 0;
    };
    static Result<Rule> parse_one(std::string_view text);
    std::vector<Rule> rules_;
    std::string default_realm_;
};

}  // namespace leat::auth
