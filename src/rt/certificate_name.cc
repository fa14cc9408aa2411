// SPDX-License-Identifier: Apache-2.0
#include "rt/certificate_name.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace leat::rt {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 9> kKeywords{
    {{NID_commonName, "CN"},
     {NID_countryName, "C"},
     {NID_localityName, "L"},
     {NID_stateOrProvinceName, "ST"},
     {NID_organizationName, "O"},
     {NID_organizationalUnitName, "OU"},
     {NID_streetAddress, "STREET"},
     {NID_domainComponent, "DC"},
     {NID_userId, "UID"}}};

bool is_text(const ASN1_STRING* value) {
    switch (ASN1_STRING_type(value)) {
        case V_ASN1_PRINTABLESTRING:
        case V_ASN1_UTF8STRING:
        case V_ASN1_T61STRING:
        case V_ASN1_IA5STRING:
        case V_ASN1_GENERALSTRING:
        case V_ASN1_BMPSTRING:
            return true;
        default:
            return false;
    }
}

/// '#' and the value's DER in hexadecimal.
std::string hex_of(const ASN1_STRING* value) {
    const std::unique_ptr<ASN1_TYPE, decltype(&ASN1_TYPE_free)> any{ASN1_TYPE_new(),
                                                                    &ASN1_TYPE_free};
    ASN1_TYPE_set1(any.get(), ASN1_STRING_type(value), value);
    unsigned char* der = nullptr;
    const int size = i2d_ASN1_TYPE(any.get(), &der);
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out = "#";
    for (int i = 0; i < size; ++i) out += {kDigits[der[i] >> 4U], kDigits[der[i] & 0xFU]};
    OPENSSL_free(der);
    return out;
}

std::string escaped(std::string_view text) {
    constexpr std::string_view kBlank = " \r";
    const std::size_t begin = std::min(text.find_first_not_of(kBlank), text.size());
    const std::size_t last = text.find_last_not_of(kBlank);
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\0') {
            out += "\\00";
            continue;
        }
        const bool is_outer = i < begin || last == std::string_view::npos || i > last;
        if (is_outer || std::string_view{",=+<>#;\"\\"}.contains(c)) out += '\\';
        out += c;
    }
    return out;
}

std::string value_of(const ASN1_STRING* value) {
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, value);
    if (size < 0) return hex_of(value);
    const std::string_view text{reinterpret_cast<const char*>(utf8),  // NOLINT
                                static_cast<std::size_t>(size)};
    std::string out = escaped(text);
    OPENSSL_free(utf8);
    return out;
}

std::string text_of(const X509_NAME_ENTRY* entry) {
    const ASN1_OBJECT* type = X509_NAME_ENTRY_get_object(entry);
    const ASN1_STRING* value = X509_NAME_ENTRY_get_data(entry);
    const auto* known =
        std::ranges::find(kKeywords, OBJ_obj2nid(type), &decltype(kKeywords)::value_type::first);
    if (known != kKeywords.end())
        return std::string{known->second} + "=" +
               (is_text(value) ? value_of(value) : hex_of(value));
    std::array<char, 128> number{};
    const int size = OBJ_obj2txt(number.data(), number.size(), type, 1);
    std::string oid(static_cast<std::size_t>(std::max(size, 0)), '\0');
    if (oid.size() < number.size())
        oid.assign(number.data(), oid.size());
    else
        OBJ_obj2txt(oid.data(), static_cast<int>(oid.size()) + 1, type, 1);
    return oid + "=" + hex_of(value);
}

}  // namespace

std::string text_of_name(const X509_name_st* name) {
    std::string out;
    // Parts from the last to the first; what stands in one part in its order.
    for (int end = X509_NAME_entry_count(name); end > 0;) {
        int begin = end - 1;
        const int part = X509_NAME_ENTRY_set(X509_NAME_get_entry(name, begin));
        while (begin > 0 && X509_NAME_ENTRY_set(X509_NAME_get_entry(name, begin - 1)) == part)
            --begin;
        if (!out.empty()) out += ',';
        for (int i = begin; i < end; ++i) {
            if (i > begin) out += '+';
            out += text_of(X509_NAME_get_entry(name, i));
        }
        end = begin;
    }
    return out;
}

}  // namespace leat::rt
