"""Trained models: what opens them, and evaluates them on arrays.

`model` has a model as expressions hold it, and several of which each event has its own; `formats`
says which library a file or an object of Python is for. Each library has a module: `onnx`,
`xgboost`, `lightgbm`, `sklearn`, and `tmva`, which makes ONNX of TMVA's files. Its ``opened`` gives
an `Evaluator` (`evaluator`). Libraries are imported when a model of theirs is opened.
"""
