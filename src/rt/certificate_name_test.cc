// SPDX-License-Identifier: Apache-2.0
//
// Method: names made part by part, beside what Java 17's X500Principal.getName() says of the same.
#include "rt/certificate_name.h"

#include <gtest/gtest.h>
#include <openssl/asn1.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

namespace leat::rt {
namespace {

struct Part {
    const char* type;
    int kind;
    std::string_view value;
    int set = 0;  ///< 0: a part of its own; -1: in the same as the one before.
};

std::string named(std::initializer_list<Part> parts) {
    const std::unique_ptr<X509_NAME, decltype(&X509_NAME_free)> name{X509_NAME_new(),
                                                                     &X509_NAME_free};
    for (const Part& part : parts)
        EXPECT_EQ(X509_NAME_add_entry_by_txt(
                      name.get(), part.type, part.kind,
                      reinterpret_cast<const unsigned char*>(part.value.data()),  // NOLINT
                      static_cast<int>(part.value.size()), -1, part.set),
                  1)
            << part.type;
    return text_of_name(name.get());
}

TEST(CertificateName, PartsAreInReverse) {
    EXPECT_EQ(named({{"C", V_ASN1_PRINTABLESTRING, "DE"},
                     {"O", V_ASN1_UTF8STRING, "Acme"},
                     {"CN", V_ASN1_UTF8STRING, "alice"}}),
              "CN=alice,O=Acme,C=DE");
    EXPECT_EQ(named({}), "");
}

TEST(CertificateName, OneOfSeveralInAPartKeepsItsPlace) {
    EXPECT_EQ(named({{"O", V_ASN1_UTF8STRING, "Acme"},
                     {"CN", V_ASN1_UTF8STRING, "alice"},
                     {"UID", V_ASN1_UTF8STRING, "42", -1}}),
              "CN=alice+UID=42,O=Acme");
}

TEST(CertificateName, WhatJavaHasNoWordForIsItsNumberAndBytes) {
    EXPECT_EQ(named({{"CN", V_ASN1_UTF8STRING, "bob"},
                     {"emailAddress", V_ASN1_IA5STRING, "b@x"},
                     {"serialNumber", V_ASN1_PRINTABLESTRING, "7"}}),
              "2.5.4.5=#130137,1.2.840.113549.1.9.1=#1603624078,CN=bob");
}

TEST(CertificateName, BitsKeepTheNumberOfThoseThatAreUnused) {
    EXPECT_EQ(named({{"x500UniqueIdentifier", V_ASN1_BIT_STRING, std::string_view{"\x80", 1}}}),
              "2.5.4.45=#03020780");
}

TEST(CertificateName, WhatIsLongHasALongLength) {
    const std::string text(200, 'a');
    const std::string out = named({{"title", V_ASN1_UTF8STRING, text}});
    EXPECT_TRUE(out.starts_with("2.5.4.12=#0c81c861")) << out;
}

TEST(CertificateName, SignsOfTheFormAreEscaped) {
    EXPECT_EQ(named({{"CN", V_ASN1_UTF8STRING, "a,b=c+d<e>f#g;h\"i\\j"}}),
              R"(CN=a\,b\=c\+d\<e\>f\#g\;h\"i\\j)");
    EXPECT_EQ(named({{"CN", V_ASN1_UTF8STRING, "  a b "}}), R"(CN=\ \ a b\ )");
    EXPECT_EQ(named({{"CN", V_ASN1_UTF8STRING, "J\xC3\xBCrgen"}}), "CN=J\xC3\xBCrgen");
    EXPECT_EQ(named({{"CN", V_ASN1_UTF8STRING, std::string_view{"a\0b", 3}}}), "CN=a\\00b");
}

}  // namespace
}  // namespace leat::rt
