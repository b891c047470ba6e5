# Shared by the scripts: messages, and packages of the distribution. Source it; it runs nothing by itself.

# A CI runner may set none.
export HOME="${HOME:-$(getent passwd "$(id -u)" | cut -d : -f 6)}"

# Where downloaded servers live, outside the checkout and shared by all checkouts of one user.
godwit_cache="${GODWIT_CACHE:-$HOME/.cache/godwit}"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

fail() {
    say "error: $*"
    exit 1
}

# as_root COMMAND...: with sudo where this user is not root.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "needs root for: $*. Run it as root, or install sudo."
    fi
}

installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# ensure_packages NAME...: installs what is missing, touches nothing when all are there.
ensure_packages() {
    local missing=() name
    for name in "$@"; do installed "$name" || missing+=("$name"); done
    [ ${#missing[@]} -eq 0 ] && return 0
    command -v apt-get >/dev/null || fail "needs ${missing[*]} (Debian's names); no apt-get here, install them by hand."
    say "installing ${missing[*]}"
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends
        install "${missing[@]}")
    # A fresh machine has no package lists, an old one has stale ones: update only when the first try fails.
    if ! as_root "${install[@]}" </dev/null >&2; then
        say "updating the package lists and trying again"
        as_root apt-get -q -o DPkg::Lock::Timeout=300 update </dev/null >&2
        as_root "${install[@]}" </dev/null >&2 || fail "apt-get could not install ${missing[*]}; its reason is above."
    fi
}
