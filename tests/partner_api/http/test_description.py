"""schemathesis reads /v1/openapi.json of a running API and asks what it describes, soundly and unsoundly."""

import asyncio
import os
import sys
from pathlib import Path

from tests.partner_api import rows
from tests.partner_api.http.api import ApiCase

EXAMPLES = 40
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,missing_required_header,unsupported_method,ignored_auth"
)
CONFIG = f"""
[[operations]]
include-operation-id = "readMessage"
parameters = {{ "path.id" = "{rows.MO}" }}

[[operations]]
include-operation-id = "replyToMessage"
parameters = {{ "path.id" = "{rows.MO + 1000}" }}
"""


class Fuzzed(ApiCase):
    """Every call of the description."""

    timeout = 120

    async def test_the_api_does_what_its_description_says(self) -> None:
        folder = self.folder()
        (folder / "schemathesis.toml").write_text(CONFIG)
        schemathesis = Path(sys.executable).parent / "schemathesis"
        process = await asyncio.create_subprocess_exec(
            str(schemathesis), "run", f"{self.api.url}/v1/openapi.json", "--checks", CHECKS,
            "--max-examples", str(EXAMPLES), "--header", "Authorization: Bearer key-of-acme", "--seed", "1",
            "--phases", "examples,coverage,fuzzing", "--generation-database", ":memory:", "--no-color",
            cwd=folder, env=os.environ | {"PYTHONPATH": ""},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()

        assert b"Missing test data" not in said, said.decode()
        assert process.returncode == 0, said.decode()[-6000:]
