"""The table of verbs fits what stands behind it, and whatever is said to make is understood."""

from importlib import import_module
from unittest.mock import create_autospec

import pytest

from local.__main__ import main, parser
from local.verbs import TOOLS, VERBS, Verb

SAID = {
    "admin": "admin key create --project shop",
    "skip": "skip --station indexer --partition 3 --offset 17 --why poison",
    "dead": "dead retry 01ab --why mended",
    "logs": "logs ingest -f -n 5",
    "doctor": "doctor ingest=20",
    "test": "test tests/values -x",
    "bench": "bench ingest",
    "faults": "faults --n 5",
}


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_each_verb_calls_something_that_is_there_with_words_it_takes(verb: Verb) -> None:
    words = parser().parse_args(SAID.get(verb.name, verb.name).split())
    verb.call(create_autospec(import_module(verb.room)), words)


@pytest.mark.parametrize("name", ["loadgen", "traffic", "replay", "demo", "acceptance"])
def test_each_tool_explains_itself_and_refuses_what_it_does_not_know(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert name in TOOLS
    for words, code in ((["--help"], 0), (["--loud"], 2)):
        with pytest.raises(SystemExit) as ended:
            main([name, *words])
        said = capsys.readouterr()
        assert (ended.value.code, "usage: " in said.out + said.err) == (code, True)
