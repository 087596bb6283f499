# shellcheck shell=bash
# Sourced by every script: progress, errors, packages, and where things are.

set -euo pipefail
# Without this a failure inside $(...) would go unnoticed.
shopt -s inherit_errexit

top=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
cache=${CTFLOW_CACHE:-$top/.cache}
case $cache in /*) ;; *) cache=$PWD/$cache ;; esac

# say MSG: one line of progress. On stderr, as stdout belongs to results.
say() { printf '==> %s\n' "$*" >&2; }

# die MSG
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# need_cache [SUBDIRECTORY]: create the cache, which ignores itself in git. What is in it is booted,
# and unpacked as root: others must not have put it there.
need_cache() {
    local owner mode
    mkdir -p "$cache"
    # The directory, and the link to it if it is one.
    for owner in $(stat -L -c %u -- "$cache") $(stat -c %u -- "$cache"); do
        [[ $owner == "$EUID" || $owner == 0 || $owner == "$(stat -c %u -- "$top")" ]] ||
            die "$cache belongs to another user ($owner)"
    done
    mode=$(stat -L -c %a -- "$cache")
    ((!(8#$mode & 8#2))) || die "$cache is writable by everybody"
    mkdir -p "$cache/${1-}"
    [[ -e $cache/.gitignore ]] || printf '*\n' >"$cache/.gitignore"
}

# need_packages PKG...: install those of these Debian packages that are missing.
need_packages() {
    local pkg missing=() as_root=() log status=0
    for pkg; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$pkg" 2>/dev/null) == installed ]] ||
            missing+=("$pkg")
    done
    ((${#missing[@]})) || return 0

    if ((EUID != 0)); then
        command -v sudo >/dev/null ||
            die "packages missing; as root: apt-get install --no-install-recommends ${missing[*]}"
        as_root=(sudo)
    fi
    # sudo drops the environment, so env comes after it.
    as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q)
    local install=("${as_root[@]}" install -y --no-install-recommends "${missing[@]}")

    say "installing ${missing[*]}"
    log=$(mktemp)
    # Package lists may be absent, or so old that their files have left the
    # mirror: both show as a failure that an update cures.
    if ! apt-cache show "${missing[@]}" >/dev/null 2>&1 || ! "${install[@]}" >"$log" 2>&1; then
        "${as_root[@]}" update >>"$log" 2>&1 && "${install[@]}" >>"$log" 2>&1 || status=$?
    fi
    ((status == 0)) || cat "$log" >&2
    rm -f "$log"
    ((status == 0)) || die "could not install ${missing[*]}"
}
