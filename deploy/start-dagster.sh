#!/bin/sh
# Start one of Dagster's processes with the settings that came with the image.
set -eu
umask 027
mkdir -p "$DAGSTER_HOME"
# Whole or not at all: the other process may read them at the same moment.
new=$(mktemp "$DAGSTER_HOME/.dagster.yaml.XXXXXX")
cp /opt/opsmetrics/dagster_home/dagster.yaml "$new"
mv -f "$new" "$DAGSTER_HOME/dagster.yaml"
cd /opt/opsmetrics
exec "$@"
