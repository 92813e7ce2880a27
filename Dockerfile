# docker build -t cwsync .
# docker run --rm -it -v "$PWD:/work" -u "$(id -u):$(id -g)" -e ANAPLAN_PASSWORD cwsync plan -e prod
FROM python:3.13-slim-trixie AS build

RUN pip install --no-cache-dir uv==0.13.9

WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY cwsync cwsync

# uv compares the hashes of the constraints, and installs of them only what users need.
RUN uv venv --no-cache /opt/cwsync \
    && uv pip install --no-cache --compile-bytecode --python /opt/cwsync/bin/python \
        --constraints requirements.lock --build-constraints requirements.lock '.[emulator,remote,postgres,telemetry]'

FROM python:3.13-slim-trixie

RUN useradd --uid 1000 --create-home cwsync
COPY --from=build /opt/cwsync /opt/cwsync
ENV PATH=/opt/cwsync/bin:$PATH

USER 1000
WORKDIR /work
ENTRYPOINT ["cwsync"]
CMD ["--help"]
HEALTHCHECK NONE
