// SPDX-License-Identifier: Apache-2.0
#include "rt/tls_store.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

namespace leat::rt {
namespace {

constexpr std::size_t kFileBytesMax = std::size_t{16} << 20U;

Error bad(const std::string& what, std::string_view why) {
    return Error{Errc::kInvalidSetting, what + ": " + std::string{why}};
}

struct BioDeleter {
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioDeleter>;

BioPtr bio_of(std::string_view bytes) {
    return BioPtr{BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))};
}

/// A password for OpenSSL: without this it would ask on the terminal.
int give_password(char* to, int room, int /*writes*/, void* data) {
    const auto& password = *static_cast<const std::string*>(data);
    if (password.empty() || password.size() > static_cast<std::size_t>(room)) return -1;
    std::memcpy(to, password.data(), password.size());
    return static_cast<int>(password.size());
}

bool is_jks(std::string_view bytes) {
    return bytes.starts_with("\xFE\xED\xFE\xED") || bytes.starts_with("\xCE\xCE\xCE\xCE");
}

Result<std::string> read_file(const std::string& path, bool has_key) {
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0) return bad(path, std::strerror(errno));
    if (!S_ISREG(facts.st_mode)) return bad(path, "is no file");
    if (static_cast<std::size_t>(facts.st_size) > kFileBytesMax) return bad(path, "is too large");
    std::ifstream in{path, std::ios::binary};
    std::string out{std::istreambuf_iterator<char>{in}, {}};
    if (in.bad() || out.empty()) return bad(path, "cannot be read, or is empty");
    // First, as to be told of the one and then of the other takes two starts.
    if (is_jks(out))
        return bad(path,
                   "is a JKS key store, which is not read; convert it: keytool -importkeystore "
                   "-srckeystore " +
                       path + " -destkeystore store.p12 -deststoretype PKCS12");
    if (has_key && (facts.st_mode & (S_IROTH | S_IWOTH)) != 0)
        return bad(path, "holds a private key and others can read it; chmod 600 it");
    return out;
}

Result<KeyPtr> key_from_pem(const std::string& what, std::string_view text,
                            const std::string& password) {
    const BioPtr in = bio_of(text);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): OpenSSL's callback takes no const.
    void* data = const_cast<std::string*>(&password);
    KeyPtr key{PEM_read_bio_PrivateKey(in.get(), nullptr, give_password, data)};
    if (key != nullptr) return key;
    const std::string reason = openssl_reason();
    if (text.contains("ENCRYPTED"))
        return bad(what, "the private key is encrypted, and ssl.key.password does not open it");
    return bad(what, "holds no private key in PEM: " + reason);
}

Result<std::vector<CertificatePtr>> certificates_from_pem(const std::string& what,
                                                          std::string_view text) {
    const BioPtr in = bio_of(text);
    std::vector<CertificatePtr> out;
    while (X509* one = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr))
        out.emplace_back(one);
    ERR_clear_error();  // The end of the text is an error to it.
    if (out.empty()) return bad(what, "holds no certificate in PEM");
    return out;
}

Result<LoadedStore> from_pem(const std::string& what, std::string_view keys,
                             std::string_view certificates, const TlsStore& store, bool wants_key) {
    LoadedStore out;
    if (wants_key) {
        LEAT_TRY(out.key,
                 key_from_pem(what, keys,
                              store.key_password.empty() ? store.password : store.key_password));
    }
    LEAT_TRY(out.certificates, certificates_from_pem(what, certificates));
    return out;
}

struct ProviderDeleter {
    void operator()(OSSL_PROVIDER* provider) const noexcept { OSSL_PROVIDER_unload(provider); }
};
struct LibraryDeleter {
    void operator()(OSSL_LIB_CTX* library) const noexcept { OSSL_LIB_CTX_free(library); }
};

/// An OpenSSL beside the process's own that also knows the ciphers of the past: what old files are
/// encrypted with must not become usable in TLS.
class LegacyLibrary {
  public:
    LegacyLibrary()
        : library_(OSSL_LIB_CTX_new()),
          default_(OSSL_PROVIDER_load(library_.get(), "default")),
          legacy_(OSSL_PROVIDER_load(library_.get(), "legacy")) {}
    [[nodiscard]] OSSL_LIB_CTX* get() const { return library_.get(); }
    /// The module with the old ciphers is a file of its own and may be missing.
    [[nodiscard]] bool is_there() const { return default_ != nullptr && legacy_ != nullptr; }

  private:
    std::unique_ptr<OSSL_LIB_CTX, LibraryDeleter> library_;
    std::unique_ptr<OSSL_PROVIDER, ProviderDeleter> default_;
    std::unique_ptr<OSSL_PROVIDER, ProviderDeleter> legacy_;
};

enum class Opened : std::uint8_t { kYes, kNoPkcs12, kNo };

/// What is in a PKCS12 file, by `library`'s ciphers (null: the process's own). OpenSSL's queue says
/// why it cannot be had.
Opened open_pkcs12(std::string_view bytes, const std::string& password, OSSL_LIB_CTX* library,
                   LoadedStore& out) {
    const BioPtr in = bio_of(bytes);
    PKCS12* parsed = PKCS12_init_ex(NID_pkcs7_data, library, nullptr);
    if (d2i_PKCS12_bio(in.get(), &parsed) == nullptr) {
        PKCS12_free(parsed);
        return Opened::kNoPkcs12;
    }
    EVP_PKEY* key = nullptr;
    X509* own = nullptr;
    STACK_OF(X509)* others = nullptr;
    const int is_open = PKCS12_parse(parsed, password.c_str(), &key, &own, &others);
    PKCS12_free(parsed);
    out = {};
    out.key.reset(key);
    if (own != nullptr) out.certificates.emplace_back(own);
    while (sk_X509_num(others) > 0) out.certificates.emplace_back(sk_X509_shift(others));
    sk_X509_free(others);
    return is_open == 1 ? Opened::kYes : Opened::kNo;
}

/// Copies into the process's own OpenSSL, as their library ends.
Result<LoadedStore> moved_from_library(const std::string& what, const LoadedStore& from) {
    LoadedStore out;
    if (from.key != nullptr) {
        unsigned char* bytes = nullptr;
        const int size = i2d_PrivateKey(from.key.get(), &bytes);
        const unsigned char* at = bytes;
        if (size > 0) out.key.reset(d2i_AutoPrivateKey(nullptr, &at, size));
        OPENSSL_clear_free(bytes, static_cast<std::size_t>(std::max(size, 0)));
        if (out.key == nullptr) return bad(what, "the private key: " + openssl_reason());
    }
    const std::string texts = certificates_as_pem(from);
    if (!from.certificates.empty()) {
        LEAT_TRY(out.certificates, certificates_from_pem(what, texts));
    }
    return out;
}

/// As Java before 8u301 wrote it: certificates by RC2 with 40 bits.
Result<LoadedStore> from_old_pkcs12(const std::string& what, std::string_view bytes,
                                    const std::string& password) {
    const LegacyLibrary library;
    LoadedStore found;
    if (library.is_there() && open_pkcs12(bytes, password, library.get(), found) == Opened::kYes)
        return moved_from_library(what, found);
    const std::string reason = openssl_reason();
    if (library.is_there()) return bad(what, "the password does not open it: " + reason);
    return bad(what,
               "is encrypted as older Java did, and OpenSSL's module for that, legacy.so, is not "
               "there; convert it: keytool -importkeystore -srckeystore " +
                   what + " -destkeystore store.p12 -deststoretype PKCS12");
}

Result<LoadedStore> from_pkcs12(const std::string& what, std::string_view bytes,
                                const TlsStore& store, bool wants_key) {
    LoadedStore out;
    const Opened opened = open_pkcs12(bytes, store.password, nullptr, out);
    if (opened != Opened::kYes) {
        const std::string reason = openssl_reason();
        if (opened == Opened::kNoPkcs12) return bad(what, "is neither PEM nor PKCS12: " + reason);
        if (reason != "unsupported") return bad(what, "the password does not open it: " + reason);
        LEAT_TRY(out, from_old_pkcs12(what, bytes, store.password));
    }
    if (wants_key && out.key == nullptr) return bad(what, "holds no private key");
    if (out.certificates.empty()) return bad(what, "holds no certificate");
    return out;
}

}  // namespace

std::string openssl_reason() {
    std::string out;
    while (const unsigned long code = ERR_get_error()) {
        const char* reason = ERR_reason_error_string(code);
        if (reason != nullptr) out = reason;
    }
    return out;
}

std::string certificates_as_pem(const LoadedStore& store) {
    const BioPtr out{BIO_new(BIO_s_mem())};
    for (const CertificatePtr& one : store.certificates) PEM_write_bio_X509(out.get(), one.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

Result<LoadedStore> load_store(const TlsStore& store, bool wants_key) {
    if (store.file.empty())
        return from_pem("the PEM text", store.key_text, store.certificates_text, store, wants_key);
    LEAT_TRY(const std::string bytes, read_file(store.file, wants_key));
    if (bytes.contains("-----BEGIN ")) return from_pem(store.file, bytes, bytes, store, wants_key);
    return from_pkcs12(store.file, bytes, store, wants_key);
}

}  // namespace leat::rt
