#!/bin/sh
# The whole test suite: pytest over everything and, beside it, trial over the tests of what Twisted carries, which
# mostly wait. Fails when either does. Leaves nothing behind.
set -u
python=${1:-.venv/bin/python}
folder=$(mktemp -d)
beside=""
end() {
    [ -z "$beside" ] || kill "$beside" 2>/dev/null
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM
# Some shells tell Python not to keep what it compiled. The suite starts hundreds of processes: each would compile it all.
unset PYTHONDONTWRITEBYTECODE

"$python" tests/needed.py || exit 1
# What speaks over Twisted's connections: of it trial runs the test cases, plain functions are pytest's alone. Left out are
# those that start processes (fire, way, the other peers): minutes each, and what speaks HTTP, which is asyncio's.
"$python" -m twisted.trial --temp-directory="$folder/trial" tests.plumbing tests.smsc_link tests.sim \
    tests.partner_api.test_smpp_server tests.partner_api.test_smpp_broken tests.partner_api.test_smpp_server_ports \
    tests.tollbridge.test_smpp_door tests.tollbridge.test_link_traces tests.peers.test_smpplib \
    tests.peers.test_aiosmpplib >"$folder/trial.out" 2>&1 &
beside=$!
# Once for all: each of the four would compile every test for itself, and does where none is compiled yet.
"$python" -m pytest -q --collect-only >"$folder/collected.out" 2>&1 || { cat "$folder/collected.out"; exit 1; }
# In their own order: by size, the files of few tests, which are those that wait longest, would be left for the end.
"$python" -m pytest -q -n 4 --dist loadfile --no-loadscope-reorder --basetemp="$folder/pytest"
by_pytest=$?
wait "$beside"
by_trial=$?
beside=""
[ "$by_trial" = 0 ] && tail -n 4 "$folder/trial.out" || cat "$folder/trial.out"
[ "$by_pytest" = 0 ] && [ "$by_trial" = 0 ]
