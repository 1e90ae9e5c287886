"""The compiled part of flavorframe: from baskets in a file to flat arrays.

Where it cannot be compiled, files are read by uproot alone, with the same results, more slowly.
"""

from pathlib import Path

from setuptools import Extension, setup

NATIVE = Path("src/flavorframe/_rootio/native")

setup(
    ext_modules=[
        Extension(
            "flavorframe._rootio._native",
            sorted(map(str, NATIVE.glob("*.c"))),
            depends=[str(NATIVE / "native.h")],
            extra_compile_args=["-O3"],
            libraries=["dl"],
            optional=True,
        )
    ]
)
