# What Home Assistant runs: its base, Debian's Python, the packages of requirements.lock, and the server.
# The base is named outright: a Supervisor that finds no list of bases gives none, and an older one would give Alpine's.
FROM ghcr.io/home-assistant/base-debian:trixie-2026.08.0@sha256:01e153da2c2579f2cf5010901da7bc31b1dd035921ea46ccaff22e521efa74a7 AS runtime

# hadolint ignore=DL3008 # Debian keeps only its newest version of a package, so that a pinned one could not be built for long
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 \
    && apt-get clean \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log


FROM runtime AS environment

# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends binutils python3-venv

WORKDIR /opt/alexa-oauth
COPY requirements.lock ./
# From one index, whatever the base says of others, and only what the lock file has the hash of. Debug symbols are left out: they
# are an eighth of the image.
RUN python3 -m venv .venv \
    && .venv/bin/pip --isolated install --quiet --no-cache-dir --disable-pip-version-check --index-url https://pypi.org/simple \
        --only-binary :all: --require-hashes --requirement requirements.lock \
    && .venv/bin/pip --isolated uninstall --quiet --yes pip \
    && find .venv -name '*.so' -exec strip --strip-unneeded {} + \
    && rm requirements.lock

COPY src src
RUN python3 -m compileall -q src
COPY LICENSE run.sh ./


FROM runtime

RUN useradd --system --uid 896 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin alexa \
    && ln -s /opt/alexa-oauth/run.sh /run.sh \
    && ln -s /opt/alexa-oauth/run.sh /usr/local/bin/alexa-oauth
COPY --from=environment /opt/alexa-oauth /opt/alexa-oauth
COPY addon/rootfs /

# When the server has ended nothing is left that needs longer.
ENV ALEXA_OAUTH_HOST=0.0.0.0 \
    ALEXA_OAUTH_ADMIN_HOST=0.0.0.0 \
    ALEXA_OAUTH_DATA_DIR=/data \
    S6_KILL_GRACETIME=200 \
    S6_VERBOSITY=1
EXPOSE 8096

# Any answer will do: what /health calls a fault, such as a full disk, a restart does not mend.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["alexa-oauth", "health", "--live"]

ARG BUILD_VERSION
ARG BUILD_ARCH
LABEL org.opencontainers.image.title="Alexa Link for Music Assistant" \
    org.opencontainers.image.description="Links your Alexa skill to your Music Assistant, once somebody at home has approved it" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${BUILD_VERSION}" \
    io.hass.type="app" \
    io.hass.name="Alexa Link for Music Assistant" \
    io.hass.description="Links your Alexa skill to your Music Assistant, once somebody at home has approved it" \
    io.hass.version="${BUILD_VERSION}" \
    io.hass.arch="${BUILD_ARCH}"
