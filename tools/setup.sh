#!/bin/sh
# Makes .venv and installs the project into it; `sh tools/setup.sh dev` adds what the checks and tests need.
set -eu
cd "$(dirname "$0")/.."

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

for python in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
    python=
done
[ -n "$python" ] || fail "Python 3.11 or newer is needed. On Debian: apt-get install python3 python3-venv" \
    "Where it has another name: PYTHON=/path/to/python make run"

as_root=
[ "$(id -u)" = 0 ] || ! command -v sudo >/dev/null || as_root="sudo "

# A pip outside the environment serves it too, which saves installing one inside; it can do so since 22.3.
outer_pip() {
    "$python" -c 'import pip, sys; sys.exit([int(n) for n in pip.__version__.split(".")[:2]] < [22, 3])' 2>/dev/null
}

if ! .venv/bin/python -c '' 2>/dev/null; then
    rm -rf .venv
    if command -v uv >/dev/null; then
        uv venv --quiet --python "$python" .venv
    elif outer_pip && "$python" -c 'import venv' 2>/dev/null; then
        "$python" -m venv --without-pip .venv
    elif "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        "$python" -m venv .venv
    elif "$python" -c 'import virtualenv' 2>/dev/null; then
        "$python" -m virtualenv --quiet .venv
    else
        fail "This Python cannot make a virtual environment: python3-venv is missing." \
            "On Debian and Ubuntu: ${as_root}apt-get install python3-venv"
    fi
fi

install() {
    if command -v uv >/dev/null; then
        uv pip install --quiet --python .venv/bin/python "$@"
    elif [ -x .venv/bin/pip ]; then
        .venv/bin/python -m pip install --quiet --no-compile --disable-pip-version-check "$@"
    else
        "$python" -m pip --python .venv/bin/python install --quiet --no-compile --disable-pip-version-check "$@"
    fi
}

if [ "${1:-}" != dev ]; then
    echo "installing into .venv"
    install pip -e .
    exit
fi

echo "installing into .venv, with what the checks and tests need"
install pip -e '.[dev]'
install --no-deps -r tests/requirements-media.txt

# The store's tests start a PostgreSQL of their own from the system package's programs, those of the page a Chromium;
# the package of samples has real speech, and Tesseract needs to know English.
missing=
command -v pg_ctl >/dev/null || ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 || missing="postgresql"
{ command -v chromium && command -v chromedriver; } >/dev/null || missing="$missing chromium chromium-driver"
[ -d /usr/share/forensics-samples ] || missing="$missing forensics-samples-files"
ls /usr/share/tesseract-ocr/*/tessdata/eng.traineddata >/dev/null 2>&1 || missing="$missing tesseract-ocr-eng"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing system packages:" $missing
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq </dev/null && apt-get install -y -qq --no-install-recommends $missing </dev/null >/dev/null && exit
fi
echo "Tests that need them will be skipped. On Debian: ${as_root}apt-get install" $missing >&2
