# Everything that `make report` needs: docker build -t regen . && docker run --rm -v "$PWD/out:/regen/reports/quick" regen
# The locked versions alone; the image has CUDA's libraries, for that is what torch of the package index brings.
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends git make && rm -rf /var/lib/apt/lists/*
WORKDIR /regen
COPY Makefile requirements.lock ./
RUN make .venv/installed
COPY . .
# DVC keeps its cache by git's history; an archive without one gets a commit of its own.
RUN git rev-parse HEAD 2>/dev/null || (git init -q && git add . && git -c user.name=regen -c user.email=regen@localhost commit -qm regen)
CMD ["make", "report"]
