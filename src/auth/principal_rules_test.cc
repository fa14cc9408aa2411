// SPDX-License-Identifier: Apache-2.0
//
// The examples are those of Kafka's documentation.
#include "auth/principal_rules.h"

#include <gtest/gtest.h>

namespace leat::auth {
namespace {

std::string user_by(std::string_view rules, std::string_view name) {
    const auto parsed = CertificateRules::parse(rules);
    if (!parsed.has_value()) return "bad";
    return parsed->user_of(name).value_or("nobody");
}

TEST(CertificateRules, TakesTheFirstThatFits) {
    constexpr std::string_view kRules =
        "RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/,"
        "RULE:^CN=(.*?),OU=(.*?),O=(.*?),L=(.*?),ST=(.*?),C=(.*?)$/$1@$2/L,"
        "RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/L,DEFAULT";
    EXPECT_EQ(user_by(kRules, "CN=serviceuser,OU=ServiceUsers,O=Unknown,L=Unknown,ST=Unknown,C=U"),
              "serviceuser");
    EXPECT_EQ(user_by(kRules, "CN=adminUser,OU=Admin,O=Unknown,L=Unknown,ST=Unknown,C=Unknown"),
              "adminuser@admin");
    EXPECT_EQ(user_by(kRules, "O=x,cN=Bob.1"), "bob.1");
    EXPECT_EQ(user_by(kRules, "O=x"), "O=x");
}

TEST(CertificateRules, IsNobodyWithoutAFit) {
    EXPECT_EQ(user_by("RULE:^CN=(.*)$/$1/", "O=x"), "nobody");
    EXPECT_EQ(user_by("", "O=x"), "O=x");
    EXPECT_EQ(user_by("DEFAULT", "CN=a,O=x"), "CN=a,O=x");
}

TEST(CertificateRules, KeepsSlashesBehindABackslash) {
    EXPECT_EQ(user_by("RULE:^CN=(.*)\\/x$/$1/U", "CN=a/x"), "A");
}

TEST(CertificateRules, RefusesWhatIsNone) {
    for (const std::string_view text : {"RULE:", "RULE:a", "RULE:a/b", "default", "RULE:(/b/",
                                        "RULE:a/$2/", "RULE:a/b/LDEFAULT", "DEFAULT,x"})
        EXPECT_FALSE(CertificateRules::parse(text).has_value()) << text;
}

std::string local_by(const std::vector<std::string>& rules, std::string_view name) {
    const auto parsed = KerberosRules::parse(rules, "REALM.COM");
    if (!parsed.has_value()) return "bad";
    return parsed->user_of(*KerberosName::parse(name)).value_or("nobody");
}

TEST(KerberosRules, DefaultTakesTheDefaultRealmOnly) {
    EXPECT_EQ(local_by({"DEFAULT"}, "kafka/host@REALM.COM"), "kafka");
    EXPECT_EQ(local_by({"DEFAULT"}, "alice@REALM.COM"), "alice");
    EXPECT_EQ(local_by({"DEFAULT"}, "alice@OTHER.COM"), "nobody");
}

TEST(KerberosRules, MatchesAndReplaces) {
    EXPECT_EQ(local_by({"RULE:[1:$1@$0](.*@OTHER.COM)s/@.*//", "DEFAULT"}, "alice@OTHER.COM"),
              "alice");
    EXPECT_EQ(local_by({"RULE:[2:$1;$2](^.*;admin$)s/;admin$///L"}, "Root/admin@X.Y"), "root");
    EXPECT_EQ(local_by({"RULE:[1:$1]s/a/b/g"}, "aaa@X"), "bbb");
    EXPECT_EQ(local_by({"RULE:[1:$1]s/a/b/"}, "aaa@X"), "baa");
    EXPECT_EQ(local_by({"RULE:[1:$1]/U"}, "aaa@X"), "AAA");
    EXPECT_EQ(local_by({"RULE:[1:$1@$0]"}, "aaa@X"), "nobody");
    EXPECT_EQ(local_by({"RULE:[1:$1]"}, "aaa/h@X"), "nobody");
}

TEST(KerberosRules, RefusesWhatIsNone) {
    for (const std::string text : {"", "RULE", "RULE:[", "RULE:[x:$1]", "RULE:[1:$1](",
                                   "RULE:[1:$1]s/a", "RULE:[1:$1]x", "RULE:[1:$1](()"})
        EXPECT_EQ(local_by({text}, "a@b"), "bad") << text;
    EXPECT_FALSE(KerberosName::parse("a//b").has_value());
    EXPECT_FALSE(KerberosName::parse("@b").has_value());
}

}  // namespace
}  // namespace leat::auth
