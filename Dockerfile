# Viesti's image, in two stages. Debian 13 has the libraries that bring TLS to Redis (hiredis 1.2).
# Runs as a user of its own on a read-only root; /var/lib/viesti is the only place it writes.
FROM docker.io/library/debian:trixie-slim AS build
WORKDIR /src
COPY tests/deps.sh tests/deps.sh
RUN sh tests/deps.sh build && rm -rf /var/lib/apt/lists/*
COPY . .
RUN make -j"$(nproc)" all && strip build/gcc/viesti build/gcc/viesti-sandbox

FROM docker.io/library/debian:trixie-slim
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
		ca-certificates libcjson1 libcurl4t64 libhiredis1.1.0 libmicrohttpd12t64 libssl3t64 libxml2 libzip5 redis-server tzdata \
	&& rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/* \
	&& useradd --uid 10001 --no-create-home --home-dir /var/lib/viesti --shell /usr/sbin/nologin viesti \
	&& install -d -o viesti -g viesti -m 0700 /var/lib/viesti
COPY --from=build /src/build/gcc/viesti /src/build/gcc/viesti-sandbox /usr/local/bin/
# The list that is built in, to copy, add to and name by VIESTI_NETVISOR_OPERATORS.
COPY deploy/netvisor-operators.tsv /usr/local/share/viesti/netvisor-operators.tsv
USER 10001:10001
ENV VIESTI_LISTEN=0.0.0.0
EXPOSE 8080
VOLUME /var/lib/viesti
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["viesti", "healthcheck"]
ENTRYPOINT ["viesti"]
CMD ["serve"]
