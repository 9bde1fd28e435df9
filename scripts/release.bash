# shellcheck shell=bash
#===----------------------------------------------------------------------===#
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
#===----------------------------------------------------------------------===#
# Builds .build/release/broadcast. Sourced.

release_options=(--configuration release --product broadcast)
# A binary that needs no toolchain where it runs. macOS has Swift's library in the system.
[ "$(uname -s)" = Darwin ] || release_options+=(--static-swift-stdlib)

say "building for release (the first time takes a few minutes)"
swift build "${release_options[@]}"
