#!/bin/sh
# Whether a process of the image answers: `healthy app`, `healthy page`, `healthy daemon`; for the image and compose.
set -eu
case "$1" in
    app) address=http://127.0.0.1:8501/_stcore/health ;;
    page) address=http://127.0.0.1:3000/dagster/server_info ;;
    daemon) exec dagster-daemon liveness-check ;;
    *) echo "usage: healthy app|page|daemon" >&2; exit 2 ;;
esac
# Past any proxy that the environment names: what it asks is this machine.
exec python -c 'import sys, urllib.request as ask; ask.build_opener(ask.ProxyHandler({})).open(sys.argv[1], timeout=5).close()' "$address"
