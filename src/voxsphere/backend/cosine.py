"""Cosine scores of trials, from a matrix of embeddings."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64, Int

from voxsphere.core.errors import BadInput

# Two gathered blocks of this many rows stay in a core's cache for the usual 192 to 512 dimensions.
_BLOCK = 1024


def cosine(
    vectors: Float[np.ndarray, "utterances dim"],
    enrol: Int[np.ndarray, " trials"],
    test: Int[np.ndarray, " trials"],
    *,
    names: Sequence[str] | None = None,
) -> Float64[np.ndarray, " trials"]:
    """The cosine of rows `enrol[i]` and `test[i]` of `vectors`, in [-1, 1], for each trial i.

    Rows are brought to unit length once, in their own precision; trials are gathered in blocks, so memory beyond the
    scores stays small however long the list. Raises `BadInput` on a row that takes part in a trial and has no
    direction (zero or not finite), calling it by its entry in `names`, if given.
    """
    if vectors.ndim != 2:
        raise BadInput(f"embeddings are a matrix of one row an utterance, not an array of {vectors.ndim} axes")
    if enrol.shape != test.shape or enrol.ndim != 1:
        raise BadInput(f"each trial needs two rows: there are {enrol.size} to enrol and {test.size} to test")
    if enrol.size and not 0 <= min(enrol.min(), test.min()) <= max(enrol.max(), test.max()) < len(vectors):
        raise BadInput(f"a trial points outside the {len(vectors)} embeddings")
    unit = _unit(vectors, enrol, test, names)
    scores = np.empty(len(enrol))
    for start in range(0, len(enrol), _BLOCK):
        block = slice(start, start + _BLOCK)
        scores[block] = np.einsum("td,td->t", unit[enrol[block]], unit[test[block]])
    return np.clip(scores, -1.0, 1.0, out=scores)


def _unit(
    vectors: Float[np.ndarray, "utterances dim"],
    enrol: Int[np.ndarray, " trials"],
    test: Int[np.ndarray, " trials"],
    names: Sequence[str] | None,
) -> Float[np.ndarray, "utterances dim"]:
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    directed = np.isfinite(norms) & (norms > 0)
    if not directed.all():
        used = np.zeros(len(vectors), dtype=bool)
        used[enrol] = used[test] = True
        lost = np.flatnonzero(used & ~directed)
        if len(lost):
            row = int(lost[0])
            name = names[row] if names is not None else f"row {row}"
            raise BadInput(f"{name}: its embedding is zero or not finite, so it has no cosine; extract it again")
    norms[~directed] = 1.0
    return np.asarray(vectors / norms[:, None], dtype=vectors.dtype)
