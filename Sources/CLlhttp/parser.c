//===----------------------------------------------------------------------===//
// Part of the swift-broadcast project. Licensed under Apache License v2.0.
// See LICENSE for details.
//===----------------------------------------------------------------------===//

// The generated parser. It, framing.c and interface.c are a file each because the three sources declare the same
// functions with different types, and can't share a translation unit.

#include "llhttp.h"

#ifdef CLLHTTP_COMPILE_SOURCES
#include "/usr/share/llhttp/llhttp.c"
#elif defined(__ELF__)
// A C target of SwiftPM can't ask for a library only where there is one. Swift's linker driver takes its libraries from
// this section of the object files, so the wish is put there by hand.
__attribute__((used, section(".swift1_autolink_entries")))
static const char link_llhttp[] = "-lllhttp";
#elif defined(__APPLE__)
__asm__(".linker_option \"-lllhttp\"");
#endif
