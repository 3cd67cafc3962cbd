# syntax=docker/dockerfile:1
# One static binary on distroless/static, as a user who is not root:
#   docker buildx build --platform linux/amd64,linux/arm64 --tag gatecert .
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    make static STATIC=/gatecert GOOS="$TARGETOS" GOARCH="$TARGETARCH"

FROM gcr.io/distroless/static-debian12:nonroot
LABEL org.opencontainers.image.source="https://github.com/gatecert/gatecert" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /gatecert /usr/local/bin/gatecert
# Profiles are read from here, and reports/ is written here: mount a folder that the user may write to.
WORKDIR /work
USER 65532:65532
# The mock upstream, where a profile says `upstream: {listen: 0.0.0.0:9901}`.
EXPOSE 9901
ENTRYPOINT ["/usr/local/bin/gatecert"]
