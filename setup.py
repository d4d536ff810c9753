"""Packages: the folders of the house, and `portal` from site/ (see docs/ARCHITECTURE.md, section 8)."""

import sys

from setuptools import find_packages, setup

HOUSE = ["core*", "wire*", "router*", "fraud*", "store*", "plumbing*", "traffic*", "smsc_link*", "partner_api*",
         "bulk*", "sim*", "tollbridge*"]  # fmt: skip

packages = find_packages(include=HOUSE) + find_packages("site")
if "editable_wheel" in sys.argv:  # a checkout, not a wheel: lets `trial tests` import the tests
    packages += find_packages(include=["tests*", "bench*"])
setup(packages=packages, package_dir={"portal": "site/portal"})
