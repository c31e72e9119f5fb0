#!/bin/sh
# Builds the container image with whichever engine is here: tests/image.sh NAME:TAG.
set -eu
tag=$1
for engine in docker podman buildah; do
	if command -v $engine >/dev/null 2>&1; then
		if [ $engine = buildah ]; then
			exec buildah bud -t "$tag" .
		fi
		exec $engine build -t "$tag" .
	fi
done
echo "no container engine; run: sudo apt-get install -y podman" >&2
exit 1
