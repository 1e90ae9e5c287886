"""All that trees are made of, under one name: ``from flavorframe._expr import nodes as n``.

A node says *what* is computed, never how. Engines walk nodes; users meet them as ``Expr``.
A **friendly** tree holds `Field`, `Branch` and `Fired` leaves, which only a layout can resolve,
`SampleValue`, which a dataset has, and `Default` around what may be lacking; a **bound** tree holds
`Column` and `Constant` leaves instead and is what engines evaluate.
"""

from __future__ import annotations

from flavorframe._expr.axes import (
    EVENT as EVENT,
    UNRESOLVED as UNRESOLVED,
    Axis as Axis,
    CollectionAxis as CollectionAxis,
    Combination as Combination,
    Concatenation as Concatenation,
    EventAxis as EventAxis,
    First as First,
    NestedAxis as NestedAxis,
    Node as Node,
    Per as Per,
    Sorted as Sorted,
    StoredLists as StoredLists,
    Subset as Subset,
    Taken as Taken,
    UnresolvedAxis as UnresolvedAxis,
    is_nested as is_nested,
    join_axes as join_axes,
    lineage as lineage,
    made_from as made_from,
    outer_axis as outer_axis,
)
from flavorframe._expr.choices import Category as Category, Varied as Varied
from flavorframe._expr.computations import (
    Apply as Apply,
    CallCorrection as CallCorrection,
    CallFunction as CallFunction,
    CallModel as CallModel,
    IsIn as IsIn,
    LumiLookup as LumiLookup,
    Reduce as Reduce,
    StringTest as StringTest,
)
from flavorframe._expr.descent import (
    FirstCopy as FirstCopy,
    IsAncestor as IsAncestor,
    Named as Named,
    Pointing as Pointing,
)
from flavorframe._expr.elements import (
    Chain as Chain,
    Found as Found,
    FromEnd as FromEnd,
    Gather as Gather,
    Inner as Inner,
    Match as Match,
    Member as Member,
    Position as Position,
    Rank as Rank,
    Take as Take,
    innermost as innermost,
)
from flavorframe._expr.leaves import (
    Branch as Branch,
    Column as Column,
    Constant as Constant,
    Default as Default,
    Field as Field,
    Fired as Fired,
    Literal as Literal,
    Quantity as Quantity,
    SampleValue as SampleValue,
    Value as Value,
)
from flavorframe._expr.parts import Part as Part, parts as parts, rebuilt as rebuilt
from flavorframe._expr.walking import may_be_missing as may_be_missing, walk as walk
