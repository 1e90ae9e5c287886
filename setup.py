"""Compile the loops of flavorframe in C; where that fails, install without them, and say so."""

import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import BaseError, CCompilerError

NATIVE = Path("src/flavorframe/_rootio/native")
NOT_COMPILED = """
{line}
flavorframe is installed WITHOUT its compiled part.

  tried:   to compile {folder}/*.c
           with {compiler}
  failed:  {error}
  lost:    speed only. Files are read by uproot and loops are numpy's: the same results, several
           times more slowly.
  to get it: install a C compiler and Python's headers (Debian, Ubuntu: apt install gcc python3-dev;
           Fedora, Alma: dnf install gcc python3-devel; conda: conda install c-compiler;
           macOS: xcode-select --install), then
           pip install --force-reinstall --no-deps --no-cache-dir flavorframe
{line}
"""


class BuildOrSayWhyNot(build_ext):
    """Builds the extension; without a working compiler, says once what is lost."""

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except (BaseError, CCompilerError, OSError) as error:
            said = NOT_COMPILED.format(
                line="*" * 79,
                folder=NATIVE,
                compiler=" ".join(getattr(self.compiler, "compiler_so", None) or ["no compiler"]),
                error=error,
            )
            print(said, file=sys.stderr, flush=True)


setup(
    cmdclass={"build_ext": BuildOrSayWhyNot},
    ext_modules=[
        Extension(
            "flavorframe._rootio._native",
            sorted(map(str, NATIVE.glob("*.c"))),
            depends=[str(NATIVE / "native.h")],
            extra_compile_args=["-O3", "-Wall", "-Wextra"],
            libraries=["dl"],
            optional=True,  # setuptools does not miss its file
        )
    ],
)
