#pragma once
#if __has_include(<uv.h>)
#include <uv.h>
#else
#error "libuv is missing. Debian, Ubuntu: apt-get install libuv1-dev; Fedora: dnf install libuv-devel; macOS: brew install libuv"
#endif

#if defined(__linux__)
// accept4(2) needs _GNU_SOURCE, without which Swift reads the C headers.
extern int cuv_accept4(int descriptor, struct sockaddr *address, socklen_t *size, int flags) __asm__("accept4");
#endif
