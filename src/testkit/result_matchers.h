// SPDX-License-Identifier: Apache-2.0
//
// Assertions on Result<T>. Layer: test-only.
#pragma once

#include <gtest/gtest.h>

#include "base/result.h"

namespace leat::testkit {

template <class T>
::testing::AssertionResult is_ok(const Result<T>& result) {
    if (result.has_value()) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure()
           << "" << info(result.error().code()).name << ": " << result.error().detail();
}

template <class T>
::testing::AssertionResult has_errc(const Result<T>& result, Errc want) {
    if (result.has_value()) return ::testing::AssertionFailure() << "unexpected success";
    if (result.error().code() == want) return ::testing::AssertionSuccess();
    return is_ok(result);
}

}  // namespace leat::testkit

#define ASSERT_OK(expr) ASSERT_TRUE(::leat::testkit::is_ok(expr))
#define EXPECT_OK(expr) EXPECT_TRUE(::leat::testkit::is_ok(expr))
#define EXPECT_ERRC(expr, code) EXPECT_TRUE(::leat::testkit::has_errc((expr), (code)))
