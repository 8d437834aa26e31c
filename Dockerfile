# The binary is static and carries its root certificates and time zones, so the
# image holds nothing else. `make image` builds both.
FROM scratch
ARG TARGETARCH=amd64
COPY dist/linux-${TARGETARCH}/status_exporter /status_exporter
USER 65534:65534
EXPOSE 9877
ENTRYPOINT ["/status_exporter"]
