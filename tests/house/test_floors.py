"""The floors: a module imports from lower floors only, and a third-party name only in its home.

FLOORS    the floor of each package
ALLOWED   what each package may import of ours: narrower than its floor says
HOMES     a third-party name → the folders and files that may import it; WHY tells where that is not plain
ORDER     inside core imports run one way too

Rule: a line here is changed with a page in docs/decisions/, never to make a test pass.
"""

import sys
from collections.abc import Iterator

from tests.house.tree import BESIDE, PACKAGES, Import, Module, imports_of, product

FLOORS = {
    "core": 0, "wire": 0,
    "router": 1, "fraud": 1,
    "store": 2, "plumbing": 2,
    "traffic": 3,
    "smsc_link": 4, "partner_api": 4, "bulk": 4, "portal": 4, "sim": 4,
    "tollbridge": 5,
}  # fmt: skip

ALLOWED: dict[str, set[str]] = {
    "core": set(),
    "wire": set(),
    "router": {"core"},
    "fraud": {"core"},
    "store": {"core", "router", "fraud"},
    "plumbing": {"wire"},
    "traffic": {"core", "router", "fraud", "store", "plumbing"},
    "smsc_link": {"core", "wire", "plumbing", "traffic"},
    "partner_api": {"core", "wire", "plumbing", "store", "traffic"},
    "bulk": {"core", "store", "traffic"},
    "portal": {"core", "router", "fraud", "store"},
    "sim": {"core", "wire", "plumbing"},
    "tollbridge": set(PACKAGES),
}

HOMES: dict[str, tuple[str, ...]] = {
    "aiohttp": ("partner_api/", "smsc_link/protocols/http/", "plumbing/http_server.py", "sim/"),
    "argon2": ("store/secrets.py",),
    "click": (),
    "cryptography": ("store/secrets.py", "plumbing/tls.py"),
    "django": (
        "store/models/",
        "store/apps.py",
        "store/generate.py",
        "store/migrate.py",
        "store/migration_steps.py",
        "site/portal/",
    ),
    "defusedxml": ("smsc_link/ussd_shapes/",),
    "openpyxl": ("bulk/recipients.py", "store/settlement/xlsx_file.py"),
    "OpenSSL": ("plumbing/tls.py", "plumbing/pump.py"),
    "phonenumbers": ("core/msisdn.py",),
    "prometheus_client": ("plumbing/metrics.py",),
    "pydantic": ("store/provisioning/", "partner_api/"),
    "pydantic_core": ("store/provisioning/", "partner_api/"),
    "redis": ("store/counters.py",),
    "re2": ("fraud/rules/",),
    "rich": (),
    "spyne": ("partner_api/soap.py",),
    "sqlalchemy": ("store/",),
    "stdnum": ("store/provisioning/",),
    "structlog": ("store/", "plumbing/", "traffic/", "smsc_link/", "partner_api/", "bulk/", "site/portal/", "sim/"),
    "tomlkit": ("store/provisioning/",),
    "twisted": ("plumbing/", "smsc_link/", "partner_api/smpp_server.py", "partner_api/smpp/", "sim/"),
    "uvloop": ("plumbing/loop.py",),
    "yarl": ("partner_api/", "smsc_link/protocols/http/", "sim/aggregator/"),
    "zeep": ("partner_api/dispatch/soap.py",),
    "zope": ("plumbing/tls.py", "plumbing/pump.py"),
}
"""The roof puts everything together and may import anything; what has no home here is the roof's alone."""
ROOF = "tollbridge/"

WHY = {
    ("plumbing/http_server.py", "aiohttp"): "one server below both doors that speak HTTP",
    ("plumbing/tls.py", "cryptography"): "Twisted's certificates are read as objects of cryptography",
    ("plumbing/tls.py", "OpenSSL"): "a client that takes any certificate makes its own connection",
    ("plumbing/tls.py", "zope"): "Twisted asks for the interface IOpenSSLClientConnectionCreator",
    ("plumbing/pump.py", "OpenSSL"): "a handshake that failed is told by its error",
    ("plumbing/pump.py", "zope"): "Twisted asks for the interface IHandshakeListener",
    ("store/apps.py", "django"): "the Django application that owns models and migrations",
    ("store/migrate.py", "django"): "`tollbridge migrate` runs Django, inside a function only: the engine loads none",
    ("store/migration_steps.py", "django"): "the same, step by step; loaded by store/migrate.py alone",
    ("partner_api/", "yarl"): "reads and quotes the URL of a service",
    ("smsc_link/protocols/http/", "yarl"): "hands a URL to aiohttp that is quoted already, as its signature needs it",
    ("sim/aggregator/", "yarl"): "the same, from the operator's side",
    ("store/provisioning/", "pydantic_core"): "the type of pydantic's errors",
}
"""Homes that the plan did not have, with the reason. core needs one third party, for what people write as numbers; of a
message's numbers and letters it has tables of its own, and gsm0338 is the alphabet's oracle in the tests."""

INSIDE_ONLY = {("store/migrate.py", "django"), ("core/msisdn.py", "phonenumbers")}
"""Imported inside a function only, so that importing the module loads nothing."""

ORDER = (
    ("errors", "clock", "money", "numbering", "msisdn", "ids", "second_person"),
    ("sms", "catalogue"),
    ("directory",),
    ("message",),
    ("question", "replacement"),
    ("tariff",),
    ("ledger",),
    ("settlement",),
    ("statement", "statement_terms"),
    ("latin",),
    ("ussd",),
    ("payouts", "top_ups", "bank_file"),
    ("bank_answer",),
    ("report",),
    ("replay",),
    ("purchase",),
    ("payments",),
    ("products",),
)


def _foreign(module: Module) -> Iterator[Import]:
    """What is neither ours nor Python's."""
    for one in imports_of(module):
        if one.top not in sys.stdlib_module_names and one.top not in PACKAGES and one.top not in BESIDE:
            yield one


def test_every_package_has_a_floor() -> None:
    assert FLOORS.keys() == PACKAGES.keys() == ALLOWED.keys()
    for package, allowed in ALLOWED.items():
        up = {other for other in allowed - {package} if FLOORS[other] >= FLOORS[package]}
        assert not up, f"{package} is allowed to import {up} from its own floor or above"


def test_imports_go_down_the_stairs_only() -> None:
    wrong = [
        f"{module.path}:{one.line}: {module.package} imports {one.name}"
        for module in product()
        for one in imports_of(module)
        if one.top in PACKAGES and one.top != module.package and one.top not in ALLOWED[module.package]
    ]

    assert not wrong, "imports that go up or sideways:\n" + "\n".join(wrong)


def test_nothing_that_is_installed_imports_tests_or_the_bench() -> None:
    wrong = [
        f"{module.path}:{one.line}: {one.name}"
        for module in product()
        for one in imports_of(module)
        if one.top in BESIDE
    ]

    assert not wrong, "\n".join(wrong)


def test_third_party_names_are_imported_in_their_homes_only() -> None:
    wrong = [
        f"{module.path}:{one.line}: {one.name}"
        for module in product()
        for one in _foreign(module)
        if not module.path.startswith((ROOF, *HOMES.get(one.top, ())))
    ]

    assert not wrong, "third-party names outside their homes (HOMES):\n" + "\n".join(wrong)


def test_what_is_loaded_late_is_imported_inside_functions_only() -> None:
    wrong = [
        f"{module.path}:{one.line}: {one.name}"
        for module in product()
        for one in _foreign(module)
        if (module.path, one.top) in INSIDE_ONLY and not one.inside
    ]

    assert not wrong, "\n".join(wrong)


def test_the_engine_never_loads_django_by_importing_the_models() -> None:
    homes = HOMES["django"]
    wrong = [
        f"{module.path}:{one.line}: {one.name}"
        for module in product()
        for one in imports_of(module)
        if one.name.startswith(("store.models", "store.apps", "store.migrations")) and not module.path.startswith(homes)
    ]

    assert not wrong, "\n".join(wrong)


def test_every_exception_from_the_plan_is_still_used() -> None:
    used = {(module.path, one.top) for module in product() for one in _foreign(module)}

    for place, name in WHY:
        assert any(path.startswith(place) and top == name for path, top in used), f"take out of WHY: {place} {name}"
        assert place in HOMES[name] or any(place.startswith(home) for home in HOMES[name]), (place, name)


def test_inside_core_imports_run_one_way() -> None:
    rank = {name: number for number, names in enumerate(ORDER) for name in names}
    wrong = []
    for module in product():
        if module.package == "core" and module.name != "core":
            own = module.name.split(".")[1]
            assert own in rank, f"core/{own} has no place in ORDER"
            for one in imports_of(module):
                other = one.name.split(".")[1] if one.top == "core" else own
                if rank[other] > rank[own]:
                    wrong.append(f"{module.path}:{one.line}: {own} imports {other}")

    assert not wrong, "imports inside core that go up:\n" + "\n".join(wrong)
