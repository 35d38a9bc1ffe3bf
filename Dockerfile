# One image for web, worker, beat and migrate; docker-compose.yml says which command each runs.

FROM python:3.13-slim AS wheels
WORKDIR /wheels
# docker build --build-arg TRACES=yes also installs what sends traces.
ARG TRACES=
COPY requirements.txt requirements-otel.txt constraints.txt ./
RUN pip wheel --no-cache-dir --wheel-dir /wheels --constraint constraints.txt --requirement requirements.txt \
    ${TRACES:+--requirement requirements-otel.txt}

FROM python:3.13-slim
ARG TRACES=
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PYTHONFAULTHANDLER=1
# A new volume of documents, or of metrics, takes its owner and mode from the folder made here.
RUN groupadd --system --gid 10001 moolah \
    && useradd --system --uid 10001 --gid moolah --no-create-home --shell /usr/sbin/nologin moolah \
    && install --directory --owner moolah --group moolah --mode 0700 \
    /var/lib/mymoolah/documents /var/lib/mymoolah/metrics
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels \
    --constraint /wheels/constraints.txt --requirement /wheels/requirements.txt \
    ${TRACES:+--requirement /wheels/requirements-otel.txt}

# The code belongs to root, and runs as somebody who cannot change it.
WORKDIR /app
COPY . .
RUN MYMOOLAH_ENV=build python manage.py collectstatic --noinput \
    && python -m compileall -q .
USER moolah

ENV MYMOOLAH_ENV=production
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "deploy/healthcheck.py"]
# Four threads more than a process has database connections (DATABASE_POOL_SIZE): while all of those are busy, they say
# so (503), and answer who asks whether the process lives.
CMD ["sh", "-c", "exec granian --interface wsgi mymoolah.wsgi:application --host 0.0.0.0 --port 8000 --workers ${WEB_WORKERS:-2} --respawn-failed-workers --blocking-threads $((${DATABASE_POOL_SIZE:-8} + 4))"]
