#pragma once
#if __has_include(<uv.h>)
#include <uv.h>
#else
#error "libuv is missing. Debian, Ubuntu: apt-get install libuv1-dev; Fedora: dnf install libuv-devel; macOS: brew install libuv"
#endif
