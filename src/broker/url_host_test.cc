// SPDX-License-Identifier: Apache-2.0
#include "broker/url_host.h"

#include <gtest/gtest.h>

namespace leat::broker {
namespace {

TEST(UrlHost, IsWhereTheConnectionGoes) {
    EXPECT_EQ(url_host("http://127.0.0.1:80/keys?a=b#c"), "127.0.0.1");
    EXPECT_EQ(url_host("https://keys.example.org"), "keys.example.org");
    EXPECT_EQ(url_host("http://[::1]:8080/keys"), "::1");
    EXPECT_EQ(url_host("http://keys.example.org?@127.0.0.1/"), "keys.example.org");
    EXPECT_EQ(url_host("http:///keys.example.org"), "keys.example.org");
}

TEST(UrlHost, WhatStandsBeforeAnAtSignIsAUser) {
    EXPECT_EQ(url_host("http://127.0.0.1@keys.example.org/"), "keys.example.org");
    EXPECT_EQ(url_host("http://127.0.0.1:x@keys.example.org:80/"), "keys.example.org");
    EXPECT_EQ(url_host("http://localhost:80@10.0.0.1"), "10.0.0.1");
    EXPECT_EQ(url_host("http://user:word@127.0.0.1/keys"), "127.0.0.1");
}

TEST(UrlHost, OfNoUrlIsEmpty) {
    for (const char* text : {"", "http://", "http://[::1/keys", "http://a b/"})
        EXPECT_EQ(url_host(text), "") << text;
}

}  // namespace
}  // namespace leat::broker
