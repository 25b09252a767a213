"""
========================================
A grid search, and how long it will take
========================================

Which parameters are best? A search fits the network many times, so it is good to know
how far it has come, and to look at time as well as at scores. The task: first names
given to girls and to boys.
"""

# %%
# First names
# -----------
# The faker package has lists of American first names. A name on both lists has no
# unique answer, and is left out.

from importlib import import_module

import matplotlib.pyplot as plt
import numpy as np
from sklearn.callback import ProgressBar
from sklearn.model_selection import GridSearchCV, train_test_split

from skrnn import RNNClassifier

people = import_module("faker.providers.person.en_US").Provider
girls, boys = set(people.first_names_female), set(people.first_names_male)
X = np.array(sorted(girls ^ boys))
y = np.where([name in girls for name in X], "girl", "boy")
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(f"{len(X_train)} names to learn from, {len(X_test)} to test")

# %%
# The search
# ----------
# Two parameters, three values each, three folds: 27 fits, and one more with the best
# values. Set the progress bar on the search, not on the network, and it shows how many
# fits are left. On a terminal it moves; here, its last state is shown. X is an array,
# so that with ``n_jobs=2`` it would be sent to the workers at once.

parameters = {"nhidden": [16, 32, 64], "dropout": [0.0, 0.3, 0.6]}
classifier = RNNClassifier(random_state=0)
search = GridSearchCV(classifier, parameters, cv=3)
search.set_callbacks(ProgressBar(max_propagation_depth=0))
search.fit(X_train, y_train)

# %%
# Scores and seconds
# ------------------
# Three folds of a few hundred names tell values apart only roughly: the standard
# deviation between folds is as large as the differences. If scores are about the same,
# take the smaller network.

results = search.cv_results_
shape = len(parameters["dropout"]), len(parameters["nhidden"])
figure, axes = plt.subplots(1, 2, figsize=(10, 3.5), layout="constrained")
for axis, key, title in [
    (axes[0], "mean_test_score", "accuracy"),
    (axes[1], "mean_fit_time", "seconds of a fit"),
]:
    image = axis.imshow(results[key].reshape(shape), cmap="viridis")
    axis.set_xticks(range(shape[1]), parameters["nhidden"])
    axis.set_yticks(range(shape[0]), parameters["dropout"])
    axis.set(xlabel="nhidden", ylabel="dropout", title=title)
    figure.colorbar(image, ax=axis)
print("Best:", search.best_params_)
spread = results["std_test_score"][search.best_index_]
print(f"In cross-validation: {search.best_score_:.1%}, folds vary by {spread:.1%}")
print(f"Accuracy on unseen names: {search.score(X_test, y_test):.1%}")
plt.show()
