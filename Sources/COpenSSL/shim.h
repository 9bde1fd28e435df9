//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#pragma once

#if __has_include(<openssl/evp.h>)
#include <openssl/evp.h>
#include <openssl/sha.h>
#else
#error "OpenSSL is missing. Debian, Ubuntu: apt-get install libssl-dev. Fedora: dnf install openssl-devel. macOS: brew install openssl."
#endif
