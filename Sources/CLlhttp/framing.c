//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

// How a message's body is delimited: the hand-written half of the parser.

#include "llhttp.h"

#ifdef CLLHTTP_COMPILE_SOURCES
#include "/usr/share/llhttp/http.c"
#endif
