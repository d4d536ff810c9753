"""What `load` refuses or remarks of an HTTP link's mapping, and what becomes of one that stands in the database all the
same.
"""

import asyncio
import re
import signal
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa

from store.database import connect
from store.schema import Link
from tests.partners import Partner, answers
from tests.tollbridge.shell import within, write_config
from tests.tollbridge.test_cli_run import a_database, running
from tests.tollbridge.test_http_links import CONF, Place


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            'signed = ["timestamp", "body"]',
            'signed = ["timestamp"]',
            "auth.signed: a signature over timestamp leaves",
        ),
        (
            'signed = ["timestamp", "body"]',
            'signed = ["body"]',
            "auth.timestamp: X-Timestamp is looked at, but",
        ),
        (
            '      id = "messages.0.id"\n',
            "",
            "submit.answer.id: is missing: no receipt (rec",
        ),
        ("tolerance_s = 300", "tolerance_s = 86400", "auth.tolerance_s: 86400 is not between 0 and 39600"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_with_its_line(
    before: str, after: str, said: str, tmp_path: Path
) -> None:
    write_config(tmp_path)
    a_database(tmp_path)
    text = (CONF / "http-json.toml").read_text()
    assert before in text
    (tmp_path / "all.toml").write_text(text.replace(before, after))

    loaded = within("load", "all.toml", "--config", "tollbridge.toml", cwd=tmp_path)

    assert loaded.returncode == 1
    assert said in loaded.stderr
    assert re.match(r"tollbridge: all.toml:\d+: link\.options\.", loaded.stderr), loaded.stderr


def test_what_a_mapping_leaves_open_is_remarked(tmp_path: Path) -> None:
    write_config(tmp_path)
    a_database(tmp_path)
    text = (CONF / "http-json.toml").read_text().replace("tolerance_s = 300", "tolerance_s = 0")
    (tmp_path / "all.toml").write_text(text.replace('    id = "message.id"\n', ""))

    loaded = within("load", "all.toml", "--config", "tollbridge.toml", cwd=tmp_path)

    assert loaded.returncode == 0, loaded.stderr
    assert "remark: link alpha-json takes a signed request again from whoever saw it, each time as a new MO" in (
        loaded.stdout
    )
    assert "key of theirs" not in loaded.stdout


def test_a_mapping_of_an_older_version_that_cannot_work_disables_its_link_alone(tmp_path: Path) -> None:
    text = (CONF / "http-kannel.toml").read_text()
    link = text[text.index("[[link]]") : text.index("[[short_code]]")]
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/http-kannel.toml").write_text(text + link.replace("alpha-kannel", "alpha-old"))
    place = Place(tmp_path, "http-kannel")

    async def story() -> None:
        await place.aggregator.open()
        async with Partner(answers("thank you")) as partner:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("tests.tollbridge.test_http_links.CONF", tmp_path / "conf")
                place.load(partner)
        _as_an_older_version_had_it(place, "alpha-old")
        with running(place.folder, place.api) as process:
            async with aiohttp.ClientSession() as client:
                async with asyncio.timeout(20):
                    while await place.health(client) != {"alpha-kannel": "bound", "alpha-old": "disabled"}:
                        await asyncio.sleep(0.05)
                # By the latest beat of the process.
                await place.until(lambda: "submit.answer.id" in within("status", cwd=place.folder).stdout)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, 40) == 0
        await place.aggregator.close()

    asyncio.run(story())

    log = (tmp_path / "run.log").read_text()
    assert "link not started" in log
    assert "option submit.answer.id: is missing: no receipt (receipt.id) would find its message" in log


def _as_an_older_version_had_it(place: Place, name: str) -> None:
    database = connect(f"sqlite:///{place.folder}/var/tollbridge.db")
    try:
        with database.write() as connection:
            options = dict(connection.execute(sa.select(Link.options).where(Link.name == name)).scalar_one())
            answer = {**options["submit"]["answer"], "own_id": False}
            options["submit"] = {**options["submit"], "answer": answer}
            connection.execute(sa.update(Link).where(Link.name == name).values(options=options))
    finally:
        database.close()
