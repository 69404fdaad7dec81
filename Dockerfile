# One image for the API, the projector and the worker, which are three commands.
FROM python:3.11.13-slim-bookworm AS build
WORKDIR /source
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY pyproject.toml requirements.lock README.md LICENSE ./
# All locked packages, verified by hash; tools.image_lock selects those that the image needs.
RUN python -m venv /tools && /tools/bin/pip install --require-hashes -r requirements.lock
COPY . .
RUN /tools/bin/python -m tools.image_lock > /tmp/image.lock \
 && python -m venv /opt/trackrecord \
 && /opt/trackrecord/bin/pip install --no-deps --require-hashes -r /tmp/image.lock \
 && /tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /tmp/wheel . \
 && /opt/trackrecord/bin/pip install --no-deps /tmp/wheel/trackrecord-*.whl \
 && /opt/trackrecord/bin/pip uninstall --yes pip

FROM python:3.11.13-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin trackrecord \
 && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/trackrecord /files
COPY --from=build /opt/trackrecord /opt/trackrecord
ENV PATH=/opt/trackrecord/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    APP_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/tmp
WORKDIR /tmp
USER 10001:10001
EXPOSE 3000
ENTRYPOINT ["trackrecord"]
CMD ["serve"]
