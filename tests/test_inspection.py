"""What a file holds, as a notebook shows it."""

import flavorframe as ff


def test_a_notebook_shows_collections_that_unfold(small_nano):
    page = ff.inspect(small_nano)._repr_html_()
    assert f"{small_nano}: tree Events, 50 events, layout nano" in page
    assert page.count("<details>") == len(ff.inspect(small_nano).collections)
    assert "<summary>Muon: 4 branches" in page
    assert "<td><code>triplet_mass</code></td><td>double[]</td>" in page
