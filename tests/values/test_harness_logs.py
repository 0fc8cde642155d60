"""Local logs turn over at ten megabytes while somebody goes on writing them."""

from pathlib import Path

from local import harness


def test_a_full_log_is_kept_once_and_begun_anew_for_the_same_writer(tmp_path: Path) -> None:
    path = tmp_path / "part.log"
    with path.open("ab", buffering=0) as writer:
        writer.write(b"x" * (harness.LOG_BYTES + 1))
        harness.turn_over(path)
        writer.write(b"after\n")
    assert (tmp_path / "part.log.1").stat().st_size == harness.LOG_BYTES + 1
    assert path.read_bytes() == b"after\n"


def test_a_log_that_is_not_full_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "part.log"
    path.write_bytes(b"short\n")
    harness.turn_over(path)
    harness.turn_over(tmp_path / "missing.log")
    assert [one.name for one in tmp_path.iterdir()] == ["part.log"]
