// SPDX-License-Identifier: Apache-2.0
#include "broker/url_host.h"

#include <curl/curl.h>

#include <memory>

namespace leat::broker {
namespace {

struct UrlDeleter {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};

}  // namespace

std::string url_host(const std::string& url) {
    const std::unique_ptr<CURLU, UrlDeleter> parsed{curl_url()};
    if (parsed == nullptr) return {};
    if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
    char* part = nullptr;
    if (curl_url_get(parsed.get(), CURLUPART_HOST, &part, 0) != CURLUE_OK) return {};
    std::string host{part};
    curl_free(part);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return host;
}

}  // namespace leat::broker
