"""The language of `filter.expression`: comparisons of outputs and facts of the media, and nothing else.

    metadata.width >= 1920 and media.kind == "image"
    not (media.size > 10MB or metadata.codec in ["gif", "png"])

An expression has no calls, no arithmetic and no way to reach anything but JSON values, and it is bounded in length,
depth and number of parts, so that one out of a stored pipeline can do no harm.
"""

from cortex.expression.evaluation import evaluate
from cortex.expression.parser import parse
from cortex.expression.tree import MEDIA, ExpressionError, Tree

__all__ = ["MEDIA", "ExpressionError", "Tree", "evaluate", "parse"]
