# The server in an image: docker build --tag swift-broadcast .
# Written without a Docker engine at hand: this file is untried.

# One release of Debian for both stages, so that the C libraries are the ones that the binary was linked with.
FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libhiredis-dev libpq-dev librdkafka-dev libssl-dev libuv1-dev node-llhttp \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN swift build --configuration release --product broadcast --static-swift-stdlib \
    && strip .build/release/broadcast

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        ca-certificates libhiredis0.14 libpq5 librdkafka1 libssl3 libuv1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --no-create-home --shell /usr/sbin/nologin broadcast
COPY --from=build /source/.build/release/broadcast /usr/local/bin/broadcast
USER broadcast
EXPOSE 8080
STOPSIGNAL SIGTERM
# No curl in the image: bash speaks enough HTTP to ask one question.
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["broadcast"]
# The broker is named by BROADCAST_URL (`--env BROADCAST_URL=redis://…`); without it the server is on memory, alone.
# Inside a container loopback reaches nobody, so it listens on all addresses. `--insecure` says that this is meant: there is
# no authentication, and who reaches the port may publish and listen. Bind the published port to loopback (`--publish
# 127.0.0.1:8080:8080`), or put a proxy with authentication in front.
CMD ["serve", "--host", "0.0.0.0", "--port", "8080", "--insecure"]
