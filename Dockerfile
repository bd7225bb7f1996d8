# syntax=docker/dockerfile:1
# One image, three roles: `callout serve`, `callout worker`, `callout simulate`.

# --- Python packages of the lock, without and with what only the build needs (node among them)
FROM python:3.13-slim-bookworm AS python
ENV UV_PROJECT_ENVIRONMENT=/app/.venv UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_PROGRESS=1
RUN pip install --no-cache-dir uv
WORKDIR /app
COPY pyproject.toml uv.lock README.md ./
RUN --mount=type=cache,target=/root/.cache/uv uv sync --frozen --no-dev --no-install-project

# --- the web, with the node that the lock names
FROM python AS web
RUN --mount=type=cache,target=/root/.cache/uv uv sync --frozen --no-install-project
ENV PATH=/app/.venv/bin:$PATH
COPY web/ web/
COPY docs/openapi/ docs/openapi/
RUN --mount=type=cache,target=/root/.npm npm --prefix web ci --no-audit --no-fund && npm --prefix web run build

# --- the program; pip is what fetches the demo's map
FROM python AS program
COPY callout/ callout/
COPY edge/ edge/
COPY mobile_api/ mobile_api/
COPY web_api/ web_api/
COPY server/ server/
COPY simulator/ simulator/
COPY fixtures/ fixtures/
RUN --mount=type=cache,target=/root/.cache/uv uv sync --frozen --no-dev && uv pip install pip

FROM python:3.13-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends fonts-noto-cjk && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /app --shell /usr/sbin/nologin callout \
    && install -d -o callout -g callout /app/.state
WORKDIR /app
COPY --from=program /app /app
COPY --from=web /app/web/apps/board/dist web/apps/board/dist
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 CALLOUT_HOST=0.0.0.0 CALLOUT_PORT=8000
USER callout
VOLUME /app/.state
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"CALLOUT_PORT\"]}/readyz', timeout=4)"]
CMD ["callout", "serve"]
