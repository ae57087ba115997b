#!/bin/sh
# Start one of Dagster's processes: its configuration is put in place, and its store made, before anything meets it.
set -eu
umask 027
mkdir -p "$DAGSTER_HOME"
cp /opt/opsmetrics/dagster_home/dagster.yaml "$DAGSTER_HOME/dagster.yaml"
# Only one process may make the store.
flock "$DAGSTER_HOME/.first" dagster instance info >/dev/null
cd /opt/opsmetrics
exec "$@"
