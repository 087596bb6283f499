# shellcheck shell=bash
# Sourced after common.sh. The newest Boost and libbpf that Debian's suites carry, unpacked into the
# cache and never installed:
#
#   $cache/apt/newest-libraries/  private apt state
#   $cache/newest/boost/          usr/ as in the package; version, which is written last
#   $cache/newest/libbpf/         usr/ as `make install` fills it; version
#
# What is cached is never refreshed by itself: remove $cache/newest/NAME.
# shellcheck disable=SC2154 # common.sh sets cache

# shellcheck source=lib/debian.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/debian.sh"

newest_suites=(trixie trixie-backports sid)

# newest_apt: prints the apt configuration, its lists read.
newest_apt() {
    local dir=$cache/apt/newest-libraries sources
    debian_apt_setup "$dir" "${newest_suites[@]}"
    sources=$(sed 's/^deb \[arch=[^ ]*/deb-src [/' "$dir/sources.list")
    printf '%s\n' "$sources" >>"$dir/sources.list"
    say "reading the package lists of ${newest_suites[*]}"
    apt-get -c "$dir/apt.conf" -q update >"$dir/log" 2>&1 ||
        { cat "$dir/log" >&2 && die "apt-get update failed"; }
    printf '%s\n' "$dir/apt.conf"
}

# newest_unpack_boost APT_CONF ROOT WORK: headers and what CMake finds them by. Boost.Test is taken
# from its headers, too: its library would want a newer libstdc++.
newest_unpack_boost() {
    local package
    package=$(apt-cache -c "$1" pkgnames libboost1. | grep -xE 'libboost1\.[0-9]+-dev' | sort -V | tail -n 1)
    [[ -n $package ]] || die "the mirror offers no Boost"
    say "downloading $package"
    (cd "$3" && apt-get -c "$1" -q download "$package" >log 2>&1) ||
        { cat "$3/log" >&2 && die "no $package"; }
    dpkg -x "$3/$package"_*.deb "$2"
    package=${package#libboost}
    printf '%s\n' "${package%-dev}"
}

# newest_unpack_libbpf APT_CONF ROOT WORK: from its source, since what is built for a newer Debian
# wants a newer glibc.
newest_unpack_libbpf() {
    local version
    need_packages dpkg-dev make libelf-dev zlib1g-dev
    say "downloading and building libbpf"
    (cd "$3" && apt-get -c "$1" -q source --only-source libbpf >log 2>&1 &&
        make -C libbpf-*/src -j2 install PREFIX=/usr LIBDIR=/usr/lib DESTDIR="$2" >>log 2>&1) ||
        { cat "$3/log" >&2 && die "libbpf could not be built"; }
    # Where it is, not where it would have been installed.
    # shellcheck disable=SC2016 # pkg-config's own
    sed -i 's,^prefix=.*,prefix=${pcfiledir}/../..,; s,=/usr/,=${prefix}/,' "$2/usr/lib/pkgconfig/libbpf.pc"
    version=$(sed -n 's/^Version: //p' "$2/usr/lib/pkgconfig/libbpf.pc")
    printf '%s\n' "$version"
}

# fetch_newest boost|libbpf: prints the directory that has usr/ and version.
fetch_newest() {
    local name=$1
    need_cache newest
    if [[ ! -e $cache/newest/$name/version ]]; then
        (
            flock 9
            [[ ! -e $cache/newest/$name/version ]] || exit 0
            need_packages debian-archive-keyring
            rm -rf -- "$cache/newest/$name" "$cache/newest/.new."* # of interrupted runs
            work=$(mktemp -d "$cache/newest/.new.XXXXXX")
            # shellcheck disable=SC2064 # expanded now
            trap "rm -rf -- '$work'" EXIT
            conf=$(newest_apt)
            version=$("newest_unpack_$name" "$conf" "$cache/newest/$name" "$work")
            printf '%s\n' "$version" >"$cache/newest/$name/version"
        ) 9>"$cache/newest/.lock" >&2
    fi
    (cd "$cache/newest/$name" && pwd -P)
}
