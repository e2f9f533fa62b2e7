# One image with the project, its plugins and Meltano. Build it from a clone: docker build --tag erp-to-tableau .
# It holds no secret and no data: settings come from the environment, and what must outlive a run lies in /data.

# The versions of the base and of uv are fixed by tag; pin the digest too where your registry is to be trusted no further:
# docker buildx imagetools inspect python:3.13.9-slim-trixie
ARG PYTHON_IMAGE=python:3.13.9-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.8
WORKDIR /app
COPY . .
# the exact versions are those of constraint-dependencies in pyproject.toml
RUN uv sync --no-dev --no-editable --no-cache

FROM ${PYTHON_IMAGE}
# a user of its own; numbers, so that Kubernetes can check runAsNonRoot
RUN groupadd --gid 10001 erp \
    && useradd --uid 10001 --gid erp --home-dir /data --no-create-home erp \
    && install --directory --owner erp --group erp --mode 0700 /data
COPY --from=build /app/.venv /app/.venv
COPY --from=build /app/meltano.yml /app/
COPY --from=build /app/orchestrate /app/orchestrate
ENV PATH=/app/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/data \
    MELTANO_CLI_DISABLE_VERSION_CHECK=1 \
    MELTANO_CLI_LOG_FORMAT=json \
    MELTANO_ENVIRONMENT=prod \
    MELTANO_SYS_DIR_ROOT=/data/meltano \
    MELTANO_DATABASE_URI=sqlite:////data/meltano.db \
    TARGET_TABLEAU_OUTPUT_DIR=/data/output
WORKDIR /app
USER 10001:10001
VOLUME ["/data"]
ENTRYPOINT []
CMD ["python", "-m", "orchestrate.schedules", "list"]
