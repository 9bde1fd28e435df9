//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

#pragma once

#if __has_include(<hiredis/hiredis.h>)
#include <hiredis/hiredis.h>
#include <hiredis/read.h>
#else
#error "hiredis is missing. Debian, Ubuntu: apt-get install libhiredis-dev. Fedora: dnf install hiredis-devel. macOS: brew install hiredis."
#endif
