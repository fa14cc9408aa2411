// SPDX-License-Identifier: Apache-2.0
#include "client/security.h"

#include <gtest/gtest.h>

#include "client/client_properties.h"
#include "testkit/result_matchers.h"

namespace leat::client {
namespace {

using Properties = std::vector<config::Property>;

TEST(Security, ReadsJavasAndLibrdkafkasNames) {
    const Properties java{{"security.protocol", "SASL_PLAINTEXT", 1},
                          {"sasl.mechanism", "SCRAM-SHA-512", 2},
                          {"sasl.jaas.config",
                           "x.ScramLoginModule required username=\"a\" password=\"p w\" "
                           "tokenauth=\"true\";",
                           3}};
    const auto one = security_of(java);
    ASSERT_OK(one);
    EXPECT_EQ((*one)->mechanism, "SCRAM-SHA-512");
    EXPECT_EQ((*one)->user, "a");
    EXPECT_EQ((*one)->password, "p w");
    EXPECT_TRUE((*one)->by_token);
    EXPECT_EQ((*one)->tls, nullptr);
    const Properties native{{"security.protocol", "sasl_plaintext", 1},
                            {"sasl.mechanisms", "PLAIN", 2},
                            {"sasl.username", "a", 3},
                            {"sasl.password", "b", 4}};
    const auto two = security_of(native);
    ASSERT_OK(two);
    EXPECT_EQ((*two)->mechanism, "PLAIN");
    EXPECT_FALSE((*two)->by_token);
}

TEST(Security, IsNothingUnlessAskedFor) {
    const auto none = security_of({});
    ASSERT_OK(none);
    EXPECT_EQ((*none)->tls, nullptr);
    EXPECT_EQ((*none)->mechanism, "");
}

TEST(Security, RefusesHalfALogin) {
    const auto error = [](Properties more) {
        more.push_back({"security.protocol", "SASL_PLAINTEXT", 0});
        return security_of(more);
    };
    EXPECT_ERRC(security_of({{"security.protocol", "KERBEROS", 1}}), Errc::kInvalidSetting);
    EXPECT_ERRC(error({{"sasl.mechanism", "PLAIN", 1}, {"sasl.username", "a", 2}}),
                Errc::kInvalidSetting);
    EXPECT_ERRC(error({{"sasl.mechanism", "DIGEST", 1}}), Errc::kInvalidSetting);
    EXPECT_ERRC(error({{"sasl.mechanism", "OAUTHBEARER", 1}}), Errc::kInvalidSetting);
    const auto broken =
        error({{"sasl.mechanism", "PLAIN", 1}, {"sasl.jaas.config", "M required x=\"secret", 2}});
    ASSERT_FALSE(broken.has_value());
    EXPECT_FALSE(broken.error().detail().contains("secret"));
}

TEST(SecurityForLibrdkafka, TakesNameAndPasswordOutOfJaas) {
    const auto out =
        to_librdkafka({{"security.protocol", "SASL_PLAINTEXT", 1},
                       {"sasl.mechanism", "PLAIN", 2},
                       {"sasl.jaas.config", "M required username=\"a\" password=\"b\";", 3},
                       {"ssl.endpoint.identification.algorithm", "", 4}},
                      Role::kProducer);
    ASSERT_OK(out);
    EXPECT_EQ(find_property(*out, "sasl.username"), "a");
    EXPECT_EQ(find_property(*out, "sasl.password"), "b");
    EXPECT_EQ(find_property(*out, "sasl.jaas.config"), "");
    EXPECT_EQ(find_property(*out, "ssl.endpoint.identification.algorithm"), "none");
}

}  // namespace
}  // namespace leat::client
