#!/bin/sh
# Builds the container image with whichever engine is here: tests/image.sh NAME:TAG.
set -eu
tag=$1
export BUILDAH_FORMAT=docker # the OCI format has no HEALTHCHECK
for engine in docker podman buildah; do
	if command -v $engine >/dev/null 2>&1; then
		exec $engine build -t "$tag" .
	fi
done
echo "no container engine; run: sudo apt-get install -y podman" >&2
exit 1
