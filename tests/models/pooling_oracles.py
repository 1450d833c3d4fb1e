"""Every pooling in the forms that tests look at, each with the same in slow loops over one utterance."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from voxsphere.models.poolings.attentive import AttentiveStatsPooling
from voxsphere.models.poolings.dictionary import LearnableDictionaryPooling
from voxsphere.models.poolings.last import LastFramePooling
from voxsphere.models.poolings.maxima import MaxStatsPooling
from voxsphere.models.poolings.multi_head import MultiHeadAttentionPooling, MultiQueryMultiHeadAttentionPooling
from voxsphere.models.poolings.multitask import LstmAttentionPooling, TanhAttentionPooling
from voxsphere.models.poolings.self_attention import SelfAttentionPooling
from voxsphere.models.poolings.statistics import MeanPooling, StatsPooling, StdPooling
from voxsphere.models.poolings.vlad import NetVladPooling

Rows = list[list[float]]  # one row a frame, or one a channel
Vector = list[float]


def _dot(a: Vector, b: Vector) -> float:
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def _affine(weight: Tensor, bias: Tensor | None, x: Vector) -> Vector:
    rows = weight.flatten(1).tolist()
    return [_dot(row, x) + (0.0 if bias is None else float(bias[i])) for i, row in enumerate(rows)]


def _mean(x: Vector, w: Vector) -> float:
    return _dot(x, w) / math.fsum(w)


def _variance(x: Vector, w: Vector, *, unbiased: bool) -> float:
    mean, total = _mean(x, w), math.fsum(w)
    divisor = total - _dot(w, w) / total if unbiased else total
    return math.fsum(b * (a - mean) ** 2 for a, b in zip(x, w, strict=True)) / divisor


def mean(pooling: nn.Module, frames: Rows, w: Vector) -> Vector:
    return [_mean(list(x), w) for x in zip(*frames, strict=True)]


def std(pooling: nn.Module, frames: Rows, w: Vector, *, unbiased: bool | None = None) -> Vector:
    unbiased = pooling.unbiased if unbiased is None else unbiased
    channels = zip(*frames, strict=True)
    return [math.sqrt(_variance(list(x), w, unbiased=unbiased) + pooling.floor) for x in channels]


def stats(pooling: nn.Module, frames: Rows, w: Vector) -> Vector:
    return mean(pooling, frames, w) + std(pooling, frames, w)


def maxima(pooling: nn.Module, frames: Rows, w: Vector) -> Vector:
    reach, heard = pooling.window // 2, [t for t in range(len(frames)) if w[t] > 0]
    around = {t: [frames[s] for s in heard if abs(s - t) <= reach] for t in heard}
    highest = [[max(x) for x in zip(*around[t], strict=True)] for t in heard]
    kept = [w[t] for t in heard]
    return mean(pooling, highest, kept) + std(pooling, highest, kept, unbiased=False)


def last(pooling: nn.Module, frames: Rows, w: Vector) -> Vector:
    return next(frames[t] for t in reversed(range(len(frames))) if w[t] > 0)


def _activation(pooling: nn.Module, x: Vector) -> Vector:
    norm = pooling.activation.norm
    if norm is not None:
        rows = zip(x, norm.running_mean, norm.running_var, norm.weight, norm.bias, strict=True)
        x = [float((max(value, 0) - m) / (v + norm.eps) ** 0.5 * g + b) for value, m, v, g, b in rows]
    last = {"tanh": math.tanh, "sigmoid": lambda a: 1 / (1 + math.exp(-a)), "relu-norm": float}
    return [last[pooling.activation.form.replace("relu-norm-tanh", "tanh")](value) for value in x]


def _attention(pooling: nn.Module, frames: Rows, w: Vector) -> Rows:
    """Factors, one row a channel."""
    seen = frames
    if getattr(pooling, "context", False):
        whole = mean(pooling, frames, w) + std(pooling, frames, w, unbiased=pooling.unbiased_context)
        seen = [frame + whole for frame in frames]
    hidden = [_activation(pooling, _affine(pooling.hidden.weight, pooling.hidden.bias, x)) for x in seen]
    scores = [_affine(pooling.score.weight, pooling.score.bias, x) for x in hidden]
    scores = [row * (len(frames[0]) // len(row)) for row in scores]  # one for all channels, or one for each
    factors = []
    for row in zip(*scores, strict=True):
        if pooling.normalised:
            factors.append(_softmax(list(row), w))
        else:
            count = math.fsum(w) ** 2 / _dot(w, w)
            factors.append([math.tanh(s) * count * b / math.fsum(w) for s, b in zip(row, w, strict=True)])
    return factors


def _softmax(score: Vector, w: Vector) -> Vector:
    top = max(s for s, b in zip(score, w, strict=True) if b > 0)
    exponential = [b * math.exp(s - top) if b > 0 else 0.0 for s, b in zip(score, w, strict=True)]
    return [e / math.fsum(exponential) for e in exponential]


def self_attention(pooling: nn.Module, frames: Rows, w: Vector) -> Vector:
    channels = zip(*frames, strict=True)
    return [_dot(list(x), a) for x, a in zip(channels, _attention(pooling, frames, w), strict=True)]


def attentive(pooling: nn.Module, frames: Rows, w: Vector) -> Vector:
    means = self_attention(pooling, frames, w)
    factors = _attention(pooling, frames, w)
    squares = [_dot([x * x for x in channel], a) for channel, a in zip(zip(*frames, strict=True), factors, strict=True)]
    return means + [math.sqrt(max(s - m * m, pooling.floor)) for s, m in zip(squares, means, strict=True)]


def multi_head(pooling: nn.Module, frames: Rows, w: Vector) -> Vector:
    heads, size = pooling.query.shape
    out: Vector = []
    for j in range(heads):
        slices = [frame[j * size : (j + 1) * size] for frame in frames]
        share = _softmax([_dot(x, pooling.query[j].tolist()) / math.sqrt(size) for x in slices], w)
        out += [_dot(list(x), share) for x in zip(*slices, strict=True)]
    return out


def multi_query(pooling: nn.Module, frames: Rows, w: Vector) -> Vector:
    out: Vector = []
    for attentions in pooling.attentions:
        size = len(frames[0]) // len(attentions)
        for head, attention in enumerate(attentions):
            slices = [frame[head * size : (head + 1) * size] for frame in frames]
            layers = dict(attention.named_children())
            seen = slices
            if "hidden" in layers:
                hidden = layers["hidden"]
                seen = [[math.tanh(value) for value in _affine(hidden.weight, hidden.bias, x)] for x in slices]
            scores = [_affine(layers["score"].weight, layers["score"].bias, x) for x in seen]
            shares = [_softmax(list(row), w) for row in zip(*scores, strict=True)]
            shares = shares * (size // len(shares))
            channels = [list(x) for x in zip(*slices, strict=True)]
            variances = [_variance(x, a, unbiased=False) for x, a in zip(channels, shares, strict=True)]
            out += [_mean(x, a) for x, a in zip(channels, shares, strict=True)]
            out += [math.sqrt(max(v, pooling.floor)) for v in variances]
    return out


def _residuals(centres: Rows, frames: Rows, belongs: Rows, w: Vector) -> Rows:
    """Mean over time of what belongs to a centre, times the difference: one row a centre."""
    sums = [[0.0] * len(frames[0]) for _ in centres]
    for frame, parts, weight in zip(frames, belongs, w, strict=True):
        for c, centre in enumerate(centres):
            for i, (x, mu) in enumerate(zip(frame, centre, strict=True)):
                sums[c][i] += weight / math.fsum(w) * parts[c] * (x - mu)
    return sums


def dictionary(pooling: nn.Module, frames: Rows, w: Vector) -> Vector:
    centres, scale = pooling.centres.tolist(), pooling.scale.tolist()
    distances = [[-s * math.dist(x, c) ** 2 for c, s in zip(centres, scale, strict=True)] for x in frames]
    belongs = [_softmax(row, [1.0] * len(row)) for row in distances]
    return [value for row in _residuals(centres, frames, belongs, w) for value in row]


def vlad(pooling: nn.Module, frames: Rows, w: Vector) -> Vector:
    scores = [_affine(pooling.assign.weight, pooling.assign.bias, x) for x in frames]
    belongs = [_softmax(row, [1.0] * len(row)) for row in scores]
    residuals = _residuals(pooling.centres.tolist(), frames, belongs, w)
    units = [[value / math.hypot(*row) for value in row] for row in residuals]
    return [value / math.sqrt(len(units)) for row in units for value in row]


def tanh_attention(pooling: nn.Module, frames: Rows, w: Vector) -> Vector:
    share = _softmax([math.tanh(_dot(x, pooling.score.weight.flatten().tolist())) for x in frames], w)
    channels = [list(x) for x in zip(*frames, strict=True)]
    means = [_dot(x, share) for x in channels]
    if not pooling.legacy:
        return means + [math.sqrt(_variance(x, share, unbiased=False) + pooling.floor) for x in channels]
    weighted = [[a * b for a, b in zip(x, share, strict=True)] for x in channels]
    return means + [math.sqrt(_variance(x, w, unbiased=True) + 1e-10) for x in weighted]


def _lstm(lstm: nn.LSTM, frames: Rows) -> Rows:
    """Hochreiter & Schmidhuber's cell over the frames; gates in torch's order: in, forget, new, out."""
    size, outputs = lstm.hidden_size, []
    hidden, cell = [0.0] * size, [0.0] * size
    for x in frames:
        seen = _affine(lstm.weight_ih_l0, lstm.bias_ih_l0, x)
        own = _affine(lstm.weight_hh_l0, lstm.bias_hh_l0, hidden)
        gates = [a + b for a, b in zip(seen, own, strict=True)]
        enter, forget, _, leave = ([1 / (1 + math.exp(-g)) for g in gates[k * size : (k + 1) * size]] for k in range(4))
        new = [math.tanh(g) for g in gates[2 * size : 3 * size]]
        cell = [f * c + i * n for f, c, i, n in zip(forget, cell, enter, new, strict=True)]
        hidden = [o * math.tanh(c) for o, c in zip(leave, cell, strict=True)]
        outputs.append(hidden)
    return outputs


def lstm_attention(pooling: nn.Module, frames: Rows, w: Vector) -> Vector:
    heard = [t for t in range(len(frames)) if w[t] > 0]
    x, states = [frames[t] for t in heard], []
    for onward, back in zip(pooling.onward, pooling.back, strict=True):
        out, reversed_out = _lstm(onward, x), _lstm(back, x[::-1])
        states += [out[-1], reversed_out[-1]]
        x = [a + b for a, b in zip(out, reversed_out[::-1], strict=True)]
    last = [math.fsum(column) / len(states) for column in zip(*states, strict=True)]
    return tanh_attention(pooling.attention, x, [w[t] for t in heard]) + last


@dataclass(frozen=True)
class Case:
    """A pooling as a test builds it, its oracle, and the laws that it is exempt from by its nature.

    `ordered`: the order of the frames matters. `counts`: it counts frames, so one of weight 2 is not two.
    """

    build: Callable[..., nn.Module]
    oracle: Callable[[nn.Module, Rows, Vector], Vector]
    ordered: bool = False
    counts: bool = False


_ATTENTIVE = partial(AttentiveStatsPooling, bottleneck=4)
_SAP = partial(SelfAttentionPooling, bottleneck=4)
_MQMHA = partial(MultiQueryMultiHeadAttentionPooling, queries=2, heads=3, bottleneck=4)

POOLINGS = {
    "AttentiveStatsPooling": Case(_ATTENTIVE, attentive),
    "AttentiveStatsPooling, context": Case(partial(_ATTENTIVE, context=True), attentive, counts=True),
    "AttentiveStatsPooling, biased context": Case(partial(_ATTENTIVE, context=True, unbiased_context=False), attentive),
    "AttentiveStatsPooling, scalar": Case(partial(_ATTENTIVE, attention="scalar", activation="relu-norm"), attentive),
    "AttentiveStatsPooling, normed": Case(partial(_ATTENTIVE, activation="relu-norm-tanh"), attentive),
    "AttentiveStatsPooling, legacy": Case(
        partial(_ATTENTIVE, attention="scalar", activation="sigmoid", normalised=False), attentive, counts=True
    ),
    "LastFramePooling": Case(LastFramePooling, last, ordered=True),
    "LearnableDictionaryPooling": Case(partial(LearnableDictionaryPooling, components=3), dictionary),
    "LstmAttentionPooling": Case(partial(LstmAttentionPooling, hidden=3), lstm_attention, ordered=True, counts=True),
    "MaxStatsPooling": Case(MaxStatsPooling, maxima, ordered=True, counts=True),
    "MeanPooling": Case(MeanPooling, mean),
    "MultiHeadAttentionPooling": Case(partial(MultiHeadAttentionPooling, heads=3), multi_head),
    "MultiQueryMultiHeadAttentionPooling": Case(_MQMHA, multi_query),
    "MultiQueryMultiHeadAttentionPooling, scalar": Case(partial(_MQMHA, attention="scalar"), multi_query),
    "MultiQueryMultiHeadAttentionPooling, one layer": Case(partial(_MQMHA, layers=1), multi_query),
    "NetVladPooling": Case(partial(NetVladPooling, clusters=3), vlad),
    "NetVladPooling, ghosts": Case(partial(NetVladPooling, clusters=3, ghosts=2), vlad),
    "SelfAttentionPooling": Case(_SAP, self_attention),
    "SelfAttentionPooling, vector": Case(partial(_SAP, attention="vector"), self_attention),
    "SelfAttentionPooling, legacy": Case(
        partial(_SAP, activation="sigmoid", normalised=False), self_attention, counts=True
    ),
    "StatsPooling": Case(StatsPooling, stats, counts=True),
    "StatsPooling, biased": Case(partial(StatsPooling, unbiased=False), stats),
    "StdPooling": Case(StdPooling, std, counts=True),
    "TanhAttentionPooling": Case(TanhAttentionPooling, tanh_attention),
    "TanhAttentionPooling, legacy": Case(partial(TanhAttentionPooling, legacy=True), tanh_attention, counts=True),
}
