// What happens when the page is opened. `ready` is also for scripts that want numbers.
"use strict";

const ready = loadNetwork();
ready.then(
  (network) => new Page(network),
  (error) => {
    $("problem").textContent =
      `This page needs a browser of 2023 or later, with JavaScript (${error.message}).`;
  }
);
