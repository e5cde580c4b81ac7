# One image for web, worker and schedule. It is set up by the same file as a laptop: dev.py.
FROM python:3.13-slim AS built
WORKDIR /app
COPY dev.py pyproject.toml ./
COPY requirements requirements
RUN python dev.py setup

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data ew && install -d -o ew -g ew -m 0700 /data
WORKDIR /app
COPY --from=built /app/.venv .venv
COPY . .
ENV PATH="/app/.venv/bin:$PATH" EW_DATA_DIR=/data PYTHONUNBUFFERED=1
USER ew
VOLUME /data
EXPOSE 8000
CMD ["ew", "web"]
