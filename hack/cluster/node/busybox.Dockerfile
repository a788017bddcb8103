# One static program that is a shell: enough to make and remove a folder.
ARG BASE_IMAGE=debian:bookworm
FROM ${BASE_IMAGE} AS packages
RUN apt-get update && apt-get install -y --no-install-recommends busybox-static

FROM scratch
COPY --from=packages /bin/busybox /bin/busybox
COPY --from=packages /bin/busybox /bin/sh
