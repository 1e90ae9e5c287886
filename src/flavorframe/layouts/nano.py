"""NanoAOD and files that follow its naming rule, as TTree or RNTuple.

``Muon_pt`` is a field of the collection whose length is ``nMuon``, and ``HLT_…`` and ``L1_…`` are
truth values. It is what remains when no other layout knows a file. Source: CMS NanoAOD
documentation, https://cms-nanoaod-integration.web.cern.ch/autoDoc.
"""

from __future__ import annotations

from flavorframe.layouts.declaring import layout

NANO = layout(
    "nano",
    recognised_by=["run", "luminosityBlock", "event"],
    event={
        "luminosity_block": "luminosityBlock",
        "n_primary_vertices": "PV_npvs",
        "n_pileup": "Pileup_nPU",
    },
    collections={
        **{
            name: {"links": {"gen": {"to": "gen_part", "index": f"{name.capitalize()}_genPartIdx"}}}
            for name in ("muon", "electron", "photon", "track")
        },
        "gen_part": {"links": {"mother": {"to": "gen_part", "index": "GenPart_genPartIdxMother"}}},
    },
    triggers={"hlt": {"branches": ["HLT_*"]}, "l1": {"branches": ["L1_*"]}},
)
