// SPDX-License-Identifier: Apache-2.0
//
// Programmer-error checks; on in every build type. Layer: base (L0).
#pragma once

#include <cstdio>
#include <cstdlib>

/// Aborts with file, line and the expression when `cond` is false. Never for input or I/O errors.
#define LEAT_CHECK(cond)                                                                  \
    do                                                                                    \
        if (!(cond)) [[unlikely]] {                                                       \
            std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #cond); \
            std::abort();                                                                 \
        }                                                                                 \
    while (false)
