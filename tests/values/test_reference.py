"""Pages that are made from the code say what the code says."""

from local import reference


def test_the_configuration_page_is_current() -> None:
    assert reference.CONFIGURATION.read_text() == reference.configuration(), "run `python -m local.reference`"
