#!/bin/sh
# Run a command that opens windows: on Linux on a screen that nobody sees, elsewhere as it is.
set -eu
if [ "$(uname -s)" = Linux ]; then
    QT_QPA_PLATFORM=xcb exec xvfb-run -a -s "-screen 0 1400x900x24" "$@"
fi
exec "$@"
