// SPDX-License-Identifier: Apache-2.0
//
// SCRAM-SHA-256 logins, each on a connection of its own that is closed at once. What a client
// computes from the password is computed once: the broker is measured. Layer: bench.
// Spec: RFC 5802, RFC 7677; SaslHandshake 1, SaslAuthenticate 1.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <map>
#include <thread>

#include "histogram.h"
#include "load.h"
#include "raw_protocol.h"

namespace leat::bench {
namespace {

constexpr std::int16_t kHandshake = 17;
constexpr std::int16_t kAuthenticate = 36;
constexpr std::size_t kDigest = 32;

std::string hmac(std::string_view key, std::string_view data) {
    std::string out(kDigest, '\0');
    unsigned size = 0;
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(data.data()), data.size(),
             reinterpret_cast<unsigned char*>(out.data()), &size) == nullptr) {
        die("HMAC");
    }
    return out;
}

std::string base64(std::string_view bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

std::string unbase64(const std::string& text) {
    std::string out(text.size(), '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) {
        die("not base64: " + text);
    }
    const auto padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    out.resize(static_cast<std::size_t>(size - padding));
    return out;
}

/// The keys of a password; kept, because the salt stays the same.
struct Keys {
    std::string salt;
    std::string client;
    std::string stored;
};

Keys derive(const std::string& password, const std::string& salt, int iterations) {
    const std::string raw = unbase64(salt);
    std::string salted(kDigest, '\0');
    if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                          reinterpret_cast<const unsigned char*>(raw.data()),
                          static_cast<int>(raw.size()), iterations, EVP_sha256(),
                          static_cast<int>(kDigest),
                          reinterpret_cast<unsigned char*>(salted.data())) != 1) {
        die("PBKDF2");
    }
    Keys keys{.salt = salt, .client = hmac(salted, "Client Key"), .stored = {}};
    keys.stored.resize(kDigest);
    EVP_Digest(keys.client.data(), keys.client.size(),
               reinterpret_cast<unsigned char*>(keys.stored.data()), nullptr, EVP_sha256(),
               nullptr);
    return keys;
}

std::string frame(std::int16_t key, const Out& body) {
    Out out;
    out.i32(0);
    out.i16(key);
    out.i16(1);
    out.i32(1);
    out.string("login");
    out.raw(body.bytes);
    out.patch_i32(0, static_cast<std::int32_t>(out.bytes.size() - 4));
    return std::move(out.bytes);
}

std::string step(int fd, std::string_view message) {
    Out body;
    body.i32(static_cast<std::int32_t>(message.size()));
    body.raw(message);
    const auto answer = round_trip(fd, frame(kAuthenticate, body));
    In in(answer);
    in.i32();
    const auto error = in.i16();
    in.string();
    const auto size = in.i32();
    if (in.failed || error != 0) {
        die("the login is refused: error " + std::to_string(error));
    }
    return std::string(in.take(static_cast<std::size_t>(size)));
}

std::string part(const std::string& message, char name) {
    const std::string start{name, '='};
    std::size_t at = message.starts_with(start) ? 2 : message.find("," + start) + 3;
    return message.substr(at, message.find(',', at) - at);
}

void log_in(int fd, const std::string& user, const std::string& password, std::uint64_t number,
            Keys& keys) {
    Out mechanism;
    mechanism.string("SCRAM-SHA-256");
    const auto answer = round_trip(fd, frame(kHandshake, mechanism));
    In in(answer);
    in.i32();
    if (const auto error = in.i16(); in.failed || error != 0) {
        die("the mechanism is refused: error " + std::to_string(error));
    }
    const std::string first =
        "n=" + user + ",r=" + std::to_string(number) + "x" + std::to_string(now_ns());
    const std::string challenge = step(fd, "n,," + first);
    if (keys.salt != part(challenge, 's')) {
        keys = derive(password, part(challenge, 's'), std::stoi(part(challenge, 'i')));
    }
    const std::string bare = "c=biws,r=" + part(challenge, 'r');
    std::string proof = hmac(keys.stored, first + "," + challenge + "," + bare);
    for (std::size_t i = 0; i < kDigest; ++i) {
        proof[i] = static_cast<char>(proof[i] ^ keys.client[i]);
    }
    if (!step(fd, bare + ",p=" + base64(proof)).starts_with("v=")) {
        die("the broker does not prove itself");
    }
}

std::string setting(const Plan& plan, std::string_view name) {
    for (const auto& [key, value] : plan.configs) {
        if (key == name) {
            return value;
        }
    }
    die("logins need --config user=NAME --config password=TEXT");
}

}  // namespace

void run_logins(const Plan& plan) {
    const std::string user = setting(plan, "user");
    const std::string password = setting(plan, "password");
    std::atomic<std::uint64_t> count = 0;
    std::vector<Histogram> times(static_cast<std::size_t>(plan.connections));
    const auto start = now_ns();
    const auto end = start + static_cast<std::int64_t>(plan.seconds * 1e9);
    std::vector<std::jthread> threads;
    threads.reserve(times.size());
    for (auto& mine : times) {
        threads.emplace_back([&] {
            Keys keys;
            while (now_ns() < end) {
                const auto before = now_ns();
                const int fd = connect_or_die(plan.broker, true);
                log_in(fd, user, password, ++count, keys);
                close(fd);
                mine.add(now_ns() - before);
            }
        });
    }
    threads.clear();  // Waits for each of them.
    Histogram all;
    for (const auto& mine : times) {
        all.merge(mine);
    }
    const auto seconds = static_cast<double>(now_ns() - start) / 1e9;
    std::printf(
        "{\"mode\":\"logins\",\"logins\":%llu,\"logins_per_s\":%.1f,\"p50_us\":%.1f,\"p99_us\":%."
        "1f}\n",
        static_cast<unsigned long long>(count.load()), static_cast<double>(count.load()) / seconds,
        all.percentile_us(0.5), all.percentile_us(0.99));
}

}  // namespace leat::bench
