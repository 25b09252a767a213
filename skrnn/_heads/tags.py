"""A tag, which is one class label, for each step of a sequence."""

from dataclasses import dataclass

from skrnn._heads.classes import ClassHead


@dataclass(frozen=True)
class TagsHead(ClassHead):
    """A tag for each step: a softmax of the scores of the step.

    The targets, and the scores, are those of all steps of all sequences, end to end.
    """

    task = "tagging"
    per_step = True
