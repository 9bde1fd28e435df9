//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#pragma once

#if __has_include(<librdkafka/rdkafka.h>)
#include <librdkafka/rdkafka.h>
#else
#error "librdkafka is missing. Debian, Ubuntu: apt-get install librdkafka-dev. Fedora: dnf install librdkafka-devel. macOS: brew install librdkafka."
#endif
