"""How a minibatch updates the weights: all of them, or only the rows that it uses.

moments       what an update rule remembers of past gradients
clipping      a summed gradient -> its mean, with a bounded norm
tokens        the tokens of a minibatch, renumbered
all_weights   updates of all weights
some_rows     updates of only the token vectors in the minibatch
embedded      updates of a network that reads embeddings
wide          updates of the wide path, beside those of the network
"""
