// SPDX-License-Identifier: Apache-2.0
//
// Method: stores made here by OpenSSL, as others write them.
#include "rt/tls_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "testkit/result_matchers.h"

namespace leat::rt {
namespace {

struct File {
    explicit File(std::string_view bytes, mode_t mode = 0600)
        : path(testing::TempDir() + "store-" +
               testing::UnitTest::GetInstance()->current_test_info()->name()) {
        std::ofstream{path, std::ios::binary} << bytes;
        ::chmod(path.c_str(), mode);
    }
    ~File() { std::remove(path.c_str()); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    std::string path;
};

std::string why(const Result<LoadedStore>& loaded) {
    return loaded.has_value() ? "" : std::string{loaded.error().detail()};
}

/// PKCS12 with the password "pw", certificates and key encrypted by these; "" where OpenSSL's
/// module for old ciphers is missing.
std::string pkcs12(int key_cipher, int certificate_cipher) {
    OSSL_LIB_CTX* library = OSSL_LIB_CTX_new();
    OSSL_PROVIDER* now = OSSL_PROVIDER_load(library, "default");
    OSSL_PROVIDER* before = OSSL_PROVIDER_load(library, "legacy");
    std::string out;
    if (before != nullptr) {
        EVP_PKEY* key = EVP_EC_gen("P-256");
        X509* own = X509_new();
        X509_gmtime_adj(X509_getm_notBefore(own), 0);
        X509_gmtime_adj(X509_getm_notAfter(own), 3600);
        X509_set_pubkey(own, key);
        X509_sign(own, key, EVP_sha256());
        PKCS12* store = PKCS12_create_ex("pw", "key", key, own, nullptr, key_cipher,
                                         certificate_cipher, 0, 0, 0, library, nullptr);
        unsigned char* bytes = nullptr;
        const int size = i2d_PKCS12(store, &bytes);
        out.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));  // NOLINT
        OPENSSL_free(bytes);
        PKCS12_free(store);
        X509_free(own);
        EVP_PKEY_free(key);
        OSSL_PROVIDER_unload(before);
    }
    OSSL_PROVIDER_unload(now);
    OSSL_LIB_CTX_free(library);
    ERR_clear_error();
    return out;
}

TEST(TlsStore, OpensWhatOlderJavaWrote) {
    const std::string bytes =
        pkcs12(NID_pbe_WithSHA1And3_Key_TripleDES_CBC, NID_pbe_WithSHA1And40BitRC2_CBC);
    ASSERT_FALSE(bytes.empty()) << "is OpenSSL's module legacy.so there? It comes with libssl3";
    const File file{bytes};
    const auto loaded = load_store({.file = file.path, .password = "pw"}, true);
    ASSERT_OK(loaded);
    ASSERT_EQ(loaded->certificates.size(), 1U);
    EXPECT_EQ(X509_check_private_key(loaded->certificates[0].get(), loaded->key.get()), 1);
    EXPECT_EQ(why(load_store({.file = file.path, .password = "px"}, true)),
              file.path + ": the password does not open it: mac verify failure");
    // It is not opened for the rest of the process.
    EXPECT_EQ(EVP_CIPHER_fetch(nullptr, "RC2-40-CBC", nullptr), nullptr);
    ERR_clear_error();
}

TEST(TlsStore, OpensWhatIsWrittenToday) {
    const std::string bytes = pkcs12(NID_aes_256_cbc, NID_aes_256_cbc);
    ASSERT_FALSE(bytes.empty()) << "is OpenSSL's module legacy.so there? It comes with libssl3";
    const File file{bytes};
    EXPECT_OK(load_store({.file = file.path, .password = "pw"}, true));
    EXPECT_TRUE(why(load_store({.file = file.path, .password = "px"}, true)).contains("password"));
}

TEST(TlsStore, SaysOfWhatKindAStoreIsBeforeWhoMayReadIt) {
    const File jks{std::string{"\xFE\xED\xFE\xED"} + std::string(60, '\0'), 0644};
    EXPECT_TRUE(why(load_store({.file = jks.path}, true)).contains("keytool -importkeystore"));
}

TEST(TlsStore, SaysWhatIsNoStore) {
    const File file{"hello"};
    EXPECT_TRUE(why(load_store({.file = file.path}, true)).contains("is neither PEM nor PKCS12"));
}

}  // namespace
}  // namespace leat::rt
