"""Frames to one vector, one idea a file.

Every pooling takes a soft weight per frame (0 … any scale), such as a probability of speech. Frames of weight 0 change
nothing, whatever they hold, so padding can be pooled away; no weight is the same as equal weights, and only the ratios
of the weights count. A row of weights that are all 0 has no average: it gives NaN, and no gradient to anything.

Most poolings change little with a small weight. Three ask first whether a frame counts at all, and there any weight
above 0 is a yes: `LastFramePooling`, `LstmAttentionPooling` and `MaxStatsPooling` jump where a weight becomes 0. Give
them weights of 0 and 1, such as a probability above a threshold.

A weight below 0, infinite or NaN is refused on a CPU. On an accelerator or in a compiled graph, where to look at it
would take time, its row gives NaN.
"""
