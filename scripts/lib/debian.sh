# shellcheck shell=bash
# Sourced after common.sh. Packages of Debian's suites that this system is not of, never installed.
#
# CTFLOW_MIRROR, a base URI, overrides the mirror that the system's apt uses.

# Print the base URIs of the Debian archive and of its security archive, as
# the system's own apt has them. apt itself parses its configuration here, so
# every form of it is understood; --print-uris touches no network.
debian_mirrors() {
    local uris base='' security='' suffix
    uris=$(apt-get update --print-uris 2>/dev/null | sed -n "s,^'\(.*\)/dists/\(.*\)/InRelease'.*,\2 \1,p")
    # Other archives name their suites after Debian's too, but have no
    # "-updates": look for that first.
    for suffix in -updates ''; do
        [[ -n $base ]] || base=$(awk -v re="^(bullseye|bookworm|trixie|forky|(old)*stable)$suffix\$" \
            '$1 ~ re { print $2; exit }' <<<"$uris")
    done
    [[ -n $base || -n ${CTFLOW_MIRROR-} ]] ||
        die "no Debian archive in apt's configuration; name one in CTFLOW_MIRROR"
    # A mirror named by the caller is for both: the system's security archive
    # might be out of reach when its main one is.
    if [[ -n ${CTFLOW_MIRROR-} ]]; then
        base=${CTFLOW_MIRROR%/}
    else
        security=$(awk '$1 ~ /-security$/ || $1 ~ /\/updates$/ { print $2; exit }' <<<"$uris")
    fi
    # Mirrors that carry it have it next to the main archive.
    printf '%s\n%s\n' "$base" "${security:-${base%/*}/debian-security}"
}

# debian_apt_setup DIR SUITE...: an apt configuration of its own, DIR/apt.conf.
debian_apt_setup() {
    local dir=$1 suite keyring mirrors uri
    shift
    for keyring in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
        [[ ! -e $keyring ]] || break
    done
    mapfile -t mirrors < <(debian_mirrors)
    ((${#mirrors[@]} == 2)) || exit 1 # it has said why

    mkdir -p "$dir/lists/partial" "$dir/archives/partial"
    : >"$dir/status" # what is installed here must not matter
    for suite; do
        uri=${mirrors[0]}
        [[ $suite != *-security ]] || uri=${mirrors[1]}
        printf 'deb [arch=amd64 signed-by=%s] %s %s main\n' "$keyring" "$uri" "$suite"
    done >"$dir/sources.list"
    # Read after the system's own configuration, whose proxies remain in force.
    # The sandbox user could not write below a private home directory.
    cat >"$dir/apt.conf" <<EOF
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb;
Acquire::IndexTargets::deb::Packages { MetaKey "\$(COMPONENT)/binary-\$(ARCHITECTURE)/Packages"; flatMetaKey "Packages"; ShortDescription "Packages"; Description "\$(RELEASE)/\$(COMPONENT) \$(ARCHITECTURE) Packages"; Optional "0"; };
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Default-Release "";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Dir::Etc::SourceList "$dir/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$dir";
Dir::State::Lists "$dir/lists";
Dir::State::Status "$dir/status";
Dir::Cache "$dir";
EOF
}
