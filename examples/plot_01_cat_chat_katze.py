"""
================================================
Order needs more than a sum: cat, chat and katze
================================================

A model needs one vector per word, however long the word is. This example climbs the
ladder of Terence Parr's `Explaining RNNs <https://explained.ai/rnn/>`_, rung by rung,
with the words cat, chat, katze and *act*, which has the letters of cat in another
order.
"""

# %%
# The words and their codes
# -------------------------
# The code of a character is its position in the vocabulary, counted from 0.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

from skrnn import RNNClassifier

words = ["cat", "act", "chat", "katze"]
vocabulary = "acehktz"
codes = {character: code for code, character in enumerate(vocabulary)}


def report(title, encode):
    """Print the encoding of every word, and whether it tells cat from act."""
    print(f"\n{title}")
    for word in words:
        print(f"  {word:5s} ->", np.array2string(np.asarray(encode(word)), precision=2))
    same = np.allclose(encode("cat"), encode("act"))
    print("  cat and act are", "the same." if same else "told apart.")


# %%
# Rung 1: add the codes
# ---------------------
# A sum ignores order, so cat and act are both 6. Worse, any other word whose codes
# happen to add up to 6 gets the same encoding.

report("Sum of codes", lambda word: sum(codes[character] for character in word))

# %%
# Rung 2: double the sum before adding
# ------------------------------------
# Now the weight of a character depends on its position, so the encoding depends on the
# order. Words still collide: an *a* in front adds nothing, because its code is 0.


def doubling_sum(word):
    h = 0
    for character in word:
        h = 2 * h + codes[character]
    return h


report("Doubling sum, h = 2 h + code", doubling_sum)
print(f"  but act -> {doubling_sum('act')} and aact -> {doubling_sum('aact')} collide.")

# %%
# Rung 3: count the characters
# ----------------------------
# Words with different letters can no longer collide, but the order is lost again.


def bag(word):
    return np.array([word.count(character) for character in vocabulary])


report("Bag of characters", bag)

# %%
# Rung 4: add a vector for each character
# ---------------------------------------
# The matrix ``U`` has one random column per character, whose length we can choose. The
# encoding is the sum of the columns of the characters.

nhidden = 4
U = np.random.default_rng(0).normal(size=(nhidden, len(vocabulary)))
report("Weighted bag, U times the counts", lambda word: U @ bag(word))

# %%
# Rung 5: the same sum, one step at a time
# ----------------------------------------
# The sum can be computed while the word is read: ``h = W h + U x``, where ``x`` selects
# a column of ``U``. If ``W`` is the identity, the result is the same as on rung 4.


def bag_states(word):
    """Return the zero vector, then the vector after each character."""
    states = [np.zeros(nhidden)]
    for character in word:
        states.append(np.eye(nhidden) @ states[-1] + U[:, codes[character]])
    return np.array(states)


report("Continuous bag, h = I h + U x", lambda word: bag_states(word)[-1])

# %%
# Rung 6: learn W and U
# ---------------------
# In a recurrent network, ``W`` changes ``h`` at every step, as the doubling did, and
# the result is passed through tanh. The network learns ``W`` and ``U`` by telling the
# words apart. The loop below is the whole encoder, and gives the same vectors as
# ``transform``.

rnn = RNNClassifier(nhidden=nhidden, cell="rnn", ngram_range=(1, 1), random_state=0)
rnn.fit(words, words)
encoder = rnn.encoder_


def rnn_states(word):
    """Return the zero vector, then the hidden state after each character."""
    W, U, b = encoder.W_[0], encoder.U_[0], encoder.b_[0]
    states = [np.zeros(nhidden)]
    for character in word:
        x = encoder.vocabulary_[character]
        states.append(np.tanh(W @ states[-1] + U[:, x] + b))
    return np.array(states)


report("Learned RNN, h = tanh(W h + U x + b)", lambda word: rnn_states(word)[-1])
same = np.allclose(rnn_states("katze")[-1], encoder.transform(["katze"]), atol=1e-5)
print(f"  The loop and transform agree: {same}.")
print(f"  {rnn.score(words, words):.0%} of the words are classified correctly.")

# %%
# Watch h move
# ------------
# Follow ``h`` from the zero vector (the square), in the plane in which it moves most.
# In the bag, cat and act meet again. In the learned network, they stay apart.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.5), layout="constrained")
for axis, title, states_of in [
    (left, "Continuous bag: cat and act meet", bag_states),
    (right, "Learned RNN: cat and act part", rnn_states),
]:
    plane = PCA(n_components=2).fit(np.vstack([states_of("cat"), states_of("act")]))
    for word, style, lift in [("cat", "o-", 6), ("act", "^--", -14)]:
        path = plane.transform(states_of(word))
        axis.plot(*path.T, style, label=word)
        axis.plot(*path[0], "ks")
        for step, point in enumerate(path[1:], start=1):
            axis.annotate(word[:step], point, (6, lift), textcoords="offset points")
    axis.set(title=title, xlabel="first principal axis of h", ylabel="second")
    axis.margins(0.15)
    axis.legend()

gap = np.linalg.norm(rnn_states("cat")[-1] - rnn_states("act")[-1])
print(f"\nDistance between cat and act: {gap:.2f} units of h (each entry is in -1..1).")
plt.show()
