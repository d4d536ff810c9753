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
"$python" -m twisted.trial --temp-directory="$folder/trial" tests.plumbing tests.smsc_link \
    tests.partner_api.test_smpp_server tests.partner_api.test_smpp_limits >"$folder/trial.out" 2>&1 &
beside=$!
"$python" -m pytest -q -n 4 --dist loadfile --basetemp="$folder/pytest"
by_pytest=$?
wait "$beside"
by_trial=$?
beside=""
[ "$by_trial" = 0 ] && tail -n 4 "$folder/trial.out" || cat "$folder/trial.out"
[ "$by_pytest" = 0 ] && [ "$by_trial" = 0 ]
