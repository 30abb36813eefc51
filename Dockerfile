# Two stages: build with the pinned toolchain, run without a shell, as nobody, on a read-only root.
# docker build -t tminus . && docker run --read-only --cap-drop ALL -v tminus:/data -v ./tminus.toml:/etc/tminus.toml:ro tminus
FROM rust:1.95-bookworm AS build
WORKDIR /build
# OpenSSL is compiled from vendored source: perl and make come with the image.
ENV SQLX_OFFLINE=true CARGO_NET_RETRY=5
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
COPY .cargo .cargo
COPY .sqlx .sqlx
COPY config config
COPY migrations migrations
COPY sandbox sandbox
COPY src src
COPY tests/data tests/data
# The manifest names the integration test; an empty one is enough to resolve it.
RUN mkdir -p tests/it && touch tests/it/main.rs
RUN cargo build --release --locked --bin tminus && mkdir /build/data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /build/target/release/tminus /usr/local/bin/tminus
COPY --from=build --chown=nonroot:nonroot /build/data /data
VOLUME /data
WORKDIR /data
EXPOSE 8731
USER nonroot
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s CMD ["/usr/local/bin/tminus", "health"]
ENTRYPOINT ["/usr/local/bin/tminus"]
CMD ["run", "--config", "/etc/tminus.toml"]
