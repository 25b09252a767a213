"""
======================
What colour is a name?
======================

People have named 949 colours: "dusty rose", "baby puke green", "really light blue". A
regressor reads a name word by word and predicts three numbers, red, green and blue. So
it can paint what nobody has named.
"""

# %%
# Names and colours
# -----------------
# They are from a survey of the web comic xkcd, and come with matplotlib. A fifth is
# held out. A colour has three numbers from 0 to 1, so y is a table.

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import XKCD_COLORS, to_rgb
from sklearn.dummy import DummyRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skrnn import RNNRegressor

names = [name.removeprefix("xkcd:") for name in XKCD_COLORS]
colours = np.array([to_rgb(colour) for colour in XKCD_COLORS.values()])
X, X_test, y, y_test = train_test_split(names, colours, test_size=0.2, random_state=0)

# %%
# Three ways to guess
# -------------------
# The first always says the mean of all colours. The second adds up what the n-grams of
# a name say, each by itself. The network reads the words in their order, and each word
# also by its beginning and its end, so that "greenish" is close to "green". A linear
# model of words and pairs of words beside it is off by default for numbers; here, where
# single words say a lot, it helps.

ngrams = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 5))
models = {
    "mean colour": DummyRegressor(),
    "n-grams + Ridge": make_pipeline(ngrams, Ridge()),
    "RNNRegressor": RNNRegressor(
        analyzer="word", wide_ngram_range=(1, 2), random_state=0
    ),
}
print("model             distance from the true colour (black to white is 1.73)")
distance = {}
for name, model in models.items():
    errors = np.clip(model.fit(X, y).predict(X_test), 0, 1) - y_test
    distance[name] = np.linalg.norm(errors, axis=1).mean()
    print(f"{name:16s}  {distance[name]:.3f}")

# %%
# Names that nobody has given
# ---------------------------
# The survey has none of these. What the network knows of their words, it puts together.

new = [
    "dark angry red",
    "pale sea",
    "pinkish blue",
    "bluish pink",
    "deep mud",
    "moonlight",
]
assert not set(new) & set(names)
painted = np.clip(models["RNNRegressor"].predict(new), 0, 1)

# %%

figure, (above, below) = plt.subplots(2, figsize=(10, 4), layout="constrained")
shown = np.random.default_rng(0).choice(len(X_test), size=8, replace=False)
predicted = np.clip(models["RNNRegressor"].predict([X_test[i] for i in shown]), 0, 1)
above.imshow(np.stack([y_test[shown], predicted]), aspect="auto")
above.set_xticks(range(len(shown)), [X_test[i].replace(" ", "\n", 1) for i in shown])
above.set_yticks([0, 1], ["survey", "predicted"])
below.imshow(painted[np.newaxis], aspect="auto")
below.set_xticks(range(len(new)), new)
below.set_yticks([0], ["new names"])
print(f"The network is off by {distance['RNNRegressor']:.3f} on unseen names.")
plt.show()
