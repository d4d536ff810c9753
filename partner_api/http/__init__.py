"""The partner HTTP API: JSON under /v1, health, metrics (interfaces.md, section 5).

ports.py      what it stands on, handed in by the roof
calls.py      a request that was let in; the table of routes
app.py        the aiohttp application: routes, bodies, health, metrics
server.py     the HTTP server below it: who may connect, what those hear who do not speak HTTP
auth.py       who is calling
problems.py   errors as application/problem+json
repeats.py    Idempotency-Key
messages.py   /v1/messages
account.py    /v1/balance
top_ups.py    /v1/top-ups
payouts.py    /v1/payouts
payments.py   /payments/NAME: what payment providers tell us
sentences.py  what is wrong with a field, in our words
views.py      what is taken and shown, as pydantic models
openapi.py    the description, made from routes and models

Rule: a malformed request never gives 5xx, and another's message is as unknown as one that never was.
"""
