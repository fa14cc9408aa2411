// SPDX-License-Identifier: Apache-2.0
//
// An HTTP endpoint of a streams application: metrics, health, and queries of its stores, which are
// passed on to the instance that has the key. Layer: stream endpoint SDK.
// Spec:  docs/reference/streams-endpoint.md has the addresses, answers and errors.
//
//     auto app = Application::open(topology, options);
//     const auto counts = expose<std::string, std::int64_t>("counts");
//     auto endpoint = Endpoint::open(**app, {.stores = {counts}});
//     if (!endpoint) return report(endpoint.error());
//     return (*app)->run_until_signal();
//
// Nothing listens unless the setting leat.endpoint.listen (or Options::listen) says where.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "leat/stream_endpoint/form.h"
#include "leat/streams/detail/guarded.h"
#include "leat/streams/detail/serde_needs.h"
#include "leat/streams/options.h"
#include "leat/streams/serde.h"

namespace leat::streams {
class Application;
}  // namespace leat::streams

namespace leat::stream_endpoint {

/// A store that may be asked for, and how its bytes look; made by expose().
struct ExposedStore {
    std::string name{};
    std::string missing{};  ///< What is said of serdes that there are not.
    /// A key's bytes, out of an address.
    std::function<Result<std::string>(std::string_view text)> key_of{};
    /// Appends JSON.
    std::function<Result<void>(std::string_view bytes, std::string& json)> write_key{};
    std::function<Result<void>(std::string_view bytes, std::string& json)> write_value{};
};

/// K and V as the topology has them; of windows and sessions K is the key within. Serdes not given
/// are those of the types. Form (form.h) says how they look.
template <class K, class V>
[[nodiscard]] ExposedStore expose(std::string name, const streams::Serde<K>& key = {},
                                  const streams::Serde<V>& value = {}) {
    ExposedStore out{.name = std::move(name)};
    const auto keys = streams::detail::choose(key, streams::Serde<K>{});
    const auto values = streams::detail::choose(value, streams::Serde<V>{});
    using streams::detail::need;
    out.missing = streams::detail::missing_serdes(
        {need("its keys", "expose()", keys), need("its values", "expose()", values)});
    if (!out.missing.empty()) return out;
    out.key_of = [keys, store = out.name](std::string_view text) -> Result<std::string> {
        return streams::detail::guarded(store, [&]() -> Result<std::string> {
            LEAT_TRY(const K one, Form<K>::read(text));
            std::string bytes;
            LEAT_TRY_VOID(keys->encode(store, one, bytes));
            return bytes;
        });
    };
    out.write_key = [keys, store = out.name](std::string_view bytes,
                                             std::string& json) -> Result<void> {
        return streams::detail::guarded(store, [&]() -> Result<void> {
            LEAT_TRY(const K one, keys->decode(store, bytes));
            return Form<K>::write(one, json);
        });
    };
    out.write_value = [values, store = out.name](std::string_view bytes,
                                                 std::string& json) -> Result<void> {
        return streams::detail::guarded(store, [&]() -> Result<void> {
            LEAT_TRY(const V one, values->decode(store, bytes));
            return Form<V>::write(one, json);
        });
    };
    return out;
}

/// Threading: thread-safe. Answers on threads of its own, which take no signals.
/// Memory:    goes before its application.
class Endpoint {
  public:
    struct Options {
        std::vector<ExposedStore> stores{};
        /// HOST:PORT instead of leat.endpoint.listen; port 0: a free one.
        std::string listen{};
    };
    /// Of an application that runs or will. Errors: kInvalidSetting (no HOST:PORT; a network's
    /// address with neither key and password nor leat.endpoint.allow.network; keys or a password
    /// that cannot be), kInvalidRequest (a store without serdes, or given twice), kNotFound (the
    /// topology has no such store; no such host), kAlreadyExists (the address is in use), kIoError.
    static Result<std::unique_ptr<Endpoint>> open(const streams::Application& application,
                                                  Options options);
    Endpoint(const Endpoint&) = delete;
    Endpoint& operator=(const Endpoint&) = delete;
    /// Closes connections; waits for questions that are being passed on, for
    /// leat.endpoint.forward.timeout.ms at most.
    ~Endpoint();

    /// "127.0.0.1:7070"; empty: nothing listens.
    [[nodiscard]] std::string address() const;

  private:
    class Impl;
    explicit Endpoint(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace leat::stream_endpoint
