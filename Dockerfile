# The image of every CellLoop process. For a GPU or for none, choose PyTorch's build with
# --build-arg TORCH_FLAGS="--index-url ..."; by default it is the registry's, which brings CUDA.

FROM node:22-slim AS frontend
WORKDIR /build
COPY frontend/package.json frontend/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY frontend/ ./
RUN npm run build

FROM python:3.11-slim
ARG TORCH=torch==2.13.0
ARG TORCH_FLAGS=""
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=backend.settings
WORKDIR /app
RUN pip install --no-cache-dir uv
# pyproject.toml names what running needs, the lock its versions; linters and test tools stay out.
COPY pyproject.toml requirements.lock ./
RUN uv pip install --system --no-cache -r pyproject.toml -c requirements.lock \
 && uv pip install --system --no-cache ${TORCH_FLAGS} "${TORCH}"
COPY manage.py CHANGELOG.md ./
COPY backend/ backend/
COPY labeling/ labeling/
COPY worker/ worker/
COPY --from=frontend /build/dist frontend/dist/
RUN useradd --system --uid 10001 --home-dir /data cellloop && install -d -o cellloop -g cellloop -m 750 /data
USER cellloop
VOLUME /data
EXPOSE 8000
CMD ["uvicorn", "backend.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--lifespan", "off", "--timeout-graceful-shutdown", "3"]
