#!/bin/sh
# Builds the container image with whichever engine works here: tests/image.sh NAME:TAG. VIESTI_IMAGE_TOOLS may name a folder
# with build-image and run-image for machines without one (tests/system/test_image.py runs what they build).
set -eu
tag=$1
export BUILDAH_FORMAT=docker # the OCI format has no HEALTHCHECK
if [ -n "${VIESTI_IMAGE_TOOLS:-}" ]; then
	exec "$VIESTI_IMAGE_TOOLS/build-image" . "$tag"
fi
for engine in docker podman buildah; do
	if $engine info >/dev/null 2>&1; then # there, and its daemon answers
		exec $engine build -t "$tag" .
	fi
done
echo "no container engine; run: sudo apt-get install -y podman" >&2
exit 1
