"""The mutants in tests/mutants are changes of today's code; `make mutants` tries them."""

from tools.mutants import listed, stale


def test_every_mutant_fits_its_file() -> None:
    assert [str(mutant) for mutant in stale(listed())] == []


def test_no_mutant_is_listed_twice() -> None:
    mutants = listed()

    assert len(set(mutants)) == len(mutants) > 100
