"""The compiled part of flavorframe: loops over the entries of baskets.

Where it cannot be compiled, files are read by uproot alone, with the same results, more slowly.
"""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "flavorframe.engine.columnar._decode",
            ["src/flavorframe/engine/columnar/_decode.c"],
            extra_compile_args=["-O3"],
            optional=True,
        )
    ]
)
