# shellcheck shell=bash
# Sourced after common.sh. Stock Debian kernels for throw-away VMs, never
# installed: image and a subset of modules are unpacked into the cache.
#
#   $cache/apt/NAME/           private apt state of one kernel's suites
#   $cache/kernels/NAME        -> the release that was the newest when fetched
#   $cache/kernels/RELEASE/    bzImage, modules.cpio, release
#
# A cached kernel is never refreshed by itself: remove $cache/kernels/NAME.
# shellcheck disable=SC2154 # common.sh sets cache

# shellcheck source=lib/debian.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/debian.sh"

kernel_names=(5.10 6.1 6.12 6.18 newest)

# What tests of connection tracking may want, by module name (an extended
# regular expression each). Dependencies are added.
kernel_modules=(
    'nf_.*' 'nft_.*' 'nfnetlink.*'
    'x_tables' 'ip6?_tables' 'ip6?table_.*'
    'xt_(conntrack|CT|nat|MASQUERADE|REDIRECT|mark|connmark|tcpudp|comment)'
    'act_(ct|ctinfo|bpf|gact|mirred)' 'cls_(bpf|matchall|flower|u32)'
    'sch_(ingress|netem|fq_codel)'
    'veth' 'bridge' 'br_netfilter' 'dummy' 'ifb' 'tun' '8021q'
    'sctp' 'gre' 'ip_gre'
    # Asked for by name at run time (checksums and cookies of SCTP), which
    # modules.dep does not know.
    'crc32c.*' 'hmac' 'sha1_generic' 'sha256_generic'
)

# kernel_pick NAME APT_DIR: the name of the image package to take.
kernel_pick() {
    local name=$1 dir=$2 all found
    all=$(apt-cache -c "$dir/apt.conf" pkgnames linux-image- |
        grep -xE 'linux-image-[0-9]+\.[0-9]+\.[0-9].*-cloud-amd64' | sort -V || true)
    case $name in
        newest) found=$(tail -n 1 <<<"$all") ;;
        *) found=$(grep -F "linux-image-$name." <<<"$all" | tail -n 1 || true) ;;
    esac
    # Backports move on: the first release after the wanted one comes nearest.
    if [[ -z $found && $name == 6.18 && -n $all ]]; then
        found=$(printf 'linux-image-%s\n%s\n' "$name" "$all" | sort -V |
            grep -A 1 -xF "linux-image-$name" | tail -n 1)
        [[ $found != "linux-image-$name" ]] || found=$(tail -n 1 <<<"$all")
        say "kernel $name is no longer offered, taking ${found#linux-image-}"
    fi
    [[ -n $found ]] || die "the mirror offers no cloud kernel for $name"
    printf '%s\n' "$found"
}

# kernel_pack ROOT RELEASE OUT: the module subset below ROOT as a cpio archive.
kernel_pack() {
    local root=$1 release=$2 out=$3 full subset pattern path
    full=$root/lib/modules/$release
    [[ -d $full ]] || full=$root/usr/lib/modules/$release
    [[ -d $full ]] || die "no modules for $release in its packages"
    # depmod and modprobe insist on lib/modules: give them both layouts.
    mkdir -p "$root/lib"
    [[ -d $root/lib/modules ]] || ln -s ../usr/lib/modules "$root/lib/modules"
    # Without its package's own lists (see kernel_build), empty ones do.
    touch "$full"/modules.{order,builtin,builtin.modinfo}
    depmod -b "$root" "$release"

    subset=$root/subset/usr/lib/modules/$release
    mkdir -p "$subset"
    ln -s usr/lib "$root/subset/lib"
    pattern=$(IFS='|' && printf '%s' "${kernel_modules[*]}")
    # A line of modules.dep has all dependencies, not only the direct ones.
    awk -F ': *' -v re="/($pattern)[.]ko([.]xz)?\$" \
        '$1 ~ re { print $1; n = split($2, dep, " "); for (i = 1; i <= n; i++) print dep[i] }' \
        "$full/modules.dep" | sort -u >"$root/wanted"
    grep -q /nf_conntrack.ko "$root/wanted" || die "no nf_conntrack among the modules of $release"
    while read -r path; do
        install -D -m 644 "$full/$path" "$subset/$path"
    done <"$root/wanted"
    # Unpacked here, as not every guest can do it; not stripped, as that would
    # take off the signatures which a locked-down kernel asks for.
    find "$subset" -name '*.ko.xz' -exec xz -d {} +
    cp "$full"/modules.{order,builtin,builtin.modinfo} "$subset/"
    depmod -b "$root/subset" "$release"
    rm "$root/subset/lib"
    (cd "$root/subset" && find . -mindepth 1 | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0) >"$out"
}

# kernel_build NAME: fetch and unpack; the caller holds the lock.
kernel_build() {
    local name=$1 suites apt package packages optional depends release image work log
    case $name in
        5.10) suites=(bullseye-security bullseye) ;;
        6.1) suites=(bookworm-security bookworm) ;;
        6.12) suites=(bookworm-security) ;;
        6.18) suites=(trixie-backports) ;;
        newest) suites=(bookworm trixie-backports sid) ;;
    esac
    need_packages cpio kmod xz-utils debian-archive-keyring

    apt=$cache/apt/$name
    log=$apt/log
    debian_apt_setup "$apt" "${suites[@]}"
    say "kernel $name: reading the package lists of ${suites[*]}"
    apt-get -c "$apt/apt.conf" -q update >"$log" 2>&1 || { cat "$log" >&2; die "apt-get update failed"; }
    package=$(kernel_pick "$name" "$apt")
    release=${package#linux-image-}

    if [[ ! -d $cache/kernels/$release ]]; then
        # Newer images are stubs that depend on packages with the files.
        depends=$(apt-cache -c "$apt/apt.conf" show --no-all-versions "$package" |
            sed -n 's/^Depends: //p' | sed 's/[,|] */\n/g' | sed 's/ .*//')
        packages=("$package")
        mapfile -t -O 1 packages < <(grep -xE 'linux-(binary|modules)-.*' <<<"$depends" || true)
        mapfile -t optional < <(grep -xF "linux-base-$release" <<<"$depends" || true)
        say "kernel $name: downloading ${packages[*]}"
        # In a place that stays, so that apt can continue a partial download.
        (cd "$apt/archives" && apt-get -c "$apt/apt.conf" -q download "${packages[@]}" >"$log" 2>&1) ||
            { cat "$log" >&2; die "downloading $release failed"; }
        # modprobe's lists of what is built in: the guest does well without, and the package that
        # has them has been seen to leave the archive before the image did.
        if ((${#optional[@]})); then
            if (cd "$apt/archives" && apt-get -c "$apt/apt.conf" -q download "${optional[@]}" >"$log" 2>&1); then
                packages+=("${optional[@]}")
            else
                say "kernel $name: ${optional[*]} cannot be had, going on without"
            fi
        fi

        say "kernel $name: unpacking $release"
        rm -rf -- "$cache/kernels/.new."* # of interrupted runs: we hold the lock
        work=$(mktemp -d "$cache/kernels/.new.XXXXXX")
        # shellcheck disable=SC2064 # expanded now: it is gone by then
        trap "rm -rf -- '$work'" EXIT
        mkdir "$work/root" "$work/done"
        for package in "${packages[@]}"; do
            # The newest, should an interrupted run have left an older one.
            dpkg -x "$(find "$apt/archives" -name "${package}_*.deb" -printf '%T@ %p\n' |
                sort -n | tail -n 1 | cut -d ' ' -f 2-)" "$work/root"
        done
        for image in "$work/root"{/boot/vmlinuz-"$release",/usr/lib/modules/"$release"/vmlinuz}; do
            [[ ! -f $image ]] || break
        done
        [[ -f $image ]] || image=$(find "$work/root" -type f -name 'vmlinuz*' | head -n 1)
        [[ -f $image ]] || die "no kernel image in ${packages[*]}"
        cp "$image" "$work/done/bzImage"
        kernel_pack "$work/root" "$release" "$work/done/modules.cpio"
        printf '%s\n' "$release" >"$work/done/release"
        chmod 755 "$work/done"
        mv -T "$work/done" "$cache/kernels/$release"
        rm -f "$apt/archives/"*.deb
    fi
    ln -sfnT "$release" "$cache/kernels/.$name"
    mv -T "$cache/kernels/.$name" "$cache/kernels/$name"
}

# fetch_kernel NAME: print the directory with bzImage, modules.cpio, release.
fetch_kernel() {
    local name=$1
    [[ " ${kernel_names[*]} " == *" $name "* ]] ||
        die "no kernel $name: there are ${kernel_names[*]}"
    # The usual case needs neither lock nor network.
    if [[ ! -e $cache/kernels/$name/release ]]; then
        need_cache kernels
        (
            flock 9
            [[ -e $cache/kernels/$name/release ]] || kernel_build "$name" >&2
        ) 9>"$cache/kernels/.lock"
    fi
    (cd "$cache/kernels/$name" && pwd -P)
}
