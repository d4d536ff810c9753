#!/bin/sh
# Debian packages that a target needs: installs what is missing when we are root, names it otherwise.
#   sh tools/packages.sh run    python3 with venv
#   sh tools/packages.sh peers  Kannel, and node with npm
#   sh tools/packages.sh test   the same, a compiler for mysqlclient, MariaDB and Redis for the tests' own servers, strace, pdftotext
set -eu
need=""
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
want() { need="$need $1"; }

${PYTHON:-python3} -c 'import ensurepip, venv' 2>/dev/null || want python3-venv
if [ "${1:-run}" = test ]; then
    has gcc || want gcc
    has pkg-config || want pkg-config
    has mariadb_config || want libmariadb-dev
    has mariadbd || want mariadb-server-core
    has my_print_defaults || want mariadb-client-core
    has redis-server || want redis-server
    has strace || want strace
    has pdftotext || want poppler-utils
    ${PYTHON:-python3} -c 'import os, sysconfig, sys; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' 2>/dev/null || want python3-dev
fi
if [ "${1:-run}" = peers ]; then
    has bearerbox || want kannel
    has tshark || want tshark
    has node || want nodejs
    has npm || want npm
fi
[ -z "$need" ] && exit 0
if [ "$(id -u)" = 0 ] && has apt-get; then
    echo "Installing Debian packages:$need"
    # No package may start a server of its own: the tests run private ones.
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    apt-get update -qq >/dev/null 2>&1 || true
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $need >/dev/null
else
    echo "Missing packages. As root:  apt-get install --no-install-recommends$need" >&2
    exit 1
fi
