# One image for scheduler, workers and clients: `docker build --platform linux/arm64 .` (BuildKit). `make image` does it.
# Base images come from public.ecr.aws, which does not limit pulls as Docker Hub does.

FROM public.ecr.aws/docker/library/python:3.13-slim AS base
# Compiled loops are kept for one processor model: the same when the image is built and wherever it runs.
ENV NUMBA_CPU_FEATURES="" PYTHONUNBUFFERED=1 PATH=/opt/packages/bin:$PATH

FROM base AS on-amd64
ENV NUMBA_CPU_NAME=haswell

FROM base AS on-arm64
ENV NUMBA_CPU_NAME=neoverse-n1

FROM on-${TARGETARCH} AS packages
WORKDIR /source
COPY requirements-uv.txt requirements-image.txt ./
RUN pip install --no-cache-dir --require-hashes -r requirements-uv.txt \
 && python -m venv --without-pip /opt/packages \
 && uv pip install --no-cache --compile-bytecode --python /opt/packages/bin/python --require-hashes \
      -r requirements-image.txt
COPY . .
RUN uv build --quiet --no-cache --wheel --require-hashes --build-constraint requirements.txt --out-dir /wheel \
 && uv pip install --no-cache --compile-bytecode --python /opt/packages/bin/python --no-deps /wheel/*.whl

FROM on-${TARGETARCH}
RUN useradd --create-home --uid 1000 dispatch
COPY --from=packages /opt/packages /opt/packages
USER dispatch
WORKDIR /home/dispatch
# The user's own: Numba passes over a cache that it may not write to.
ENV NUMBA_CACHE_DIR=/home/dispatch/numba
RUN python -m jobs.runtime.warm
ENTRYPOINT ["python", "-m", "jobs.runtime.container"]
