// SPDX-License-Identifier: Apache-2.0
//
// Method: two channels that feed each other, then a TcpStream with a channel at the other end of
// its socket. Keys and certificates are made here.
#include "rt/tls_channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

#include "rt/posix_disk.h"
#include "rt/tcp_listener.h"
#include "rt/tcp_stream.h"
#include "testkit/result_matchers.h"

namespace leat::rt {
namespace {

struct Pair {
    std::string key;
    std::string certificate;
};

std::string drained(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string out{data, static_cast<std::size_t>(size)};
    BIO_free(bio);
    return out;
}

/// A certificate that signs itself; for "localhost".
Pair make_pair(const char* name, const char* password = nullptr) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* one = X509_new();
    X509_set_version(one, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(one), 1);
    X509_gmtime_adj(X509_getm_notBefore(one), -60);
    X509_gmtime_adj(X509_getm_notAfter(one), 3600);
    X509_NAME* subject = X509_get_subject_name(one);
    const auto* text = reinterpret_cast<const unsigned char*>(name);  // NOLINT
    X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_UTF8, text, -1, -1, 0);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0);
    X509_set_issuer_name(one, subject);
    X509_set_pubkey(one, key);
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    X509_add_ext(one, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(one, key, EVP_sha256());
    BIO* key_out = BIO_new(BIO_s_mem());
    const EVP_CIPHER* cipher = password != nullptr ? EVP_aes_128_cbc() : nullptr;
    PEM_write_bio_PKCS8PrivateKey(
        key_out, key, cipher, password,
        password != nullptr ? static_cast<int>(std::string_view{password}.size()) : 0, nullptr,
        nullptr);
    BIO* certificate_out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(certificate_out, one);
    X509_free(one);
    EVP_PKEY_free(key);
    return {drained(key_out), drained(certificate_out)};
}

const Pair& server_pair() {
    static const Pair pair = make_pair("server");
    return pair;
}

using ContextPtr = std::shared_ptr<const TlsContext>;

TlsStore store_of(const Pair& pair) {
    return {.file = {},
            .key_text = pair.key,
            .certificates_text = pair.certificate,
            .password = {},
            .key_password = {}};
}
TlsStore trust_in(const Pair& pair) {
    TlsStore out = store_of(pair);
    out.key_text.clear();
    return out;
}

ContextPtr server_context(TlsOptions options = {}) {
    options.keys = store_of(server_pair());
    auto out = TlsContext::server(options);
    EXPECT_OK(out);
    return *out;
}
ContextPtr client_context(TlsOptions options = {}) {
    if (options.trusted.is_empty()) options.trusted = trust_in(server_pair());
    options.check = PeerCheck::kRequired;
    auto out = TlsContext::client(options);
    EXPECT_OK(out);
    return *out;
}

void pass(TlsChannel& from, TlsChannel& to) {
    const Bytes out = from.output();
    if (out.empty()) return;
    to.feed(out);
    from.drop_output(out.size());
}

/// Both sides' verdicts, "" when they are content.
std::string shake(TlsChannel& client, TlsChannel& server) {
    std::string why;
    for (int i = 0; i < 10; ++i) {
        const Result<void> a = client.handshake();
        if (!a) why += "client " + std::string{a.error().detail()} + "; ";
        pass(client, server);
        const Result<void> b = server.handshake();
        if (!b) why += "server " + std::string{b.error().detail()} + "; ";
        pass(server, client);
        if (!why.empty()) return why;
    }
    EXPECT_TRUE(client.is_established() && server.is_established());
    return why;
}

TEST(TlsChannel, CarriesBytesBothWaysAndSaysWhoIsThere) {
    const auto server_side = server_context();
    const auto client_side = client_context();
    auto server = TlsChannel::server(*server_side);
    auto client = TlsChannel::client(*client_side, "localhost");
    ASSERT_EQ(shake(client, server), "");
    EXPECT_EQ(client.peer().name, "CN=server,O=server");
    EXPECT_EQ(client.peer().protocol, "TLSv1.3");
    EXPECT_EQ(server.peer().name, std::nullopt);
    std::vector<std::byte> sent(1'000'000, std::byte{7});
    ASSERT_OK(client.write(sent));
    pass(client, server);
    std::vector<std::byte> got(sent.size() + 1);
    std::size_t done = 0;
    while (true) {
        const auto part = server.read(MutableBytes{got}.subspan(done));
        ASSERT_OK(part);
        if (*part == 0) break;
        done += *part;
    }
    EXPECT_EQ(done, sent.size());
    EXPECT_FALSE(server.is_at_end());
    client.close();
    pass(client, server);
    EXPECT_EQ(*server.read(got), 0U);
    EXPECT_TRUE(server.is_at_end());
}

TEST(TlsChannel, ChecksForWhomACertificateIs) {
    const auto server_side = server_context();
    const auto client_side = client_context();
    for (const auto& [host, is_good] : {std::pair{"127.0.0.1", true},
                                        {"localhost", true},
                                        {"other", false},
                                        {"127.0.0.2", false},
                                        {"", true}}) {
        auto server = TlsChannel::server(*server_side);
        auto client = TlsChannel::client(*client_side, host);
        EXPECT_EQ(shake(client, server).empty(), is_good) << host;
    }
}

TEST(TlsChannel, RefusesAnAuthorityThatIsNotTrusted) {
    const Pair other = make_pair("server");
    const auto server_side = server_context();
    const auto client_side = client_context({.trusted = trust_in(other)});
    auto server = TlsChannel::server(*server_side);
    auto client = TlsChannel::client(*client_side, "");
    EXPECT_TRUE(shake(client, server).starts_with("client TLS: certificate verify failed"));
}

TEST(TlsChannel, AsksClientsForCertificatesAsToldTo) {
    const Pair alice = make_pair("alice");
    const Pair mallory = make_pair("mallory");
    const auto outcome = [&](PeerCheck check, const Pair* pair) -> std::string {
        const auto server_side = server_context({.trusted = trust_in(alice), .check = check});
        const auto client_side =
            client_context({.keys = pair != nullptr ? store_of(*pair) : TlsStore{}});
        auto server = TlsChannel::server(*server_side);
        auto client = TlsChannel::client(*client_side, "");
        if (!shake(client, server).empty()) return "refused";
        return server.peer().name.value_or("nobody");
    };
    EXPECT_EQ(outcome(PeerCheck::kRequired, &alice), "CN=alice,O=alice");
    EXPECT_EQ(outcome(PeerCheck::kRequired, nullptr), "refused");
    EXPECT_EQ(outcome(PeerCheck::kRequired, &mallory), "refused");
    EXPECT_EQ(outcome(PeerCheck::kIfShown, &alice), "CN=alice,O=alice");
    EXPECT_EQ(outcome(PeerCheck::kIfShown, nullptr), "nobody");
    EXPECT_EQ(outcome(PeerCheck::kIfShown, &mallory), "refused");
    EXPECT_EQ(outcome(PeerCheck::kNone, &mallory), "nobody");
}

TEST(TlsChannel, AgreesOnAVersionBothHaveOrOnNone) {
    const auto outcome = [](TlsOptions server_options, TlsOptions client_options) -> std::string {
        const auto server_side = server_context(std::move(server_options));
        const auto client_side = client_context(std::move(client_options));
        auto server = TlsChannel::server(*server_side);
        auto client = TlsChannel::client(*client_side, "");
        return shake(client, server).empty() ? client.peer().protocol : "refused";
    };
    EXPECT_EQ(outcome({}, {.allow_tls13 = false}), "TLSv1.2");
    EXPECT_EQ(outcome({.allow_tls13 = false}, {}), "TLSv1.2");
    EXPECT_EQ(outcome({.allow_tls12 = false}, {.allow_tls13 = false}), "refused");
}

TEST(TlsChannel, RefusesWhatIsNoTls) {
    const auto server_side = server_context();
    auto server = TlsChannel::server(*server_side);
    const std::string_view text = "GET / HTTP/1.1\r\n\r\n";
    server.feed(std::as_bytes(std::span{text}));
    EXPECT_ERRC(server.handshake(), Errc::kNetworkException);
}

TEST(TlsContext, OpensAnEncryptedKeyWithItsPasswordOnly) {
    const Pair pair = make_pair("server", "secret");
    TlsOptions options{.keys = store_of(pair)};
    const auto closed = TlsContext::server(options);
    ASSERT_FALSE(closed.has_value());
    EXPECT_TRUE(closed.error().detail().contains("ssl.key.password"));
    options.keys.key_password = "wrong";
    const auto wrong = TlsContext::server(options);
    ASSERT_FALSE(wrong.has_value());
    EXPECT_FALSE(wrong.error().detail().contains("wrong"));
    options.keys.key_password = "secret";
    EXPECT_OK(TlsContext::server(options));
}

TEST(TlsContext, LeavesNoCipherSuiteOut) {
    const auto made = [](std::vector<std::string> suites) {
        return TlsContext::server({.keys = {.key_text = server_pair().key,
                                            .certificates_text = server_pair().certificate},
                                   .cipher_suites = std::move(suites)});
    };
    EXPECT_OK(made({"TLS_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                    "ECDHE-ECDSA-AES256-GCM-SHA384"}));
    EXPECT_OK(made({"ECDHE+AESGCM", "!aNULL"}));
    for (const char* unknown : {"TLS_AES_512_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_512_GCM_SHA256",
                                "ECDHE-ECDSA-AES512-GCM-SHA384"}) {
        const auto refused =
            made({"TLS_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", unknown});
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().detail(),
                  std::string{"ssl.cipher.suites: "} + unknown + " is not known");
    }
}

TEST(TlsContext, RefusesAKeyThatDoesNotFitItsCertificate) {
    const TlsStore mixed{.file = {},
                         .key_text = make_pair("other").key,
                         .certificates_text = server_pair().certificate,
                         .password = {},
                         .key_password = {}};
    EXPECT_FALSE(TlsContext::server({.keys = mixed}).has_value());
}

/// A server's stream on a loop; `client` is the other end of its socket.
class SecuredStream final : public StreamHandler {
  public:
    SecuredStream() : client(TlsChannel::client(*client_side, "localhost")) {
        std::optional<Socket> accepted;
        auto listener = TcpListener::open(
            loop, {.host = "127.0.0.1"},
            [&](Socket s, const SocketAddress& /*peer*/) { accepted.emplace(std::move(s)); });
        EXPECT_OK(listener);
        auto connected = Socket::connect(listener->addresses().front());
        EXPECT_OK(connected);
        socket = *std::move(connected);
        while (!accepted) loop.run_ready();
        stream.emplace(loop, *std::move(accepted), *this, StreamOptions{.tls = server_side});
    }

    MutableBytes read_space() override { return MutableBytes{space}.first(space_now); }
    void on_read(std::size_t bytes) override {
        for (std::size_t i = 0; i < bytes; ++i) got += static_cast<char>(space[i]);
        if (then) then();
    }
    void on_closed(const Result<void>& why) override {
        closed = why ? Errc::kNone : why.error().code();
    }

    /// One turn of both sides.
    void turn() {
        loop.run_ready();
        std::byte block[16'384];
        const auto in = ::recv(socket.descriptor(), block, sizeof block, MSG_DONTWAIT);
        if (in > 0) client.feed(Bytes{block}.first(static_cast<std::size_t>(in)));
        if (in == 0) at_end = true;
        EXPECT_OK(client.handshake());
        while (client.is_established()) {
            const auto part = client.read(block);
            if (!part || *part == 0) break;
            for (std::size_t i = 0; i < *part; ++i) back += static_cast<char>(block[i]);
        }
        const Bytes out = client.output();
        if (out.empty()) return;
        const auto put =
            ::send(socket.descriptor(), out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put > 0) client.drop_output(static_cast<std::size_t>(put));
    }
    void turn_until(const std::function<bool()>& is_done) {
        while (!is_done()) turn();
    }
    void say(std::string_view text) { EXPECT_OK(client.write(std::as_bytes(std::span{text}))); }

    EventLoop loop;
    ContextPtr server_side = server_context();
    ContextPtr client_side = client_context();
    TlsChannel client;
    Socket socket;
    std::vector<std::byte> space = std::vector<std::byte>(1 << 14);
    std::size_t space_now = 1 << 14;
    std::string got;
    std::string back;
    bool at_end = false;
    std::function<void()> then;
    std::optional<Errc> closed;
    std::optional<TcpStream> stream;
};

TEST(TlsStream, ReadsAndAnswers) {
    SecuredStream s;
    EXPECT_FALSE(s.stream->is_established());
    s.then = [&] { s.stream->send(std::vector<std::byte>(s.got.size(), std::byte{'x'})); };
    s.turn_until([&] { return s.client.is_established(); });
    s.say("hello");
    s.turn_until([&] { return s.back.size() == 5; });
    EXPECT_TRUE(s.stream->is_established());
    ASSERT_TRUE(s.stream->tls_peer().has_value());
    EXPECT_EQ(s.got, "hello");
    EXPECT_EQ(s.stream->unsent_bytes(), 0U);
}

TEST(TlsStream, HandsOutWhatWaitedWhileReadingWasPaused) {
    SecuredStream s;
    s.turn_until([&] { return s.client.is_established(); });
    s.space_now = 4;
    s.then = [&] { s.stream->pause_reading(); };
    s.say("abcdefgh");
    s.turn_until([&] { return s.got.size() == 4; });
    for (int i = 0; i < 20; ++i) s.turn();
    EXPECT_EQ(s.got, "abcd");
    s.stream->resume_reading();
    s.turn_until([&] { return s.got.size() == 8; });
    EXPECT_EQ(s.got, "abcdefgh");
}

TEST(TlsStream, SendsMoreThanTheSocketTakesAndThenCloses) {
    SecuredStream s;
    s.turn_until([&] { return s.client.is_established(); });
    constexpr std::size_t kBytes = 8'000'000;
    s.stream->cork();
    s.stream->send(std::vector<std::byte>(kBytes / 2, std::byte{'a'}));
    s.stream->send(std::make_shared<int>(0), {});
    s.stream->send(std::vector<std::byte>(kBytes / 2, std::byte{'b'}));
    s.stream->uncork();
    EXPECT_GT(s.stream->unsent_bytes(), 0U);
    s.stream->close_after_sending();
    s.turn_until([&] { return s.at_end; });
    EXPECT_EQ(s.back.size(), kBytes);
    EXPECT_EQ(s.back.front(), 'a');
    EXPECT_EQ(s.back.back(), 'b');
    EXPECT_TRUE(s.client.is_at_end());
}

TEST(TlsStream, EndsWithAnErrorWhenThePeerSpeaksPlaintext) {
    SecuredStream s;
    const std::string_view text = "this is no TLS at all, and never was";
    ASSERT_GT(::send(s.socket.descriptor(), text.data(), text.size(), MSG_NOSIGNAL), 0);
    while (!s.closed) s.loop.run_ready();
    EXPECT_EQ(s.closed, Errc::kNetworkException);
    EXPECT_EQ(s.got, "");
}

}  // namespace
}  // namespace leat::rt
