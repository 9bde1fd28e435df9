# shellcheck shell=bash
#===----------------------------------------------------------------------===#
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
#===----------------------------------------------------------------------===#
# What all scripts share. Sourced by each of them: leaves the shell in the project's folder.

set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Relative paths in the output, wherever the script was called from.
export PATH="$PATH:/usr/sbin:/sbin"

say() { printf '==> %s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# limited SECONDS COMMAND… : ends a command that hangs, first asking, then not.
limited() {
  local seconds=$1
  shift
  if command -v timeout >/dev/null; then
    timeout --kill-after=15 "$seconds" "$@"
  elif command -v gtimeout >/dev/null; then
    gtimeout --kill-after=15 "$seconds" "$@"
  else
    "$@"
  fi
}

# Ends the script unless there is a Swift toolchain that can build this.
require_swift() {
  local version
  command -v swift >/dev/null ||
    die "no Swift toolchain in PATH. Version 6.2 or later is needed: https://www.swift.org/install"
  version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -n 1) || true
  [ -n "$version" ] || die "'swift --version' fails: $(swift --version 2>&1 | head -n 3)"
  if [ "${version%%.*}" -lt 6 ] || { [ "${version%%.*}" -eq 6 ] && [ "${version#*.}" -lt 2 ]; }; then
    die "Swift $version is too old: version 6.2 or later is needed: https://www.swift.org/install"
  fi
}
