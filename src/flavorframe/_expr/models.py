"""Trained models in expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flavorframe._expr import nodes as n
from flavorframe._expr.expression import Expr, Operand, as_node
from flavorframe._expr.formula import brief
from flavorframe._expr.strings import refuse_computing_with_strings
from flavorframe._models.model import Folds, Model
from flavorframe.errors import ModelError, did_you_mean


class CallableModel:
    """A trained model, or one for each fold, that takes expressions; made by `model`."""

    def __init__(self, models: tuple[Model, ...], fold: Expr | None = None) -> None:
        """``fold`` is a number of a model for each event; without it there is one model."""
        self._models, self._fold = models, fold

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in the model's order; none where it has no names."""
        return self._models[0].inputs

    def __call__(self, *values: Operand, **named: Operand) -> Expr:
        """Return the model's output for the given inputs.

        Args:
            values: An expression or constant for each input, in the order of the training.
            named: The same by name, where the model has names.

        Returns:
            An expression on the joint axis of the inputs.

        Raises:
            ModelError: The number of inputs is not the model's, or one is missing or unknown.
            ExpressionError: The inputs are of two collections.
        """
        inputs = tuple(map(as_node, self._in_order(values, named)))
        called: Model | Folds = self._models[0]
        if self._fold is not None:
            called, inputs = Folds(self._models), (self._fold.node, *inputs)
        node = n.CallModel(called, inputs)
        refuse_computing_with_strings(node)
        if all(isinstance(each, n.Literal) for each in inputs):
            raise ModelError(f"{self}: at least one input must be an expression.")
        return Expr(node)

    def _in_order(
        self, values: tuple[Operand, ...], named: dict[str, Operand]
    ) -> tuple[Operand, ...]:
        count = self._models[0].evaluator.count
        if named and not self.inputs:
            raise ModelError(
                f"{self}: it has no names for its inputs; give the {count} in the order of the "
                "training."
            )
        left = self.inputs[len(values) :]
        for name in named:
            if name not in self.inputs:
                raise ModelError(
                    f"{self}: it has no input {name!r}.{did_you_mean(name, self.inputs)}"
                )
            if name not in left:
                raise ModelError(f"{self}: the input {name!r} is given twice.")
        missing = [name for name in left if name not in named]
        if len(values) + len(named) != count:
            which = f" {', '.join(missing)} {'are' if missing[1:] else 'is'} missing."
            raise ModelError(
                f"{self} takes {count} inputs, not {len(values) + len(named)}."
                f"{which if missing else ''}"
            )
        return (*values, *(named[name] for name in left))

    def __repr__(self) -> str:
        names = ", ".join(self.inputs) or f"{self._models[0].evaluator.count} inputs"
        places = " and ".join(dict.fromkeys(model.path for model in self._models))
        by = "" if self._fold is None else f", by {self._fold.formula}"
        return f"<model {self._models[0].name}({names}) of {places}{by}>"


def model(
    model: Any, *, output: int | str | None = None, fold: Expr | None = None
) -> CallableModel:
    """Make a trained model usable on expressions.

    Args:
        model: A file of ONNX (``.onnx``), TMVA's boosted trees (``.weights.xml``), XGBoost
            (``.json``, ``.ubj``), LightGBM (``.txt``) or scikit-learn (``.joblib``, ``.pkl``: open
            only those that you trust, for they may run any code), or a trained object of the last
            three. With ``fold``, a list of them.
        output: Which output, by its number or name, where there are several: that of a class. Of
            two classes, it is the second where nothing is said.
        fold: Which of the models, from 0, is for the event: the one that did not see it in its
            training.

    Returns:
        A function of expressions, which gives an expression on their joint axis.

    Raises:
        ModelError: The file cannot be read, its library is not installed, or there is no such
            output.

    Example:
        >>> import flavorframe as ff
        >>> t = ff.events().triplet
        >>> bdt = ff.model("bdt.onnx")(t.pt, t.vertex_chi2, t.mu1.pt)  # doctest: +SKIP
        >>> bdt > 0.3  # doctest: +SKIP
        <bdt(triplet.pt, triplet.vertex_chi2, triplet.mu1.pt) > 0.3, one value per triplet>
    """
    listed = isinstance(model, list | tuple)
    if listed != (fold is not None) or (listed and not model):
        raise ModelError(
            "ff.model takes a list of models together with fold=, which says which of them is for "
            "an event, and one model without."
        )
    if fold is None:
        return CallableModel((Model.of(model, output),))
    models = tuple(Model.of(each, output) for each in model)
    _check_folds(models, fold)
    return CallableModel(models, fold)


def _check_folds(models: Sequence[Model], fold: Expr) -> None:
    """Raise ModelError where the models are not as many as the folds, or take other inputs."""
    node = fold.node
    if isinstance(node, n.Apply) and node.operation == "remainder":
        divisor = node.arguments[1]
        if isinstance(divisor, n.Literal) and divisor.value != len(models):
            raise ModelError(
                f"{brief(node)} has {divisor.value} folds, and there are {len(models)} models: "
                "give one for each."
            )
    first = models[0].evaluator
    for each in models[1:]:
        if (each.evaluator.count, each.inputs) != (first.count, models[0].inputs):
            raise ModelError(f"{each.path} does not take the inputs of {models[0].path}.")
