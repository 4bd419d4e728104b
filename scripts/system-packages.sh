#!/bin/sh
# See to it that a window can be opened without a screen: installs what is missing as root, else says what to install.
set -eu
PATH="$PATH:/usr/sbin:/sbin"

[ "$(uname -s)" = Linux ] || exit 0

missing=""
have_library() { ldconfig -p | grep -q "$1"; }
need() { missing="$missing $1"; }

while read -r library package; do
    have_library "$library" || need "$package"
done <<'LIST'
libEGL.so.1 libegl1
libGL.so.1 libgl1
libglib-2.0.so.0 libglib2.0-0
libfontconfig.so.1 libfontconfig1
libdbus-1.so.3 libdbus-1-3
libxkbcommon.so.0 libxkbcommon0
libxkbcommon-x11.so.0 libxkbcommon-x11-0
libxcb-cursor.so.0 libxcb-cursor0
libxcb-icccm.so.4 libxcb-icccm4
libxcb-keysyms.so.1 libxcb-keysyms1
libxcb-shape.so.0 libxcb-shape0
libxcb-xkb.so.1 libxcb-xkb1
LIST
command -v xvfb-run >/dev/null || need xvfb
command -v xauth >/dev/null || need xauth

[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "Installing system packages:$missing"
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
    exit 0
fi

echo "These system packages are missing (names as in Debian and Ubuntu):$missing" >&2
if command -v apt-get >/dev/null; then
    echo "Install them, then try again:  sudo apt-get install$missing" >&2
fi
exit 1
