// SPDX-License-Identifier: Apache-2.0
#include "auth/gssapi.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>

#include <array>
#include <utility>

namespace leat::auth {
namespace {

/// A buffer of the library's.
struct GssBuffer {
    GssBuffer() = default;
    GssBuffer(const GssBuffer&) = delete;
    GssBuffer& operator=(const GssBuffer&) = delete;
    ~GssBuffer() {
        OM_uint32 minor = 0;
        gss_release_buffer(&minor, &native);
    }
    [[nodiscard]] std::string_view text() const {
        return {static_cast<const char*>(native.value), native.length};
    }
    gss_buffer_desc native = GSS_C_EMPTY_BUFFER;
};

gss_buffer_desc buffer_of(std::string_view text) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): the library takes no const.
    return {text.size(), const_cast<char*>(text.data())};
}

std::string reason_of(OM_uint32 major, OM_uint32 minor) {
    std::string out;
    for (const auto& [code, kind] : {std::pair{major, GSS_C_GSS_CODE}, {minor, GSS_C_MECH_CODE}}) {
        OM_uint32 more = 0;
        OM_uint32 ignored = 0;
        GssBuffer text;
        if (gss_display_status(&ignored, code, kind, GSS_C_NO_OID, &more, &text.native) ==
            GSS_S_COMPLETE)
            out.append(out.empty() ? "" : ": ").append(text.text());
    }
    return out;
}

}  // namespace

struct GssapiKeys::Native {
    Native() = default;
    Native(const Native&) = delete;
    Native& operator=(const Native&) = delete;
    ~Native() {
        OM_uint32 minor = 0;
        gss_release_cred(&minor, &credential);
    }
    gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
};

GssapiKeys::GssapiKeys(std::unique_ptr<Native> native) noexcept : native_(std::move(native)) {}
GssapiKeys::~GssapiKeys() = default;

Result<std::shared_ptr<const GssapiKeys>> GssapiKeys::open(const GssapiOptions& options) {
    OM_uint32 minor = 0;
    gss_name_t name = GSS_C_NO_NAME;
    if (!options.principal.empty()) {
        gss_buffer_desc text = buffer_of(options.principal);
        const OM_uint32 major = gss_import_name(&minor, &text, GSS_KRB5_NT_PRINCIPAL_NAME, &name);
        if (GSS_ERROR(major))
            return Error{Errc::kInvalidSetting, options.principal + ": " + reason_of(major, minor)};
    }
    // Without a replay cache: a token that is sent again is of no use without the key of its
    // session, which the exchange goes on to ask for.
    std::array<gss_key_value_element_desc, 2> places{
        {{"keytab", options.key_table.c_str()}, {"rcache", "none:"}}};
    const gss_key_value_set_desc store{static_cast<OM_uint32>(places.size()), places.data()};
    auto native = std::make_unique<Native>();
    const OM_uint32 major =
        gss_acquire_cred_from(&minor, name, GSS_C_INDEFINITE, GSS_C_NO_OID_SET, GSS_C_ACCEPT,
                              &store, &native->credential, nullptr, nullptr);
    OM_uint32 ignored = 0;
    gss_release_name(&ignored, &name);
    if (GSS_ERROR(major))
        return Error{Errc::kInvalidSetting,
                     "key table " + options.key_table + ": " + reason_of(major, minor)};
    return std::make_shared<const GssapiKeys>(std::move(native));
}

namespace {

class GssapiServer final : public SaslServer {
  public:
    GssapiServer(std::shared_ptr<const GssapiKeys> keys, std::shared_ptr<const KerberosRules> rules)
        : keys_(std::move(keys)), rules_(std::move(rules)) {}
    ~GssapiServer() override {
        OM_uint32 minor = 0;
        gss_delete_sec_context(&minor, &context_, GSS_C_NO_BUFFER);
    }

    [[nodiscard]] bool may_block() const noexcept override { return true; }
    /// Once its ticket could be read.
    [[nodiscard]] std::string_view claimed() const noexcept override { return peer_; }

    Result<SaslStep> next(std::string_view message) override {
        switch (std::exchange(state_, State::kOver)) {
            case State::kContext:
                return accept(message);
            case State::kOffer:
                return message.empty() ? offer() : sasl_failure();
            case State::kChoice:
                return choose(message);
            case State::kOver:
                return sasl_failure();
        }
        return sasl_failure();
    }

  private:
    enum class State : std::uint8_t { kContext, kOffer, kChoice, kOver };

    Result<SaslStep> accept(std::string_view message) {
        OM_uint32 minor = 0;
        gss_buffer_desc in = buffer_of(message);
        GssBuffer out;
        gss_name_t peer = GSS_C_NO_NAME;
        const OM_uint32 major = gss_accept_sec_context(
            &minor, &context_, keys_->native().credential, &in, GSS_C_NO_CHANNEL_BINDINGS, &peer,
            nullptr, &out.native, nullptr, nullptr, nullptr);
        if (peer != GSS_C_NO_NAME) {
            GssBuffer text;
            OM_uint32 ignored = 0;
            gss_display_name(&ignored, peer, &text.native, nullptr);
            gss_release_name(&ignored, &peer);
            peer_ = text.text();
        }
        if (GSS_ERROR(major)) return sasl_failure();
        if (major == GSS_S_CONTINUE_NEEDED) {
            state_ = State::kContext;
            return SaslStep{std::string{out.text()}};
        }
        if (out.native.length == 0) return offer();
        state_ = State::kOffer;
        return SaslStep{std::string{out.text()}};
    }

    /// No security layer, and so no size of its messages either.
    Result<SaslStep> offer() {
        OM_uint32 minor = 0;
        constexpr std::string_view kOffer{"\x01\0\0\0", 4};
        gss_buffer_desc in = buffer_of(kOffer);
        GssBuffer out;
        const OM_uint32 major =
            gss_wrap(&minor, context_, 0, GSS_C_QOP_DEFAULT, &in, nullptr, &out.native);
        if (GSS_ERROR(major)) return sasl_failure();
        state_ = State::kChoice;
        return SaslStep{std::string{out.text()}};
    }

    Result<SaslStep> choose(std::string_view message) {
        OM_uint32 minor = 0;
        gss_buffer_desc in = buffer_of(message);
        GssBuffer out;
        const OM_uint32 major = gss_unwrap(&minor, context_, &in, &out.native, nullptr, nullptr);
        if (GSS_ERROR(major) || out.native.length < 4 || out.text().front() != '\x01')
            return sasl_failure();
        const auto name = KerberosName::parse(peer_);
        if (!name) return sasl_failure();
        auto user = rules_->user_of(*name);
        if (!user) return sasl_failure();
        // Whom else the client wants to be is not asked, as in Kafka: it is who its ticket names.
        // kafka-python sends the name of the service here.
        return SaslStep{.reply = {},
                        .identity = Identity{Principal::user(*user), false, std::nullopt},
                        .is_silent = true};
    }

    std::shared_ptr<const GssapiKeys> keys_;
    std::shared_ptr<const KerberosRules> rules_;
    gss_ctx_id_t context_ = GSS_C_NO_CONTEXT;
    std::string peer_;  ///< "alice@REALM".
    State state_ = State::kContext;
};

class GssapiClient final : public SaslClient {
  public:
    explicit GssapiClient(GssapiLogin login) : login_(std::move(login)) {}
    ~GssapiClient() override {
        OM_uint32 minor = 0;
        gss_delete_sec_context(&minor, &context_, GSS_C_NO_BUFFER);
        gss_release_cred(&minor, &credential_);
        gss_release_name(&minor, &service_);
    }

    Result<std::optional<std::string>> next(std::string_view message) override {
        switch (state_) {
            case State::kBegin:
                LEAT_TRY_VOID(begin());
                state_ = State::kContext;
                return step({});
            case State::kContext:
                return step(message);
            case State::kChoice:
                state_ = State::kOver;
                return choose(message);
            case State::kOver:
                return std::optional<std::string>{};
        }
        return sasl_failure();
    }

  private:
    enum class State : std::uint8_t { kBegin, kContext, kChoice, kOver };

    static Error failed(std::string_view what, OM_uint32 major, OM_uint32 minor) {
        return sasl_failure(std::string{what} + ": " + reason_of(major, minor));
    }

    Result<void> begin() {
        const std::string name = login_.service + "@" + login_.host;
        gss_buffer_desc text = buffer_of(name);
        OM_uint32 minor = 0;
        OM_uint32 major = gss_import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, &service_);
        if (GSS_ERROR(major)) return failed(name, major, minor);
        if (login_.key_table.empty()) return {};
        gss_name_t who = GSS_C_NO_NAME;
        if (!login_.principal.empty()) {
            text = buffer_of(login_.principal);
            major = gss_import_name(&minor, &text, GSS_KRB5_NT_PRINCIPAL_NAME, &who);
            if (GSS_ERROR(major)) return failed(login_.principal, major, minor);
        }
        // Tickets got by the key stay in memory: the user's own cache is not ours to change.
        std::array<gss_key_value_element_desc, 2> places{
            {{"client_keytab", login_.key_table.c_str()}, {"ccache", "MEMORY:"}}};
        const gss_key_value_set_desc store{static_cast<OM_uint32>(places.size()), places.data()};
        major = gss_acquire_cred_from(&minor, who, GSS_C_INDEFINITE, GSS_C_NO_OID_SET,
                                      GSS_C_INITIATE, &store, &credential_, nullptr, nullptr);
        OM_uint32 ignored = 0;
        gss_release_name(&ignored, &who);
        if (GSS_ERROR(major)) return failed("key table " + login_.key_table, major, minor);
        return {};
    }

    Result<std::optional<std::string>> step(std::string_view message) {
        OM_uint32 minor = 0;
        gss_buffer_desc in = buffer_of(message);
        GssBuffer out;
        const OM_uint32 major = gss_init_sec_context(
            &minor, credential_, &context_, service_, GSS_C_NO_OID,
            GSS_C_MUTUAL_FLAG | GSS_C_SEQUENCE_FLAG | GSS_C_INTEG_FLAG, 0,
            GSS_C_NO_CHANNEL_BINDINGS, &in, nullptr, &out.native, nullptr, nullptr);
        if (GSS_ERROR(major))
            return failed("a ticket for " + login_.service + "/" + login_.host, major, minor);
        // The server's offer comes next, after a message without a token where there is none.
        if (major == GSS_S_COMPLETE) state_ = State::kChoice;
        return std::optional{std::string{out.text()}};
    }

    /// No security layer: that is what TLS is for. And nobody else's name.
    Result<std::optional<std::string>> choose(std::string_view message) {
        OM_uint32 minor = 0;
        gss_buffer_desc in = buffer_of(message);
        GssBuffer offer;
        OM_uint32 major = gss_unwrap(&minor, context_, &in, &offer.native, nullptr, nullptr);
        if (GSS_ERROR(major)) return failed("the broker's offer", major, minor);
        if (offer.native.length != 4 || (offer.text().front() & 1) == 0)
            return sasl_failure("the broker insists on a security layer of SASL's own");
        constexpr std::string_view kNone{"\x01\0\0\0", 4};
        in = buffer_of(kNone);
        GssBuffer out;
        major = gss_wrap(&minor, context_, 0, GSS_C_QOP_DEFAULT, &in, nullptr, &out.native);
        if (GSS_ERROR(major)) return failed("the answer to the offer", major, minor);
        return std::optional{std::string{out.text()}};
    }

    GssapiLogin login_;
    gss_ctx_id_t context_ = GSS_C_NO_CONTEXT;
    gss_cred_id_t credential_ = GSS_C_NO_CREDENTIAL;
    gss_name_t service_ = GSS_C_NO_NAME;
    State state_ = State::kBegin;
};

}  // namespace

std::unique_ptr<SaslClient> make_gssapi_client(GssapiLogin login) {
    return std::make_unique<GssapiClient>(std::move(login));
}

std::unique_ptr<SaslServer> make_gssapi_server(std::shared_ptr<const GssapiKeys> keys,
                                               std::shared_ptr<const KerberosRules> rules) {
    return std::make_unique<GssapiServer>(std::move(keys), std::move(rules));
}

}  // namespace leat::auth
