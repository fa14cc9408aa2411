// SPDX-License-Identifier: Apache-2.0
//
// A key and its certificate, which signs itself and is for localhost and 127.0.0.1 until 2126. They
// guard nothing. For tests only. Layer: stream_endpoint (L7).
// Threading: constants.
#pragma once

namespace leat::stream_endpoint {

inline constexpr const char* kTestKey = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgrtRT6zwwjyAcvekf
JtcH+nwjDW3KU6Iz6lY8SpTodCChRANCAAR3pA4Uhnzs8GFK/D5GizRFb6FINPBc
qq7WnvfMjacHtb7OJhQCfYJj7auZ+cqX7RYBAdTSOOiT2DVF9cHdNmzz
-----END PRIVATE KEY-----
)";
inline constexpr const char* kTestCertificate = R"(-----BEGIN CERTIFICATE-----
MIIBcDCCARWgAwIBAgIBATAKBggqhkjOPQQDAjAYMRYwFAYDVQQDDA1lbmRwb2lu
dCB0ZXN0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjYwMTAxMDAwMDAwWjAYMRYwFAYD
VQQDDA1lbmRwb2ludCB0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEd6QO
FIZ87PBhSvw+Ros0RW+hSDTwXKqu1p73zI2nB7W+ziYUAn2CY+2rmfnKl+0WAQHU
0jjok9g1RfXB3TZs86NOMEwwGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMA8G
A1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFNl9o45XQ5vBgt7kehUS8NPjBquqMAoG
CCqGSM49BAMCA0kAMEYCIQDZ1973ekEU7lZRd79Rh+X/T0ulIfFlVWie8RhVFrHX
pQIhANJPAtwPwMFczd9jhNHj5xC7rPJWeHCdxojQhBi1Lgeh
-----END CERTIFICATE-----
)";

}  // namespace leat::stream_endpoint
