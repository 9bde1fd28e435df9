//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

// The functions that a program calls.

#include "llhttp.h"

#ifdef CLLHTTP_COMPILE_SOURCES
#include "/usr/share/llhttp/api.c"
#endif
