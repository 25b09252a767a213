"""Losses, gradients and updates by torch's operations, on any device.

This is what :mod:`skrnn._core.network` and :mod:`skrnn._core.updates` are on the CPU.
On a GPU, a layer is one call of cuDNN, whose packed layout is ours. Nothing here waits
for the device: what a minibatch needs from the host is sent, and nothing comes back
before the end of an epoch.

rows        where the steps of sequences are, as tensors
segments    sums, means and largest values of the steps of sequences
linear      products with sparse or dense rows, and the vectors of tokens
recurrence  a layer in all its directions
fused       a layer in all its directions, by Triton
front       convolutions before the recurrence
pooling     the hidden states of all steps -> one vector per sequence
losses      scores and targets -> loss
output      the output layer: scores and their loss
crf         chains of tags: their loss
writers     decoders and frames: the loss of sequences that are written
network     weights, batch -> loss, gradient
updates     how a minibatch updates the weights
"""
