"""Failures: what is counted, and how it is told."""

from flavorframe.result import Failure, Failures

MISSING = Failure("a.root", None, None, None, "no such file", "FileError")
DAMAGED = Failure("b.root", "Events", 0, 500, "a <basket> is damaged", "OSError", 3, "worker-1")


def test_no_failures():
    assert not Failures(files=5)
    assert repr(Failures()) == "no failures"
    assert Failures()._repr_html_() == '<p class="ff ff-failures">no failures</p>'


def test_a_file_that_failed_in_two_ranges_counts_once():
    again = Failure("b.root", "Events", 500, 700, "a basket is damaged", "OSError")
    failures = Failures((DAMAGED, again), files=3)
    assert failures.failed_files == ("b.root",)
    assert failures.events_lost == 700
    assert repr(failures).startswith("1 of 3 files could not be read, 700 events lost:")


def test_failures_are_a_container_and_add_up():
    both = Failures((MISSING,), files=2) + Failures((DAMAGED,), files=3)
    assert both == Failures((MISSING, DAMAGED), files=5)
    assert both + Failures() == both
    assert list(both) == [both[0], both[1]] == [MISSING, DAMAGED]
    assert len(both) == 2


def test_text():
    assert repr(Failures((MISSING, DAMAGED), files=5)) == (
        "2 of 5 files could not be read, at least 500 events lost:\n"
        "  a.root: no such file\n"
        "  b.root, events 0 to 500: a <basket> is damaged (OSError, 3 attempts, on worker-1)"
    )


def test_text_without_the_number_of_files():
    assert repr(Failures((MISSING,))) == ("1 file could not be read:\n  a.root: no such file")


def test_text_of_many_failures_is_short():
    lines = repr(Failures((MISSING,) * 1012)).splitlines()
    assert len(lines) == 12
    assert lines[-1] == "  … and 1,002 more"


def test_html():
    assert (
        Failures((MISSING, DAMAGED), files=5)._repr_html_()
        == """\
<table class="ff ff-failures">
<caption>2 of 5 files could not be read, at least 500 events lost</caption>
<thead><tr><th>file</th><th>events</th><th>reason</th></tr></thead>
<tbody>
<tr><td>a.root</td><td></td><td>no such file</td></tr>
<tr><td>b.root</td><td>0 to 500</td>\
<td>a &lt;basket&gt; is damaged (OSError, 3 attempts, on worker-1)</td></tr>
</tbody>
</table>"""
    )
