#!/bin/sh
# Known weaknesses of the pinned dependencies: pip-audit in an environment of its own, asked for each lock file.
# Strict: what it could not ask about is a failure, not a pass.
set -eu
place=.venv/audit
if [ ! -x "$place/bin/pip-audit" ]; then
    echo "Installing pip-audit (a minute the first time) …"
    ${PYTHON:-python3} -m venv "$place"
    "$place/bin/python" -m pip install -q --disable-pip-version-check pip-audit==2.10.1
fi
for lock in requirements.lock requirements-dev.lock; do
    echo "$lock:"
    "$place/bin/pip-audit" --require-hashes --disable-pip --progress-spinner off --strict -r "$lock"
done
