"""Reading: X as passed by the user -> flat values -> inputs of the network.

Modules may import those above them in this list, and lower layers of the package.

    libraries    containers of pandas, polars, arrow, awkward and torch
    panels       tables whose labels show that their rows are not series
    containers   any container -> a list of sequences, or a table of numbers
    frames       event logs -> sequences
    kinds        which kind of sequences a list holds
    offsets      where each sequence begins
    padding      code that cuts off padding, for errors
    numbers      lists and arrays of numbers -> flat values
    token_lists  lists of tokens -> numbers that stand for them
    features     sets of features -> numbers that stand for them
    integers     tokens that seem to be measurements
    text         strings -> characters or words
    options      the parameters that determine how X is read
    vectors      the reader of vectors that come with sequences
    lists        contents of containers, of any kind -> Sequences
    schema       what X must look like: learned in fit, required afterwards
    given        tokens and vectors passed by the user
    inputs       what the network reads of the training data
    wide_series  what the wide path reads of series
    series       the reader of numbers
    targets      the reader of numbers that are predicted
    places       n-grams with their places, of sequences of one length
    wide         what the wide path reads of strings and token lists
    counts       what is counted to learn how tokens are read
    tokens       the reader of tokens
    reader       which reader reads which kind
    typed        what can be read outside of Python, as it is typed
"""
